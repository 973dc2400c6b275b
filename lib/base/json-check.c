/* SPDX-License-Identifier: BSD-2-Clause */
/* json-check.c - the grammar of RFC 8259 and NaN, without recursion. */
#include "base/json-check.h"

#include <glib.h>
#include <string.h>

struct scan {
	const char *at, *end;
	char open[VTM_JSON_DEPTH_MAX];	/* '{' or '[', the outermost first */
	unsigned depth;
	struct vtm_json_size size;
};

static bool here(const struct scan *s, char c)
{
	return s->at < s->end && *s->at == c;
}

static bool take(struct scan *s, char c)
{
	if (!here(s, c))
		return false;
	s->at++;
	return true;
}

static void skip_space(struct scan *s)
{
	while (here(s, ' ') || here(s, '\t') || here(s, '\n') || here(s, '\r'))
		s->at++;
}

static bool take_digits(struct scan *s)
{
	const char *start = s->at;

	while (s->at < s->end && g_ascii_isdigit(*s->at))
		s->at++;
	return s->at > start;
}

static bool take_word(struct scan *s, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len))
		return false;
	s->at += len;
	return true;
}

static bool take_number(struct scan *s)
{
	if (take_word(s, "NaN"))
		return true;
	take(s, '-');
	if (take_word(s, "Infinity"))
		return true;
	if (!take(s, '0') && !take_digits(s))
		return false;
	if (take(s, '.') && !take_digits(s))
		return false;
	if (take(s, 'e') || take(s, 'E')) {
		if (!take(s, '+'))
			take(s, '-');
		return take_digits(s);
	}
	return true;
}

/* Reads an escape after its backslash. */
static bool take_escape(struct scan *s)
{
	if (take(s, 'u')) {
		for (int i = 0; i < 4; i++, s->at++)
			if (s->at == s->end || !g_ascii_isxdigit(*s->at))
				return false;
		return true;
	}
	if (s->at == s->end || !*s->at || !strchr("\"\\/bfnrt", *s->at))
		return false;
	s->at++;
	return true;
}

static bool take_string(struct scan *s)
{
	if (!take(s, '"'))
		return false;
	while (!take(s, '"')) {
		if (s->at == s->end || (unsigned char)*s->at < 0x20)
			return false;
		if (*s->at++ == '\\' && !take_escape(s))
			return false;
	}
	return true;
}

/* "name" : */
static bool take_name(struct scan *s)
{
	skip_space(s);
	if (!take_string(s))
		return false;
	skip_space(s);
	s->size.members++;
	return take(s, ':');
}

static bool take_scalar(struct scan *s)
{
	if (here(s, '"'))
		return take_string(s);
	return take_word(s, "true") || take_word(s, "false") || take_word(s, "null") || take_number(s);
}

/* The start of a value.  *whole_r: it ended already; else it is an object or array with something in it. */
static bool take_start(struct scan *s, bool *whole_r)
{
	char open;

	skip_space(s);
	*whole_r = !here(s, '{') && !here(s, '[');
	if (*whole_r)
		return take_scalar(s);
	if (s->depth == VTM_JSON_DEPTH_MAX)
		return false;
	open = *s->at++;
	*(open == '{' ? &s->size.objects : &s->size.arrays) += 1;
	skip_space(s);
	if (take(s, open == '{' ? '}' : ']')) {
		*whole_r = true;
		return true;
	}
	s->open[s->depth++] = open;
	return open == '[' || take_name(s);
}

/* What follows a whole value inside the innermost open object or array.  *more_r: another value; else that object or
 * array ended, too. */
static bool take_separator(struct scan *s, bool *more_r)
{
	char open = s->open[s->depth - 1];

	skip_space(s);
	*more_r = take(s, ',');
	if (*more_r) {
		s->size.commas++;
		return open == '[' || take_name(s);
	}
	s->depth--;
	return take(s, open == '{' ? '}' : ']');
}

bool vtm_json_check(const char *text, size_t len, struct vtm_json_size *size_r)
{
	struct scan s = { .at = text, .end = text + len };
	bool whole, more;

	do {
		if (!take_start(&s, &whole))
			return false;
		more = !whole;
		while (!more && s.depth > 0)
			if (!take_separator(&s, &more))
				return false;
	} while (more);
	skip_space(&s);
	*size_r = s.size;
	return s.at == s.end;
}
