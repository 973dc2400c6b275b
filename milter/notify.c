/* SPDX-License-Identifier: BSD-2-Clause */
/* notify.c - see notify.h. */
#include "notify.h"

#include "build-config.h"

#ifdef HAVE_SYSTEMD

#include <systemd/sd-daemon.h>

void vtm_notify_ready(void)
{
	sd_notify(0, "READY=1");
}

void vtm_notify_reloading(void)
{
	/* by the time, Type=notify-reload knows which reload this answers */
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time());
}

void vtm_notify_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}

void vtm_notify_status(const char *line)
{
	sd_notifyf(0, "STATUS=%s", line);
}

int64_t vtm_notify_watchdog_ms(void)
{
	uint64_t us;

	/* half the time allowed, as sd_watchdog_enabled(3) recommends */
	return sd_watchdog_enabled(0, &us) > 0 ? MAX(1, (int64_t)(us / 2000)) : 0;
}

void vtm_notify_alive(void)
{
	sd_notify(0, "WATCHDOG=1");
}

#else

void vtm_notify_ready(void)
{
}

void vtm_notify_reloading(void)
{
}

void vtm_notify_stopping(void)
{
}

void vtm_notify_status(const char *line)
{
	(void)line;
}

int64_t vtm_notify_watchdog_ms(void)
{
	return 0;
}

void vtm_notify_alive(void)
{
}

#endif
