/* SPDX-License-Identifier: BSD-2-Clause */
/* notify.h - tells systemd how the service is doing (sd_notify(3)).
 *
 * Any thread.  All do nothing when systemd did not start the process (NOTIFY_SOCKET is not set) or the build is
 * --without-systemd.
 */
#ifndef VTM_NOTIFY_H
#define VTM_NOTIFY_H

#include <glib.h>
#include <stdint.h>

void vtm_notify_ready(void);		/* started, or a reload ended */
void vtm_notify_reloading(void);
void vtm_notify_stopping(void);
/* What `systemctl status` shows: one line. */
void vtm_notify_status(const char *line);

/* How often vtm_notify_alive() is to be called, in ms; 0: nobody watches. */
int64_t vtm_notify_watchdog_ms(void);
void vtm_notify_alive(void);

#endif
