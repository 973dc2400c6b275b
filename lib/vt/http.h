/* SPDX-License-Identifier: BSD-2-Clause */
/* http.h - bounded HTTP requests, many at a time, one thread.  The only file that knows libcurl's transfers.
 *
 * Redirects are refused, TLS is verified, only https (http to a loopback address) is spoken, bodies are cut off at
 * a maximum, cookies and .netrc are not used, nothing is logged.  A request goes out once: libcurl's own repetition
 * on a closed connection is refused.  Connections are kept and used again.  https_proxy, all_proxy and no_proxy of
 * the environment are honoured for https (the proxy sees names, never headers), never for loopback.
 */
#ifndef VTM_HTTP_H
#define VTM_HTTP_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct vtm_http;

struct vtm_http_settings {
	const char *ca_file;		/* NULL: the system's */
	const char *user_agent;
	int64_t connect_timeout_ms;
	int64_t total_timeout_ms;
	size_t body_max;
};

struct vtm_http_request {
	const char *url;
	const char *const *headers;	/* "Name: value", NULL-terminated */
	const char *form;		/* body of a POST (application/x-www-form-urlencoded), NULL: GET */
	const char *file;		/* path: POST it as the one part "file" of multipart/form-data; NULL: none */
	int64_t timeout_ms;		/* for this request; 0: total_timeout_ms */
	void *tag;
};

/* The fault of the server's certificate. */
enum vtm_tls_fault {
	VTM_TLS_FINE,		/* nothing, or no certificate came */
	VTM_TLS_UNTRUSTED,	/* not signed by a trusted authority */
	VTM_TLS_EXPIRED,
	VTM_TLS_NOT_YET,	/* not valid yet */
	VTM_TLS_NAME,		/* issued for another host */
	VTM_TLS_OTHER,
	VTM_TLS_CA_FILE		/* ca_file cannot be read, or holds no certificate */
};

struct vtm_http_reply {
	void *tag;
	long status;			/* HTTP status, also if the body failed; 0: none received */
	char *body;			/* NUL added; owned; NULL if the body failed */
	size_t body_len;
	bool too_large;
	int64_t date_ms;		/* Date header as UTC ms, 0: none or not a date */
	int64_t retry_after_ms;		/* Retry-After (seconds, or a date less Date), at most a year; -1: none */
	int64_t took_ms;
	const char *failure;		/* why no whole reply was received, static; NULL: one was */
	enum vtm_tls_fault tls;
};
void vtm_http_reply_clear(struct vtm_http_reply *r);

/* Copies the settings. */
struct vtm_http *vtm_http_new(const struct vtm_http_settings *s, GError **error);
/* Ends all transfers without replies. */
void vtm_http_free(struct vtm_http *h);
/* Copies the request.  -1 and an error, which does not contain the URL: it cannot be sent; else exactly one reply
 * follows.  The caller limits how many are in flight.  If name servers do not answer, each request leaves a thread that
 * waits for them; after 16 of those in a minute, further requests fail at once. */
int vtm_http_start(struct vtm_http *h, const struct vtm_http_request *r, GError **error);
/* Runs the transfers; waits for events for at most <max_ms>, unless a reply is ready.  If libcurl itself fails, every
 * transfer in flight ends with a failure. */
void vtm_http_poll(struct vtm_http *h, int64_t max_ms);
/* Ends a wait in vtm_http_poll().  Any thread. */
void vtm_http_wakeup(struct vtm_http *h);
/* Takes one reply: 1, or 0 if none is ready.  The caller clears it. */
int vtm_http_reply(struct vtm_http *h, struct vtm_http_reply *r);

#endif
