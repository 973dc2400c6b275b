/* SPDX-License-Identifier: BSD-2-Clause */
/* fakevt-fault.c - faults in words. */
#include "fakevt.h"

#include <stddef.h>
#include <string.h>

#include "base/error.h"

const char fake_fault_help[] =
	"A fault is a line of words; several faults may stand, the first that hits is played:\n"
	"  path=PREFIX     only requests whose path behind /api/v3 starts so\n"
	"  after=N         spare the first N     count=N  hit N requests, then no more\n"
	"  delay=MS        answer late           drip=MS  a byte each MS\n"
	"  stall           never answer          close    close without an answer\n"
	"  cut             close in mid-body     truncated  half a body, as if whole\n"
	"  status=N        another status, with its error body\n"
	"  retry-after=X   that header           html     a proxy's page for a body\n"
	"  garbage         bytes for a body      empty    no body\n"
	"  huge[=BYTES]    a body so long (1 GB) bomb[=BYTES]  the same, compressed (64 MB)\n"
	"  gzip            compressed            gzip-bad compressed, but is not\n"
	"  redirect        302 to the same place chunked  without Content-Length\n"
	"  wrong-id        another item's answer wrong-url  another url of the same host\n"
	"  no-date         no Date header        date-skew=S  a wrong one\n"
	"  none            forget all faults\n";

enum kind { FLAG, INT64, UINT, INT, TEXT };

static const struct word {
	const char *name;
	enum kind kind;
	size_t offset;
	int64_t missing;	/* value of a word without one; -1: it must have one */
} words[] = {
#define WORD(name, kind, member, missing) { name, kind, offsetof(struct fake_fault, member), missing }
	WORD("path", TEXT, path, -1),
	WORD("after", UINT, after, -1),
	WORD("count", INT, count, -1),
	WORD("delay", INT64, delay_ms, -1),
	WORD("drip", INT64, drip_ms, -1),
	WORD("status", UINT, status, -1),
	WORD("retry-after", TEXT, retry_after, -1),
	WORD("huge", INT64, huge, 1 << 30),
	WORD("bomb", INT64, bomb, 64 << 20),
	WORD("date-skew", INT64, date_skew_s, -1),
	WORD("stall", FLAG, stall, 1),
	WORD("close", FLAG, close, 1),
	WORD("cut", FLAG, cut, 1),
	WORD("chunked", FLAG, chunked, 1),
	WORD("truncated", FLAG, truncated, 1),
	WORD("html", FLAG, html, 1),
	WORD("garbage", FLAG, garbage, 1),
	WORD("empty", FLAG, empty, 1),
	WORD("gzip", FLAG, gzip, 1),
	WORD("gzip-bad", FLAG, gzip_bad, 1),
	WORD("redirect", FLAG, redirect, 1),
	WORD("wrong-id", FLAG, wrong_id, 1),
	WORD("wrong-url", FLAG, wrong_url, 1),
	WORD("no-date", FLAG, no_date, 1),
#undef WORD
};

static void set_number(struct fake_fault *f, const struct word *w, int64_t n)
{
	char *place = (char *)f + w->offset;
	int64_t n64 = n;
	unsigned u = (unsigned)n;
	int i = (int)n;
	bool b = n != 0;

	switch (w->kind) {
	case FLAG:
		memcpy(place, &b, sizeof(b));
		break;
	case INT64:
		memcpy(place, &n64, sizeof(n64));
		break;
	case UINT:
		memcpy(place, &u, sizeof(u));
		break;
	case INT:
		memcpy(place, &i, sizeof(i));
		break;
	case TEXT:
		break;
	}
}

static void set_text(struct fake_fault *f, const struct word *w, const char *text)
{
	char *copy = g_strdup(text), *old;

	memcpy(&old, (char *)f + w->offset, sizeof(old));
	g_free(old);
	memcpy((char *)f + w->offset, &copy, sizeof(copy));
}

static bool set_word(struct fake_fault *f, const char *text)
{
	size_t len = strcspn(text, "=");

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		const struct word *w = &words[i];
		gint64 n = w->missing;

		if (strlen(w->name) != len || strncmp(w->name, text, len))
			continue;
		if (!text[len] && w->missing < 0)
			return false;
		if (w->kind == TEXT)
			set_text(f, w, text + len + 1);
		else if (text[len] && !g_ascii_string_to_signed(text + len + 1, 10, INT32_MIN, INT64_C(1) << 40, &n,
								NULL))
			return false;
		else
			set_number(f, w, n);
		return true;
	}
	return false;
}

struct fake_fault *fake_fault_parse(const char *text, GError **error)
{
	struct fake_fault *f = g_new0(struct fake_fault, 1);
	char **list = g_strsplit_set(text, " \t\r\n", -1);
	unsigned n = 0;

	f->count = -1;
	f->path = g_strdup("");
	for (char **w = list; *w; w++) {
		if (!**w)
			continue;
		n++;
		if (!set_word(f, *w)) {
			g_set_error(error, VTM_ERROR, VTM_ERROR_FORMAT, "unknown word or value: %s", *w);
			n = 0;
			break;
		}
	}
	g_strfreev(list);
	if (n)
		return f;
	if (error && !*error)
		g_set_error(error, VTM_ERROR, VTM_ERROR_FORMAT, "no fault");
	fake_fault_free(f);
	return NULL;
}

void fake_fault_free(struct fake_fault *f)
{
	if (!f)
		return;
	g_free(f->path);
	g_free(f->retry_after);
	g_free(f);
}

struct fake_fault *fake_fault_pick(GPtrArray *faults, const char *path)
{
	for (guint i = 0; i < faults->len; i++) {
		struct fake_fault *f = faults->pdata[i], *copy;

		if (!f->count || !g_str_has_prefix(path, f->path))
			continue;
		if (f->after) {
			f->after--;
			continue;
		}
		if (f->count > 0)
			f->count--;
		copy = g_memdup2(f, sizeof(*f));
		copy->path = g_strdup(f->path);
		copy->retry_after = g_strdup(f->retry_after);
		return copy;
	}
	return NULL;
}
