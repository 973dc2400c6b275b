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
	int64_t timeout_ms;		/* of this request in place of total_timeout_ms; 0: that */
	void *tag;
};

/* What is wrong with the other side's certificate. */
enum vtm_tls_fault {
	VTM_TLS_FINE,		/* or there was none to look at */
	VTM_TLS_UNTRUSTED,	/* no authority that we trust has signed it */
	VTM_TLS_EXPIRED,
	VTM_TLS_NOT_YET,	/* it is valid from later on */
	VTM_TLS_NAME,		/* it is of another host */
	VTM_TLS_OTHER,
	VTM_TLS_CA_FILE		/* ca_file cannot be read, or holds no certificate */
};

struct vtm_http_reply {
	void *tag;
	long status;			/* 0: none came; set also when the body failed */
	char *body;			/* NUL added; owned; NULL if the body failed */
	size_t body_len;
	bool too_large;
	int64_t date_ms;		/* Date header as UTC ms, 0: none or not a date */
	int64_t retry_after_ms;		/* Retry-After (seconds, or a date less Date), at most a year; -1: none */
	int64_t took_ms;
	const char *failure;		/* static text of the transport's failure, NULL: a whole reply came */
	enum vtm_tls_fault tls;
};
void vtm_http_reply_clear(struct vtm_http_reply *r);

/* Copies the settings. */
struct vtm_http *vtm_http_new(const struct vtm_http_settings *s, GError **error);
/* Drops what is in flight without replies. */
void vtm_http_free(struct vtm_http *h);
/* Copies the request.  -1: not made (error set, without the url); else exactly one reply follows.  How many may be
 * in flight is the caller's business.  A request whose host name gets no answer from the name servers leaves a thread
 * behind that waits for them; after 16 of those in a minute further requests fail at once. */
int vtm_http_start(struct vtm_http *h, const struct vtm_http_request *r, GError **error);
/* Lets transfers go on; waits at most <max_ms> for something to happen unless a reply is there.  If libcurl itself fails,
 * every transfer in flight ends with a failure. */
void vtm_http_poll(struct vtm_http *h, int64_t max_ms);
void vtm_http_wakeup(struct vtm_http *h);	/* any thread */
int vtm_http_reply(struct vtm_http *h, struct vtm_http_reply *r);	/* 1 taken, 0 none */

#endif
