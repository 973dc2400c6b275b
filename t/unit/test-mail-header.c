/* SPDX-License-Identifier: BSD-2-Clause */
/* test-mail-header.c - when and from where a stored message came. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/mail-header.h"
#include "tap.h"

static void dates(void)
{
	static const struct { const char *text; int64_t unix_s; } cases[] = {
		{ "Sat, 31 Jan 2026 12:00:00 +0000", 1769860800 },
		{ " Sat, 31 Jan 2026 13:00:00 +0100 (CET)", 1769860800 },
		{ "31 Jan 2026 06:30:00 -0530", 1769860800 },
		{ "31 Jan 2026 12:00 GMT", 1769860800 },
		{ "Sat, 31 Jan 26 07:00:00 EST", 1769860800 },
		{ "Sat, 31 Jan 2026 12:00:60 +0000", 1769860859 },
		{ "Sat, 31 jan 2026 12:00:00 XYZ", 1769860800 },
		{ "Sat, 31 Jan 2026 12:00:00", 1769860800 },
		{ "Sat, 32 Jan 2026 12:00:00 +0000", 0 },
		{ "Sat, 31 Foo 2026 12:00:00 +0000", 0 },
		{ "Thu, 1 Jan 1970 00:00:00 +0000", 0 },
		{ "Sat, 31 Jan 2026 25:00:00 +0000", 0 },
		{ "yesterday", 0 }, { "", 0 }, { ",", 0 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		is_int((int)vtm_mail_date(cases[i].text), (int)cases[i].unix_s, "'%s'", cases[i].text);
}

/* Reads a message's header; <text> is written to a file. */
static struct vtm_mail_header read_text(const char *text, size_t len, bool from_line, const char *own)
{
	struct vtm_netlist *nets = own ? vtm_netlist_parse(own, NULL) : NULL;
	struct vtm_mail mail = { .file = "x", .end = (int64_t)len, .from_line = from_line };
	struct vtm_mail_header h;
	FILE *f = tmpfile();
	GError *error = NULL;

	if (!f || fwrite(text, 1, len, f) != len || fflush(f))
		g_error("no temporary file");
	mail.fd = fileno(f);
	if (vtm_mail_header_read(&mail, nets, &h, &error) < 0)
		g_error("%s", error->message);
	fclose(f);
	vtm_netlist_free(nets);
	return h;
}

static struct vtm_mail_header read_header(const char *text)
{
	return read_text(text, strlen(text), false, "192.0.2.0/24");
}

static void headers(void)
{
	struct vtm_mail_header h;

	h = read_header("Received: from lmtp ([127.0.0.1])\n by mx; Sat, 31 Jan 2026 12:00:00 +0000\n"
			"Received: from relay (relay [192.0.2.9]) by mx; Sat, 31 Jan 2026 11:00:00 +0000\n"
			"Received: from sender (sender [198.51.100.4])\r\n\tby relay; Sat, 31 Jan 2026 10:00:00 +0000\r\n"
			"Received: from inner (x [203.0.113.1]) by sender; Sat, 31 Jan 2026 09:00:00 +0000\n"
			"Date: Fri, 30 Jan 2026 12:00:00 +0000\nmessage-id:  <a@b> \nSubject: x\n\nMessage-ID: <body>\n");
	is_int((int)h.time, 1769860800, "the topmost Received has the time");
	is_str(h.client, "198.51.100.4", "the client is the first that is neither private nor our own");
	is_str(h.message_id, "<a@b>", "the Message-ID without blanks");
	vtm_mail_header_clear(&h);
	h = read_header("Date: Sat, 31 Jan 2026 12:00:00 +0000\nReceived: by mx (from x [198.51.100.4]); junk\n\n");
	ok(h.time == 1769860800 && !h.client && !h.message_id, "Date where no Received has a time; no client after by");
	vtm_mail_header_clear(&h);
	h = read_header("Received: from x ([IPv6:2001:db8::1]) by mx; x\nReceived: from y ([198.51.100.4]) by z; x\n");
	is_str(h.client, "2001:db8::1", "an IPv6 address");
	vtm_mail_header_clear(&h);
	h = read_header("Received: from x ([1.2.3.4.5]) by mx\nReceived: from y (]198.51.100.4[) by z\nMessage-ID:\n\n");
	ok(!h.time && !h.client && !h.message_id, "what is broken says nothing");
	vtm_mail_header_clear(&h);
	h = read_text("From x Sat Jan 31 12:00:00 2026\nMessage-ID: <m>\n\n", 49, true, NULL);
	is_str(h.message_id, "<m>", "a \"From \" line is passed over");
	vtm_mail_header_clear(&h);
	h = read_text("Message-ID: <a\0b>\n\n", 19, false, NULL);
	is_str(h.message_id, "<a b>", "a NUL becomes a blank");
	vtm_mail_header_clear(&h);
	h = read_text("", 0, false, NULL);
	ok(!h.message_id && !h.time, "an empty file has none");
	vtm_mail_header_clear(&h);
}

static void bounds(void)
{
	GString *text = g_string_new("");
	struct vtm_mail_header h;

	for (int i = 0; i < VTM_MAIL_RECEIVED_MAX; i++)
		g_string_append(text, "Received: from x ([127.0.0.1]) by y; x\n");
	g_string_append(text, "Received: from x ([198.51.100.4]) by y; x\n\n");
	h = read_header(text->str);
	ok(!h.client, "%d Received fields are looked at", VTM_MAIL_RECEIVED_MAX);
	vtm_mail_header_clear(&h);
	h = read_header(strchr(text->str, '\n') + 1);
	is_str(h.client, "198.51.100.4", "one fewer: the last is read");
	vtm_mail_header_clear(&h);
	g_string_assign(text, "X: ");
	while (text->len < VTM_MAIL_HEADER_MAX - 1)
		g_string_append_c(text, 'x');
	g_string_append(text, "\nMessage-ID: <m>\n\n");
	h = read_header(text->str);
	ok(!h.message_id, "%d bytes of a header are read", VTM_MAIL_HEADER_MAX);
	vtm_mail_header_clear(&h);
	g_string_free(text, TRUE);
}

int main(void)
{
	dates();
	headers();
	bounds();
	return done_testing();
}
