/* SPDX-License-Identifier: BSD-2-Clause */
/* mime-decode.c - transfer encodings undone, by streaming. */
#include "mail/mime-decode.h"

#include <string.h>

#include "base/hash.h"
#include "base/uu.h"

#define CHUNK 65536	/* room for what is decoded, at most */
#define STEP 16384	/* of input: what it decodes to stays in the first cache until it is hashed */

struct sink {
	struct vtm_decode *d;
	struct vtm_sha256 *sha;
	bool asked, keep;
	bool undone;	/* no memory */
	size_t room;	/* for what is decoded */
	char *out;	/* quoted-printable: bytes not yet added */
	size_t have;
};

static void ask(struct sink *s, const char *head, size_t len)
{
	s->asked = true;
	s->keep = s->d->wants && s->d->wants(head, len, s->d->arg);
	s->d->wanted = s->keep;
}

static void keep(struct sink *s, const void *data, size_t len)
{
	struct vtm_decode *d = s->d;

	if (d->kept.len + len > d->keep_max) {
		if (!d->cut) {
			s->keep = false;
			vtm_buffer_clear(&d->kept);
			return;
		}
		d->was_cut = true;
		len = d->keep_max - d->kept.len;
	}
	s->keep = vtm_buffer_add(&d->kept, data, len);
}

static void add(struct sink *s, const void *data, size_t len)
{
	if (!len)
		return;
	if (!s->asked)
		ask(s, data, len);
	if (s->sha)
		vtm_sha256_add(s->sha, data, len);
	s->d->size += (int64_t)len;
	if (s->keep)
		keep(s, data, len);
}

/* Adds a few bytes at a time, by way of <out>. */
static void collect(struct sink *s, const char *p, size_t n)
{
	while (n) {
		size_t some = MIN(n, s->room - s->have);

		memcpy(s->out + s->have, p, some);
		s->have += some;
		p += some;
		n -= some;
		if (s->have == s->room) {
			add(s, s->out, s->have);
			s->have = 0;
		}
	}
}

static void decode_base64(struct sink *s)
{
	uint8_t *out = g_try_malloc(s->room);
	struct vtm_decode *d = s->d;
	static const enum vtm_base64_reading readings[] = {
		[VTM_READING_USUAL] = VTM_BASE64_LENIENT, [VTM_READING_STRICT] = VTM_BASE64_STRICT,
		[VTM_READING_PLACED] = VTM_BASE64_PLACED, [VTM_READING_JOINED] = VTM_BASE64_JOINED,
		[VTM_READING_ENDED] = VTM_BASE64_ENDED,
	};
	struct vtm_base64 state = { .reading = readings[d->reading] };

	s->undone = !out;
	if (s->undone)
		return;
	for (size_t at = 0; at < d->len; ) {
		size_t n = MIN(s->asked ? STEP : VTM_DECODE_HEAD, d->len - at);

		add(s, out, vtm_base64_add(&state, d->data + at, n, out));
		at += n;
	}
	add(s, out, vtm_base64_end(&state, out));
	g_free(out);
	d->differs[VTM_READING_STRICT] = state.data_after_padding;
	d->differs[VTM_READING_JOINED] = state.data_after_padding;
	d->differs[VTM_READING_PLACED] = d->differs[VTM_READING_ENDED] = state.misplaced;
	d->doubtful = state.junk;
}

/* A soft line break at <p> ("=", blanks, line end; RFC 2045 section 6.7): its length; 0: it is not one. */
static size_t soft_break(const char *p, const char *end)
{
	const char *q = p + 1;

	while (q < end && (*q == ' ' || *q == '\t'))
		q++;
	if (q < end && *q == '\r' && (q + 1 == end || q[1] == '\n'))
		q++;
	if (q < end && *q == '\n')
		q++;
	else if (q < end && q[-1] != '\r')
		return 0;
	return (size_t)(q - p);
}

/* The byte that the escape "=3D" at <p> means; -1: there is no escape. */
static int escape(const char *p, const char *end)
{
	int high = end - p > 2 ? g_ascii_xdigit_value(p[1]) : -1;
	int low = high < 0 ? -1 : g_ascii_xdigit_value(p[2]);

	return low < 0 ? -1 : high << 4 | low;
}

/* How many of the <n> bytes before <p> are blanks at the end of a line, which RFC 2045 section 6.7 (3) has removed? */
static size_t blanks_before(const char *p, size_t n)
{
	size_t blanks = 0;

	if (n && p[-1] == '\r')
		p--, n--;
	while (blanks < n && (p[-1 - (gssize)blanks] == ' ' || p[-1 - (gssize)blanks] == '\t'))
		blanks++;
	return blanks;
}

