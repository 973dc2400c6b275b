/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor-mta.c - vtmilterctl doctor: what the checks of Postfix and Sendmail share. */
#include <glib.h>
#include <string.h>

#include "ctl/doctor-mta.h"

int64_t vtm_doctor_duration_ms(const char *text)
{
	int64_t all = 0;

	if (!*text)
		return -1;
	while (*text) {
		char *end;
		guint64 n = g_ascii_strtoull(text, &end, 10);
		const char *unit = *end ? strchr("smhdw", g_ascii_tolower(*end)) : "s";
		static const int64_t ms[] = { 1000, 60000, 3600000, 86400000, 604800000 };

		if (end == text || n > G_MAXINT32 || !unit)
			return -1;
		all += (int64_t)n * ms[*end ? unit - "smhdw" : 0];
		text = *end ? end + 1 : end;
	}
	return all;
}
