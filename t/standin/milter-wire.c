/* SPDX-License-Identifier: BSD-2-Clause */
/* milter-wire.c - see milter-wire.h. */
#include "milter-wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>

#include "base/clock.h"

static int64_t now_ms(void)
{
	return vtm_boot_ms(vtm_clock_system());
}

static bool bad(struct wire *w, const char *why)
{
	if (!w->why)
		w->why = why;
	return false;
}

/* ---- the socket ---- */

static int open_socket(const char *spec)
{
	union { struct sockaddr any; struct sockaddr_un un; struct sockaddr_in in; } a = { .any.sa_family = AF_UNSPEC };
	const char *rest = strchr(spec, ':'), *at;
	socklen_t len;
	int fd, yes = 1;

	if (!rest++)
		return -1;
	if (g_str_has_prefix(spec, "unix:") || g_str_has_prefix(spec, "local:")) {
		a.un.sun_family = AF_UNIX;
		g_strlcpy(a.un.sun_path, rest, sizeof a.un.sun_path);
		len = sizeof a.un;
	} else {
		at = strchr(rest, '@');
		a.in.sin_family = AF_INET;
		a.in.sin_port = htons((uint16_t)atoi(rest));
		if (inet_pton(AF_INET, at ? at + 1 : "127.0.0.1", &a.in.sin_addr) != 1)
			return -1;
		len = sizeof a.in;
	}
	fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && a.any.sa_family == AF_INET)	/* what is measured is the milter's promptness, not the driver's */
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	if (fd >= 0 && connect(fd, &a.any, len)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

bool wire_open(struct wire *w, const char *spec, int timeout_ms)
{
	*w = (struct wire){ .fd = open_socket(spec), .timeout_ms = timeout_ms };
	w->out = g_string_new(NULL);
	w->in = g_string_new(NULL);
	w->edits = g_ptr_array_new_with_free_func(g_free);
	w->slowest = "none";
	return w->fd >= 0 || bad(w, "cannot connect");
}

void wire_close(struct wire *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	g_string_free(w->out, TRUE);
	g_string_free(w->in, TRUE);
	g_ptr_array_unref(w->edits);
}

void wire_put(struct wire *w, char command, const void *data, size_t len)
{
	uint32_t n = htonl((uint32_t)len + 1);

	g_string_append_len(w->out, (const char *)&n, sizeof n);
	g_string_append_c(w->out, command);
	g_string_append_len(w->out, data, (gssize)len);
}

bool wire_send(struct wire *w)
{
	size_t sent = 0;

	while (sent < w->out->len) {
		ssize_t n = send(w->fd, w->out->str + sent, w->out->len - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return bad(w, "cannot send");
		sent += (size_t)n;
	}
	g_string_truncate(w->out, 0);
	return true;
}

static bool receive(struct wire *w, char *to, size_t len, int64_t until_ms)
{
	while (len) {
		struct pollfd p = { .fd = w->fd, .events = POLLIN };
		int64_t left = until_ms - now_ms();
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)left) == 0)
			return bad(w, "no reply in time");
		n = recv(w->fd, to, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return bad(w, "connection closed by the milter");
		to += n;
		len -= (size_t)n;
	}
	return true;
}

/* ---- replies ---- */

static bool receive_packet(struct wire *w, char *letter_r)
{
	int64_t until_ms = now_ms() + w->timeout_ms;
	char head[5];
	uint32_t len;

	if (!receive(w, head, sizeof head, until_ms))
		return false;
	memcpy(&len, head, sizeof len);
	len = ntohl(len);
	if (len < 1 || len > 1024 * 1024)
		return bad(w, "malformed reply");
	*letter_r = head[4];
	g_string_set_size(w->in, len - 1);
	return receive(w, w->in->str, len - 1, until_ms);
}

/* "insert 0 X-VT-Tag: VT_Bad", "change 2 X-VT-Tag:", "quarantine why". */
static void note_edit(struct wire *w, char letter)
{
	const char *data = w->in->str, *name, *value;
	uint32_t index = 0;

	if (letter == SMFIR_QUARANTINE) {
		g_ptr_array_add(w->edits, g_strdup_printf("quarantine %s", data));
		return;
	}
	if (letter != SMFIR_ADDHEADER && w->in->len >= 4) {
		memcpy(&index, data, 4);
		data += 4;
	}
	name = data;
	value = name + strlen(name) + 1;
	if (value > w->in->str + w->in->len)
		value = "";
	g_ptr_array_add(w->edits, letter == SMFIR_ADDHEADER ? g_strdup_printf("add %s: %s", name, value) :
			letter == SMFIR_INSHEADER ? g_strdup_printf("insert %u %s: %s", ntohl(index), name, value) :
			*value ? g_strdup_printf("change %u %s: %s", ntohl(index), name, value) :
			g_strdup_printf("delete %u %s", ntohl(index), name));
}

