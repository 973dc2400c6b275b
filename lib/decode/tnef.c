/* SPDX-License-Identifier: BSD-2-Clause */
/* tnef.c - winmail.dat, [MS-OXTNEF] sections 2.1.3 and 2.1.3.4. */
#include "decode/tnef.h"
#include "decode/rtf.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

#define SIGNATURE 0x223e9f78u

enum {	/* attributes */
	ATT_BODY = 0x800c,
	ATT_ATTACH_DATA = 0x800f,
	ATT_ATTACH_TITLE = 0x8010,
	ATT_ATTACH_REND_DATA = 0x9002,	/* begins an attachment */
	ATT_MSG_PROPS = 0x9003,
	ATT_ATTACHMENT = 0x9005		/* properties of the attachment */
};

enum {	/* properties and their types ([MS-OXPROPS], [MS-OXCDATA] section 2.11.1) */
	PR_BODY = 0x1000,
	PR_RTF_COMPRESSED = 0x1009,
	PR_HTML = 0x1013,
	PR_ATTACH_DATA = 0x3701,
	PR_ATTACH_FILENAME = 0x3704,
	PR_ATTACH_LONG_FILENAME = 0x3707,
	PR_DISPLAY_NAME = 0x3001,
	PT_OBJECT = 0x000d,
	PT_STRING8 = 0x001e,
	PT_UNICODE = 0x001f,
	PT_BINARY = 0x0102,
	PT_MULTIPLE = 0x1000
};

/* What is left to read; a read past the end makes it bad and gives zeros. */
struct cursor {
	const uint8_t *p;
	size_t left;
	bool bad;
};

static const uint8_t *take(struct cursor *c, size_t n)
{
	const uint8_t *p = c->p;

	if (c->bad || n > c->left) {
		c->bad = true;
		return NULL;
	}
	c->p += n;
	c->left -= n;
	return p;
}

static uint32_t take_le(struct cursor *c, size_t bytes)
{
	const uint8_t *p = take(c, bytes);
	uint32_t n = 0;

	for (size_t i = 0; p && i < bytes; i++)
		n |= (uint32_t)p[i] << (8 * i);
	return n;
}

struct walk {
	vtm_tnef_each *each;
	void *arg;
	unsigned files;
	bool open;		/* in an attachment */
	bool rtf;		/* there was an RTF body */
	bool bad;		/* a body could not be read */
	char *name, *long_name;	/* of it */
	struct vtm_tnef_part part;
};

static void give(struct walk *w, enum vtm_tnef_kind kind, const char *name, const uint8_t *data, size_t len)
{
	struct vtm_tnef_part part = { kind, name, (const char *)data, len };

	if (data && len)
		w->each(&part, w->arg);
}

/* The attachment is complete. */
static void finish(struct walk *w)
{
	if (w->open && w->part.data)
		give(w, w->part.kind, w->long_name ? w->long_name : w->name, (const uint8_t *)w->part.data,
		     w->part.len);
	w->open = false;
	g_clear_pointer(&w->name, g_free);
	g_clear_pointer(&w->long_name, g_free);
	memset(&w->part, 0, sizeof(w->part));
}

static void set_name(char **name, const uint8_t *text, size_t len, bool utf16)
{
	char *valid;

	len = MIN(len, VTM_TNEF_NAME_MAX);
	valid = utf16 ? g_convert((const char *)text, (gssize)(len & ~(size_t)1), "UTF-8", "UTF-16LE", NULL, NULL,
				  NULL) :
			g_utf8_make_valid((const char *)text, (gssize)strnlen((const char *)text, len));
	if (!valid || !*valid) {
		g_free(valid);
		return;
	}
	g_free(*name);
	*name = valid;
}

static void set_data(struct walk *w, enum vtm_tnef_kind kind, const uint8_t *data, size_t len)
{
	w->part.kind = kind;
	w->part.data = (const char *)data;
	w->part.len = len;
}

static void give_body(struct walk *w, enum vtm_tnef_kind kind, const uint8_t *data, size_t len, bool utf16)
{
	gsize n;
	char *utf8;

	if (!utf16) {
		give(w, kind, NULL, data, len);
		return;
	}
	utf8 = g_convert((const char *)data, (gssize)(len & ~(size_t)1), "UTF-8", "UTF-16LE", NULL, &n, NULL);
	if (utf8)
		give(w, kind, NULL, (const uint8_t *)utf8, n);
	else
		w->bad = true;
	g_free(utf8);
}

/* A body in RTF: as it is, and as the text that it shows, since a link may be in either only. */
static void give_rtf(struct walk *w, const uint8_t *data, size_t len)
{
	struct vtm_buffer rtf = { .data = NULL }, text = { .data = NULL };

	if (w->rtf || !vtm_rtf_unpack(data, len, &rtf))
		w->bad = true;
	vtm_rtf_text(vtm_buffer_text(&rtf), rtf.len, &text);
	w->bad = w->bad || text.refused;
	if (!w->rtf) {
		give(w, VTM_TNEF_TEXT, NULL, (const uint8_t *)rtf.data, rtf.len);
		give(w, VTM_TNEF_TEXT, NULL, (const uint8_t *)text.data, text.len);
	}
	w->rtf = true;
	vtm_buffer_clear(&rtf);
	vtm_buffer_clear(&text);
}

