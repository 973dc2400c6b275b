/* SPDX-License-Identifier: BSD-2-Clause */
/* value.c - see value.h. */
#include "conf/value.h"

#include <string.h>

struct unit {
	char letter;
	uint64_t factor;
};

/* Units, ascending; the first needs no letter. */
static const struct unit durations[] = {
	{ 's', 1000 }, { 'm', 60 * 1000 }, { 'h', 3600 * 1000 }, { 'd', 24 * 3600 * 1000 },
};

static const struct unit sizes[] = {
	{ '\0', 1 }, { 'k', 1ull << 10 }, { 'M', 1ull << 20 }, { 'G', 1ull << 30 }, { 'T', 1ull << 40 },
};

bool vtm_value_bool(const char *text, bool *value_r)
{
	static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (!g_ascii_strcasecmp(words[i], text)) {
			*value_r = i & 1;
			return true;
		}
	return false;
}

/* Reads the digits at the start of <text>; *end_r: the text after them. */
static bool digits(const char *text, uint64_t *value_r, const char **end_r)
{
	uint64_t value = 0;

	if (!g_ascii_isdigit(*text))
		return false;
	for (; g_ascii_isdigit(*text); text++) {
		if (!g_uint64_checked_mul(&value, value, 10) ||
		    !g_uint64_checked_add(&value, value, (uint64_t)(*text - '0')))
			return false;
	}
	*value_r = value;
	*end_r = text;
	return true;
}

bool vtm_value_number(const char *text, uint64_t *value_r)
{
	const char *end;

	return digits(text, value_r, &end) && !*end;
}

bool vtm_value_percent(const char *text, uint64_t *value_r)
{
	const char *end;

	return digits(text, value_r, &end) && (!*end || !strcmp(end, "%"));
}

static bool with_unit(const char *text, const struct unit *units, size_t n, uint64_t *value_r)
{
	const char *end;
	size_t i = 0;

	if (!digits(text, value_r, &end))
		return false;
	if (*end) {
		while (i < n && g_ascii_tolower(units[i].letter) != g_ascii_tolower(*end))
			i++;
		if (i == n || end[1])
			return false;
	}
	return g_uint64_checked_mul(value_r, *value_r, units[i].factor);
}

bool vtm_value_duration(const char *text, int64_t *value_ms_r)
{
	uint64_t ms;

	if (!with_unit(text, durations, G_N_ELEMENTS(durations), &ms) || ms > INT64_MAX)
		return false;
	*value_ms_r = (int64_t)ms;
	return true;
}

bool vtm_value_size(const char *text, uint64_t *value_r)
{
	return with_unit(text, sizes, G_N_ELEMENTS(sizes), value_r);
}

bool vtm_value_mode(const char *text, int64_t *value_r)
{
	guint64 value;

	if (!g_ascii_string_to_unsigned(text, 8, 0, 07777, &value, NULL))
		return false;
	*value_r = (int64_t)value;
	return true;
}

static char *unit_text(uint64_t value, const struct unit *units, size_t n)
{
	size_t i = n - 1;

	while (i && (!value || value % units[i].factor))
		i--;
	return units[i].letter ? g_strdup_printf("%" G_GUINT64_FORMAT "%c", value / units[i].factor, units[i].letter) :
				 g_strdup_printf("%" G_GUINT64_FORMAT, value / units[i].factor);
}

char *vtm_value_duration_text(int64_t ms)
{
	return unit_text((uint64_t)ms, durations, G_N_ELEMENTS(durations));
}

char *vtm_value_size_text(uint64_t bytes)
{
	return unit_text(bytes, sizes, G_N_ELEMENTS(sizes));
}

#define WORD_MAX 64

unsigned vtm_value_distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	unsigned d[WORD_MAX + 1][WORD_MAX + 1];

	if (la > WORD_MAX || lb > WORD_MAX)
		return G_MAXUINT;
	for (size_t i = 0; i <= la; i++)
		d[i][0] = (unsigned)i;
	for (size_t j = 0; j <= lb; j++)
		d[0][j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		for (size_t j = 1; j <= lb; j++) {
			char x = g_ascii_tolower(a[i - 1]), y = g_ascii_tolower(b[j - 1]);
			unsigned best = MIN(d[i - 1][j], d[i][j - 1]) + 1;

			best = MIN(best, d[i - 1][j - 1] + (x != y));
			if (i > 1 && j > 1 && x == g_ascii_tolower(b[j - 2]) && g_ascii_tolower(a[i - 2]) == y)
				best = MIN(best, d[i - 2][j - 2] + 1);
			d[i][j] = best;
		}
	}
	return d[la][lb];
}