char wire_reply(struct wire *w)
{
	char letter;

	if (!wire_send(w))
		return 0;
	for (;;) {
		if (!receive_packet(w, &letter))
			return 0;
		switch (letter) {
		case SMFIR_PROGRESS:
			break;
		case SMFIR_ADDHEADER:
		case SMFIR_INSHEADER:
		case SMFIR_CHGHEADER:
		case SMFIR_QUARANTINE:
			note_edit(w, letter);
			break;
		default:
			return letter;
		}
	}
}

/* A step that the milter may not want (<no>), or not answer (<nr>). */
static bool step(struct wire *w, const char *name, uint32_t no, uint32_t nr, char command, const void *data, size_t len)
{
	int64_t start_ms, took_ms;
	char letter;

	if (w->steps & no)
		return true;
	wire_put(w, command, data, len);
	if (w->steps & nr)
		return w->out->len < WIRE_DATA_MAX || wire_send(w);
	start_ms = now_ms();
	letter = wire_reply(w);
	took_ms = now_ms() - start_ms;
	if (took_ms > w->slowest_ms) {
		w->slowest_ms = took_ms;
		w->slowest = name;
	}
	return letter == SMFIR_CONTINUE || (letter && bad(w, "the milter did not say continue"));
}

/* ---- steps ---- */

bool wire_negotiate(struct wire *w, uint32_t actions, uint32_t steps)
{
	uint32_t words[3] = { htonl(6), htonl(actions), htonl(steps) };
	int64_t start_ms = now_ms();

	wire_put(w, SMFIC_OPTNEG, words, sizeof words);
	if (wire_reply(w) != SMFIC_OPTNEG || w->in->len < sizeof words)
		return bad(w, "negotiation failed");
	w->slowest_ms = now_ms() - start_ms;
	w->slowest = "negotiate";
	memcpy(words, w->in->str, sizeof words);
	w->actions = ntohl(words[1]);
	w->steps = ntohl(words[2]);
	return true;
}

bool wire_connect(struct wire *w, const char *host, const char *address)
{
	GString *data = g_string_new(host);
	uint16_t port = htons(1234);
	bool done;

	g_string_append_c(data, '\0');
	if (address) {
		g_string_append_c(data, strchr(address, ':') ? SMFIA_INET6 : SMFIA_INET);
		g_string_append_len(data, (const char *)&port, sizeof port);
		g_string_append_len(data, address, (gssize)strlen(address) + 1);
	} else {
		g_string_append_c(data, SMFIA_UNKNOWN);
		g_string_append_c(data, '\0');
	}
	done = step(w, "connect", SMFIP_NOCONNECT, SMFIP_NR_CONN, SMFIC_CONNECT, data->str, data->len);
	g_string_free(data, TRUE);
	return done;
}

bool wire_macro(struct wire *w, char command, const char *name, const char *value)
{
	GString *data = g_string_new(NULL);

	g_string_append_c(data, command);
	g_string_append_len(data, name, (gssize)strlen(name) + 1);
	g_string_append_len(data, value, (gssize)strlen(value) + 1);
	wire_put(w, SMFIC_MACRO, data->str, data->len);
	g_string_free(data, TRUE);
	return true;
}

bool wire_helo(struct wire *w, const char *name)
{
	return step(w, "helo", SMFIP_NOHELO, SMFIP_NR_HELO, SMFIC_HELO, name, strlen(name) + 1);
}

bool wire_mail(struct wire *w, const char *sender)
{
	return step(w, "mail", SMFIP_NOMAIL, SMFIP_NR_MAIL, SMFIC_MAIL, sender, strlen(sender) + 1);
}

bool wire_rcpt(struct wire *w, const char *recipient)
{
	return step(w, "rcpt", SMFIP_NORCPT, SMFIP_NR_RCPT, SMFIC_RCPT, recipient, strlen(recipient) + 1);
}

bool wire_data(struct wire *w)
{
	return step(w, "data", SMFIP_NODATA, SMFIP_NR_DATA, SMFIC_DATA, "", 0);
}

bool wire_header(struct wire *w, const char *name, const char *value)
{
	GString *data = g_string_new(name);
	bool done;

	g_string_append_c(data, '\0');
	g_string_append_len(data, value, (gssize)strlen(value) + 1);
	done = step(w, "header", SMFIP_NOHDRS, SMFIP_NR_HDR, SMFIC_HEADER, data->str, data->len);
	g_string_free(data, TRUE);
	return done;
}

