/* SPDX-License-Identifier: BSD-2-Clause */
/* milter-wire.h - the MTA's end of the milter protocol, for drivers and tests.
 *
 * Speaks protocol version 6 as Postfix does; honours what the milter asked for in its negotiation (steps it does not
 * want to see, replies it does not want to give).  One thread a session; any number of sessions in a process.
 * Source: sendmail 8.17.1 include/libmilter/mfdef.h, libmilter/docs.
 */
#ifndef MILTER_WIRE_H
#define MILTER_WIRE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define WIRE_DATA_MAX 65535	/* bytes of one command; libmilter takes no more */

struct wire {
	int fd;
	uint32_t steps;		/* SMFIP_*: negotiated */
	uint32_t actions;	/* SMFIF_*: negotiated */
	int timeout_ms;		/* for each reply; progress starts it again */
	GString *out;		/* not yet sent */
	GString *in;		/* data of the last reply */
	int64_t slowest_ms;	/* of all replies before the one to the end of a message */
	const char *slowest;	/* name of its step */
	GPtrArray *edits;	/* of char *: what the milter asked for at the end of the message */
	const char *why;	/* static: what went wrong */
};

/* <spec>: unix:PATH, local:PATH or inet:PORT@ADDRESS.  false: w->why. */
bool wire_open(struct wire *w, const char *spec, int timeout_ms);
void wire_close(struct wire *w);

/* Puts a command into the queue; sends the queue. */
void wire_put(struct wire *w, char command, const void *data, size_t len);
bool wire_send(struct wire *w);
/* Sends the queue and reads a reply, past progress and edits, which are noted.  Its letter, 0: failed. */
char wire_reply(struct wire *w);

/* Steps; each false when the milter failed or did not say "continue".  */
bool wire_negotiate(struct wire *w, uint32_t actions, uint32_t steps);
bool wire_connect(struct wire *w, const char *host, const char *address /* NULL: unknown */);
bool wire_helo(struct wire *w, const char *name);
bool wire_macro(struct wire *w, char command, const char *name, const char *value);
bool wire_mail(struct wire *w, const char *sender);
bool wire_rcpt(struct wire *w, const char *recipient);
bool wire_data(struct wire *w);
bool wire_header(struct wire *w, const char *name, const char *value);
bool wire_eoh(struct wire *w);
bool wire_body(struct wire *w, const char *data, size_t len);
/* End of the message; the reply's letter, 0: failed.  took_ms_r may be NULL. */
char wire_eom(struct wire *w, int64_t *took_ms_r);
bool wire_abort(struct wire *w);
bool wire_quit(struct wire *w);

/* A message as it lies in a file, made ready to be sent.  One object may serve many threads. */
struct wire_mail {
	GPtrArray *names, *values;	/* folded lines joined by LF, one blank after the colon taken off */
	GString *body;			/* CRLF */
};
struct wire_mail *wire_mail_read(const char *path);	/* NULL: cannot be read */
struct wire_mail *wire_mail_plain(size_t body_bytes);	/* a message without anything to ask about */
void wire_mail_free(struct wire_mail *m);

/* DATA, headers and body. */
bool wire_send_mail(struct wire *w, const struct wire_mail *m);

#endif
