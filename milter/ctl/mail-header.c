/* SPDX-License-Identifier: BSD-2-Clause */
/* mail-header.c - when and from where a stored message came. */
#include "ctl/mail-header.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define YEAR_S 31536000

/* ---- dates ---- */

static int month_of(const char *name)
{
	static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";

	for (int i = 0; i < 12; i++)
		if (!g_ascii_strncasecmp(name, months + 3 * i, 3))
			return i + 1;
	return 0;
}

/* Seconds east of UTC; a zone that is not known counts as UTC (RFC 5322 section 4.3). */
static int zone_of(const char *zone)
{
	static const struct { const char *name; int hours; } names[] = {
		{ "EST", -5 }, { "EDT", -4 }, { "CST", -6 }, { "CDT", -5 },
		{ "MST", -7 }, { "MDT", -6 }, { "PST", -8 }, { "PDT", -7 },
	};
	int n;

	if ((*zone == '+' || *zone == '-') && strspn(zone + 1, "0123456789") >= 4) {
		n = atoi((char[]){ zone[1], zone[2], 0 }) * 3600 + atoi((char[]){ zone[3], zone[4], 0 }) * 60;	// NOLINT(cert-err34-c): digits, checked above
		return *zone == '-' ? -n : n;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (!g_ascii_strncasecmp(zone, names[i].name, 3))
			return names[i].hours * 3600;
	return 0;
}

int64_t vtm_mail_date(const char *text)
{
	const char *comma = strchr(text, ',');
	int day, year, hour, minute, second = 0, used = 0, n;
	char month[4] = "", zone[8] = "";
	GDateTime *when;
	int64_t unix_s;

	if (comma)
		text = comma + 1;
	n = sscanf(text, " %2d %3[A-Za-z] %4d %2d:%2d%n", &day, month, &year, &hour, &minute, &used);	// NOLINT(cert-err34-c): widths bound the numbers
	if (n < 5)
		return 0;
	text += used;
	if (*text == ':' && sscanf(text, ":%2d%n", &second, &used) == 1)	// NOLINT(cert-err34-c): widths bound the numbers
		text += used;
	sscanf(text, " %7s", zone);
	if (year < 100)
		year += year < 50 ? 2000 : 1900;
	when = g_date_time_new_utc(year, month_of(month), day, hour, minute, MIN(second, 59));
	if (!when)
		return 0;
	unix_s = g_date_time_to_unix(when) - zone_of(zone);
	g_date_time_unref(when);
	return unix_s < YEAR_S ? 0 : unix_s;
}

/* ---- clients ---- */

static bool is_private(const char *address)
{
	static const char nets[] = "127.0.0.0/8 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 169.254.0.0/16 ::1 fc00::/7 fe80::/10";
	static struct vtm_netlist *list;

	if (!list)
		list = vtm_netlist_parse(nets, NULL);
	return vtm_netlist_has(list, address);
}

/* The address in brackets of "from x (y [192.0.2.1]) by z"; new string or NULL.  What stands behind "by" is our own. */
static char *client_of(const char *received)
{
	const char *by = strstr(received, " by "), *open = strchr(received, '['), *close;
	unsigned char raw[16];
	char *address;

	if (g_ascii_strncasecmp(received, "from ", 5) || !open || (by && open > by))
		return NULL;
	open++;
	if (!g_ascii_strncasecmp(open, "IPv6:", 5))
		open += 5;
	close = strchr(open, ']');
	if (!close || close - open > 45)
		return NULL;
	address = g_strndup(open, (gsize)(close - open));
	if (inet_pton(AF_INET, address, raw) != 1 && inet_pton(AF_INET6, address, raw) != 1)
		g_clear_pointer(&address, g_free);
	return address;
}

/* ---- fields ---- */

struct reading {
	const struct vtm_netlist *own;
	struct vtm_mail_header *h;
	int64_t date;
	unsigned received;
};

static const char *value_of(const char *field, const char *name)
{
	size_t n = strlen(name);

	if (g_ascii_strncasecmp(field, name, n) || field[n] != ':')
		return NULL;
	field += n + 1;
	while (g_ascii_isspace(*field))
		field++;
	return field;
}

static void take_received(struct reading *r, const char *value)
{
	const char *semicolon = strrchr(value, ';');
	char *client;

	if (r->received++ >= VTM_MAIL_RECEIVED_MAX)
		return;
	if (!r->h->time && semicolon)
		r->h->time = vtm_mail_date(semicolon + 1);
	if (r->h->client)
		return;
	client = client_of(value);
	if (client && !is_private(client) && !(r->own && vtm_netlist_has(r->own, client)))
		r->h->client = client;
	else
		g_free(client);
}

static void take_field(struct reading *r, const char *field)
{
	const char *value;

	if ((value = value_of(field, "Received")))
		take_received(r, value);
	else if ((value = value_of(field, "Date")) && !r->date)
		r->date = vtm_mail_date(value);
	else if ((value = value_of(field, "Message-ID")) && !r->h->message_id && *value)
		r->h->message_id = g_strchomp(g_strdup(value));
}

/* Adds a piece of a line to the field, or ends the field before it; false: the header is over. */
static bool take_piece(struct reading *r, GString *field, const struct vtm_piece *p)
{
	size_t len = p->len;

	while (len && (p->text[len - 1] == '\n' || p->text[len - 1] == '\r'))
		len--;
	if (p->begins && !len)
		return false;
	if (p->begins && *p->text != ' ' && *p->text != '\t') {
		take_field(r, field->str);
		g_string_truncate(field, 0);
	}
	for (size_t i = 0; i < len; i++)
		g_string_append_c(field, p->text[i] && p->text[i] != '\t' ? p->text[i] : ' ');
	return true;
}

int vtm_mail_header_read(const struct vtm_mail *mail, const struct vtm_netlist *own, struct vtm_mail_header *h,
			 GError **error)
{
	struct vtm_lines *lines = vtm_lines_new(mail->fd, mail->start, MIN(mail->end, mail->start + VTM_MAIL_HEADER_MAX));
	GString *field = g_string_new("");
	struct reading r = { .own = own, .h = h };
	bool first = mail->from_line;
	struct vtm_piece p;
	int rc;

	memset(h, 0, sizeof(*h));
	while ((rc = vtm_lines_next(lines, &p, error)) > 0) {
		if (first && !p.begins)
			continue;	/* of a "From " line */
		if (first && p.at == mail->start)
			continue;
		first = false;
		if (!take_piece(&r, field, &p))
			break;
	}
	take_field(&r, field->str);
	if (!h->time)
		h->time = r.date;
	g_string_free(field, TRUE);
	vtm_lines_free(lines);
	if (rc < 0)
		vtm_mail_header_clear(h);
	return rc < 0 ? -1 : 0;
}

void vtm_mail_header_clear(struct vtm_mail_header *h)
{
	g_free(h->message_id);
	g_free(h->client);
	memset(h, 0, sizeof(*h));
}