bool wire_eoh(struct wire *w)
{
	return step(w, "eoh", SMFIP_NOEOH, SMFIP_NR_EOH, SMFIC_EOH, "", 0);
}

bool wire_body(struct wire *w, const char *data, size_t len)
{
	for (size_t n; len; data += n, len -= n) {
		n = MIN(len, WIRE_DATA_MAX);
		if (!step(w, "body", SMFIP_NOBODY, SMFIP_NR_BODY, SMFIC_BODY, data, n))
			return false;
	}
	return true;
}

char wire_eom(struct wire *w, int64_t *took_ms_r)
{
	int64_t start_ms = now_ms();
	char letter;

	g_ptr_array_set_size(w->edits, 0);
	wire_put(w, SMFIC_BODYEOB, "", 0);
	letter = wire_reply(w);
	if (took_ms_r)
		*took_ms_r = now_ms() - start_ms;
	return letter;
}

bool wire_abort(struct wire *w)
{
	wire_put(w, SMFIC_ABORT, "", 0);
	return wire_send(w);
}

bool wire_quit(struct wire *w)
{
	wire_put(w, SMFIC_QUIT, "", 0);
	return wire_send(w);
}

/* ---- messages ---- */

static struct wire_mail *mail_new(void)
{
	struct wire_mail *m = g_new0(struct wire_mail, 1);

	m->names = g_ptr_array_new_with_free_func(g_free);
	m->values = g_ptr_array_new_with_free_func(g_free);
	m->body = g_string_new(NULL);
	return m;
}

void wire_mail_free(struct wire_mail *m)
{
	if (!m)
		return;
	g_ptr_array_unref(m->names);
	g_ptr_array_unref(m->values);
	g_string_free(m->body, TRUE);
	g_free(m);
}

static void add_header(struct wire_mail *m, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len), *value;
	char *last, *folded;

	if ((*line == ' ' || *line == '\t') && m->values->len) {
		last = m->values->pdata[m->values->len - 1];
		folded = g_strdup_printf("%s\n%.*s", last, (int)len, line);
		m->values->pdata[m->values->len - 1] = folded;
		g_free(last);
		return;
	}
	if (!colon)
		return;
	value = colon + 1;
	if (value < line + len && *value == ' ')
		value++;
	while (colon > line && (colon[-1] == ' ' || colon[-1] == '\t'))
		colon--;
	g_ptr_array_add(m->names, g_strndup(line, (size_t)(colon - line)));
	g_ptr_array_add(m->values, g_strndup(value, (size_t)(line + len - value)));
}

struct wire_mail *wire_mail_read(const char *path)
{
	struct wire_mail *m;
	bool in_head = true;
	char *text;
	gsize size;

	if (!g_file_get_contents(path, &text, &size, NULL))
		return NULL;
	m = mail_new();
	for (const char *p = text, *end = text + size; p < end;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((nl ? nl : end) - p);
		size_t bare = len && p[len - 1] == '\r' ? len - 1 : len;

		if (in_head && !bare)
			in_head = false;
		else if (in_head)
			add_header(m, p, bare);
		else
			g_string_append_len(g_string_append_len(m->body, p, (gssize)bare), "\r\n", 2);
		p += len + 1;
	}
	g_free(text);
	return m;
}

struct wire_mail *wire_mail_plain(size_t body_bytes)
{
	static const char line[] = "Nothing to see here, and nothing to ask about either; a line of a mail.\r\n";
	struct wire_mail *m = mail_new();
	static const char *const head[] = { "From: <sender@example.org>", "To: <user@example.test>", "Subject: a test",
		"Date: Thu, 1 Jan 2026 00:00:00 +0000", "Message-ID: <plain@example.org>", "MIME-Version: 1.0",
		"Content-Type: text/plain; charset=utf-8", "Received: from client.example.org\n\tby mx.example.test" };

	for (size_t i = 0; i < G_N_ELEMENTS(head); i++)
		add_header(m, head[i], strlen(head[i]));
	while (m->body->len < body_bytes)
		g_string_append(m->body, line);
	return m;
}

bool wire_send_mail(struct wire *w, const struct wire_mail *m)
{
	if (!wire_data(w))
		return false;
	for (unsigned i = 0; i < m->names->len; i++)
		if (!wire_header(w, m->names->pdata[i], m->values->pdata[i]))
			return false;
	return wire_eoh(w) && wire_body(w, m->body->str, m->body->len);
}