/* Adds bytes that are not part of an escape or soft break.  Most programs keep blanks at the end of a line. */
static void add_literal(struct sink *s, const char *p, size_t n)
{
	const char *end = p + n, *lf;

	for (; p < end && (lf = memchr(p, '\n', (size_t)(end - p))); p = lf + 1) {
		size_t blanks = blanks_before(lf, (size_t)(lf - p));

		s->d->differs[VTM_READING_STRICT] = s->d->differs[VTM_READING_STRICT] || blanks;
		if (s->d->reading != VTM_READING_STRICT || !blanks) {
			collect(s, p, (size_t)(lf + 1 - p));
			continue;
		}
		collect(s, p, (size_t)(lf - p) - blanks - (lf[-1] == '\r'));
		collect(s, lf[-1] == '\r' ? lf - 1 : lf, lf[-1] == '\r' ? 2 : 1);
	}
	collect(s, p, (size_t)(end - p));
}

static void decode_qp(struct sink *s)
{
	const char *p = s->d->data, *end = p + s->d->len;

	s->out = g_try_malloc(s->room);
	s->undone = !s->out;
	while (!s->undone && p < end) {
		const char *equal = memchr(p, '=', (size_t)(end - p));
		size_t n = (size_t)((equal ? equal : end) - p);
		int byte;

		add_literal(s, p, n);
		p += n;
		if (p != equal)
			continue;
		byte = escape(p, end);
		n = byte < 0 ? soft_break(p, end) : 3;
		if (!n || byte >= 0) {
			char literal = byte < 0 ? '=' : (char)byte;

			collect(s, &literal, 1);
		}
		p += MAX(n, 1);
	}
	if (!s->undone)
		add(s, s->out, s->have);
	g_free(s->out);
}

/* Adds the first file that <next> finds in the text; what has none is taken as it is. */
static void decode_file(struct sink *s, bool (*next)(const char *text, size_t len, size_t from, struct vtm_uu *block))
{
	struct vtm_uu block, second;
	struct vtm_decode *d = s->d;

	if (!next(d->data, d->len, 0, &block)) {
		d->doubtful = true;
		add(s, d->data, d->len);
		return;
	}
	s->undone = block.data.refused;
	d->doubtful = block.broken;
	add(s, block.data.data, block.data.len);
	if (next(d->data, d->len, block.next, &second)) {
		d->doubtful = true;
		vtm_uu_clear(&second);
	}
	vtm_uu_clear(&block);
}

static void decode_none(struct sink *s)
{
	struct vtm_decode *d = s->d;

	if (d->len)
		ask(s, d->data, d->len);
	if (s->sha)
		vtm_sha256_add(s->sha, d->data, d->len);
	d->size = (int64_t)d->len;
	d->was_cut = s->keep && d->len > d->keep_max && d->cut;
	if (s->keep && (d->len <= d->keep_max || d->cut)) {
		d->content = d->data;
		d->content_len = MIN(d->len, d->keep_max);
	}
}

void vtm_decode(struct vtm_decode *d)
{
	/* the room is no larger than it has to be: a block of 64 KiB makes malloc tidy up */
	struct sink s = { .d = d, .sha = d->unhashed ? NULL : vtm_sha256_new(), .room = MIN(d->len + 4, CHUNK) };
	uint8_t digest[VTM_SHA256_LEN];

	switch (d->encoding) {
	case VTM_ENCODING_NONE:
		decode_none(&s);
		break;
	case VTM_ENCODING_QP:
		decode_qp(&s);
		break;
	case VTM_ENCODING_BASE64:
		decode_base64(&s);
		break;
	case VTM_ENCODING_UU:
		decode_file(&s, vtm_uu_next);
		break;
	case VTM_ENCODING_YENC:
		decode_file(&s, vtm_yenc_next);
		break;
	case VTM_ENCODINGS:
		break;
	}
	if (d->kept.data) {
		d->content = d->kept.data;
		d->content_len = d->kept.len;
	}
	d->no_memory = s.undone || d->kept.refused;
	if (s.sha && !s.undone) {
		vtm_sha256_end(s.sha, digest);
		vtm_hex(digest, d->sha256);
	}
	vtm_sha256_free(s.sha);
}

static bool always(const char *head, size_t len, void *arg)
{
	(void)head;
	(void)len;
	(void)arg;
	return true;
}

void vtm_decode_keep(struct vtm_decode *d)
{
	d->wants = always;
	vtm_decode(d);
}

void vtm_decode_clear(struct vtm_decode *d)
{
	vtm_buffer_clear(&d->kept);
	d->content = NULL;
}
