/* SPDX-License-Identifier: BSD-2-Clause */
/* notify.h - reports the state of the service to systemd (sd_notify(3)).
 *
 * Any thread.  These do nothing if systemd did not start the process (NOTIFY_SOCKET is not set), or in a build
 * --without-systemd.
 */
#ifndef VTM_NOTIFY_H
#define VTM_NOTIFY_H

#include <glib.h>
#include <stdint.h>

void vtm_notify_ready(void);		/* started, or a reload ended */
void vtm_notify_reloading(void);
void vtm_notify_stopping(void);
/* Sets the line that `systemctl status` shows. */
void vtm_notify_status(const char *line);

/* The interval at which to call vtm_notify_alive(); 0: there is no watchdog. */
int64_t vtm_notify_watchdog_ms(void);
void vtm_notify_alive(void);

#endif
