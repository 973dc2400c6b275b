/* SPDX-License-Identifier: BSD-2-Clause */
/* clock.c - the operating system's clock and one for tests. */
#include "base/clock.h"

#include <glib.h>
#include <string.h>
#include <time.h>

static int64_t read_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t system_boot_ms(const struct vtm_clock *c)
{
	(void)c;
	return read_ms(CLOCK_BOOTTIME);
}

static int64_t system_utc_ms(const struct vtm_clock *c)
{
	(void)c;
	return read_ms(CLOCK_REALTIME);
}

static const char *system_boot_id(const struct vtm_clock *c)
{
	static gsize once;
	static char *id;

	(void)c;
	if (g_once_init_enter(&once)) {
		if (g_file_get_contents("/proc/sys/kernel/random/boot_id", &id, NULL, NULL))
			g_strstrip(id);
		else	/* then every start counts as a new boot, which is safe */
			id = g_uuid_string_random();
		g_once_init_leave(&once, 1);
	}
	return id;
}

const struct vtm_clock *vtm_clock_system(void)
{
	static const struct vtm_clock clock = {
		.boot_ms = system_boot_ms,
		.utc_ms = system_utc_ms,
		.boot_id = system_boot_id,
	};
	return &clock;
}

static int64_t manual_boot_ms(const struct vtm_clock *c)
{
	return ((const struct vtm_clock_manual *)c)->boot;
}

static int64_t manual_utc_ms(const struct vtm_clock *c)
{
	return ((const struct vtm_clock_manual *)c)->utc;
}

static const char *manual_boot_id(const struct vtm_clock *c)
{
	return ((const struct vtm_clock_manual *)c)->id;
}

void vtm_clock_manual_init(struct vtm_clock_manual *m, int64_t utc)
{
	memset(m, 0, sizeof(*m));
	m->clock.boot_ms = manual_boot_ms;
	m->clock.utc_ms = manual_utc_ms;
	m->clock.boot_id = manual_boot_id;
	m->boot = 1000 * 1000;
	m->utc = utc;
	m->id = "manual";
}

void vtm_clock_manual_advance(struct vtm_clock_manual *m, int64_t ms)
{
	m->boot += ms;
	m->utc += ms;
}