/* One value of variable length. */
static void take_value(struct walk *w, uint32_t id, uint32_t type, const uint8_t *data, size_t len, bool attachment)
{
	bool utf16 = type == PT_UNICODE;

	if (attachment && (id == PR_ATTACH_LONG_FILENAME || (id == PR_DISPLAY_NAME && !w->long_name)))
		set_name(&w->long_name, data, len, utf16);
	else if (attachment && id == PR_ATTACH_FILENAME)
		set_name(&w->name, data, len, utf16);
	else if (attachment && id == PR_ATTACH_DATA && type == PT_OBJECT && len > 16)
		/* a GUID, then what it names: mostly a message as TNEF, else OLE data, a file to us */
		set_data(w, vtm_tnef_is((const char *)data + 16, len - 16) ? VTM_TNEF_MESSAGE : VTM_TNEF_FILE,
			 data + 16, len - 16);
	else if (attachment && id == PR_ATTACH_DATA && type == PT_BINARY)
		set_data(w, VTM_TNEF_FILE, data, len);
	else if (!attachment && id == PR_HTML)
		give_body(w, VTM_TNEF_HTML, data, len, utf16);
	else if (!attachment && id == PR_BODY)
		give_body(w, VTM_TNEF_TEXT, data, len, utf16);
	else if (!attachment && id == PR_RTF_COMPRESSED && type == PT_BINARY)
		give_rtf(w, data, len);
}

/* Bytes of a value of fixed length, 0 if it has none. */
static size_t fixed_size(uint32_t type)
{
	switch (type) {
	case 0x0002: case 0x0003: case 0x0004: case 0x000a: case 0x000b:
		return 4;
	case 0x0005: case 0x0006: case 0x0007: case 0x0014: case 0x0040:
		return 8;
	case 0x0048:
		return 16;
	default:
		return 0;
	}
}

/* The name of a named property: a GUID, then a number or a text. */
static void skip_name(struct cursor *c)
{
	take(c, 16);
	if (take_le(c, 4) == 0) {
		take(c, 4);
	} else {
		size_t n = take_le(c, 4);

		take(c, (n + 3) & ~(size_t)3);
	}
}

static void take_property(struct walk *w, struct cursor *c, bool attachment)
{
	uint32_t type = take_le(c, 2), id = take_le(c, 2), count = 1;
	size_t fixed = fixed_size(type & ~(uint32_t)PT_MULTIPLE);

	if (id >= 0x8000)
		skip_name(c);
	if (type & PT_MULTIPLE || !fixed)
		count = take_le(c, 4);
	type &= ~(uint32_t)PT_MULTIPLE;
	if (!fixed && type != PT_STRING8 && type != PT_UNICODE && type != PT_BINARY && type != PT_OBJECT)
		c->bad = true;	/* its length is anybody's guess */
	/* each value takes at least four bytes, so <count> cannot make this long */
	for (uint32_t i = 0; i < count && !c->bad; i++) {
		size_t n = fixed ? fixed : take_le(c, 4);
		const uint8_t *data = take(c, n);

		if (!fixed && data) {
			take(c, MIN((4 - n % 4) % 4, c->left));
			take_value(w, id, type, data, n, attachment);
		}
	}
}

static bool take_properties(struct walk *w, const uint8_t *data, size_t len, bool attachment)
{
	struct cursor c = { data, len, false };
	uint32_t count = take_le(&c, 4);

	if (count > VTM_TNEF_PROPERTIES_MAX)
		return false;
	for (uint32_t i = 0; i < count && !c.bad; i++)
		take_property(w, &c, attachment);
	return !c.bad;
}

static bool take_attribute(struct walk *w, uint32_t id, const uint8_t *data, size_t len)
{
	switch (id) {
	case ATT_BODY:
		give(w, VTM_TNEF_TEXT, NULL, data, len);
		return true;
	case ATT_MSG_PROPS:
		return take_properties(w, data, len, false);
	case ATT_ATTACH_REND_DATA:
		finish(w);
		if (++w->files > VTM_TNEF_FILES_MAX)
			return false;
		w->open = true;
		return true;
	case ATT_ATTACH_TITLE:
		set_name(&w->name, data, len, false);
		return true;
	case ATT_ATTACH_DATA:
		w->open = true;
		set_data(w, VTM_TNEF_FILE, data, len);
		return true;
	case ATT_ATTACHMENT:
		w->open = true;
		return take_properties(w, data, len, true);
	default:
		return true;
	}
}

bool vtm_tnef_is(const char *data, size_t len)
{
	struct cursor c = { (const uint8_t *)data, len, false };

	return take_le(&c, 4) == SIGNATURE && len > 6;
}

int vtm_tnef_walk(const char *data, size_t len, vtm_tnef_each *each, void *arg)
{
	struct cursor c = { (const uint8_t *)data, len, false };
	struct walk w = { .each = each, .arg = arg };
	bool fine = true;

	if (take_le(&c, 4) != SIGNATURE)
		return -1;
	take(&c, 2);
	/* bad properties of one attachment do not hide the next one */
	while (!c.bad && c.left && w.files <= VTM_TNEF_FILES_MAX) {
		uint32_t id, n;
		const uint8_t *value;

		take(&c, 1);
		id = take_le(&c, 2);
		take(&c, 2);
		n = take_le(&c, 4);
		value = take(&c, n);
		/* the checksum says nothing that matters here */
		take(&c, MIN(2, c.left));
		if (value)
			fine = take_attribute(&w, id, value, n) && fine;
	}
	finish(&w);
	return fine && !c.bad && !w.bad ? 0 : -1;
}
