/* SPDX-License-Identifier: BSD-2-Clause */
/* fakevt.h - the stand-in VirusTotal's parts.
 *
 * One thread a connection; everything here but fake_nap() and fake_send() is called under one lock, fake.lock.  What it
 * counts, it counts by code of its own: nothing of the budget's arithmetic in lib/ is used to check that arithmetic.
 */
#ifndef FAKEVT_H
#define FAKEVT_H

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/json.h"

/* ---- fakevt-table.c: what it knows ---- */

enum fake_number {
	FAKE_MALICIOUS, FAKE_SUSPICIOUS, FAKE_UNDETECTED, FAKE_HARMLESS, FAKE_TIMEOUT,	/* all items have these */
	FAKE_CONFIRMED_TIMEOUT, FAKE_FAILURE, FAKE_TYPE_UNSUPPORTED			/* files only */
};
#define FAKE_NUMBERS (FAKE_TYPE_UNSUPPORTED + 1)
extern const char *const fake_number_names[FAKE_NUMBERS];

struct fake_row {
	char *type;		/* "file", "url", "domain", "ip_address" */
	char *id;		/* as VirusTotal has it */
	char *url;		/* url: canonical; else NULL */
	unsigned numbers[FAKE_NUMBERS];
	bool stats;		/* has a last analysis */
	bool hidden;		/* url: not known until it was submitted and analysed */
	int64_t date;		/* of the last analysis, unix seconds */
};

struct fake_analysis {
	char *id;
	struct fake_row *row;
	unsigned polls_left;	/* answers "queued" so often */
	bool done;
	int64_t date;
};

struct fake_table;
struct fake_table *fake_table_new(void);
void fake_table_free(struct fake_table *t);
/* One line: TYPE SUBJECT [WORD ...]; see fakevt --help. False and an error if it is none. */
bool fake_table_set(struct fake_table *t, const char *line, int64_t now_s, GError **error);
/* The row of <type> and <id> that is known by now, NULL if none. */
struct fake_row *fake_table_find(struct fake_table *t, const char *type, const char *id);
/* The id in GET /urls/{id}: hex as it is, base64url canonicalised and hashed; NULL if it is neither.  New string. */
char *fake_url_id(const char *id);
/* A "url", or a "file" of this SHA-256, was submitted. */
struct fake_analysis *fake_table_submit(struct fake_table *t, const char *type, const char *subject, unsigned polls,
					int64_t now_s);
/* NULL if there is none.  Each call is a poll. */
struct fake_analysis *fake_table_poll(struct fake_table *t, const char *id);

/* ---- fakevt-quota.c: who may ask, and how often it was asked ---- */

struct fake_limits { unsigned per_minute, per_day, per_month; };	/* 0: none */

struct fake_quota {
	struct fake_limits limits;
	GArray *window;		/* of int64_t: when a counted request came, boot ms */
	int64_t day, month;
	unsigned day_used, month_used;
	/* counters: all that came; those that count; those of them within the quota; ... */
	uint64_t all, requests, counted, free, unauthorized, violations, over_minute, over_day, over_month, faults;
	unsigned window_max;
	GHashTable *items;	/* "files/ID" -> number of requests */
	GHashTable *statuses;	/* status -> number of replies */
};

void fake_quota_init(struct fake_quota *q);
void fake_quota_clear(struct fake_quota *q);
/* One request that counts came; false if it is beyond the quota: a violation. */
bool fake_quota_take(struct fake_quota *q, int64_t boot_ms, int64_t utc_ms);
void fake_quota_item(struct fake_quota *q, const char *item);
void fake_quota_status(struct fake_quota *q, unsigned status);
/* Forgets the counters; with <usage> also what was used of the quota. */
void fake_quota_reset(struct fake_quota *q, bool usage);
struct vtm_json *fake_quota_json(struct fake_quota *q, int64_t boot_ms, int64_t utc_ms);
/* The plain ones, "NAME N" a line. */
char *fake_quota_text(struct fake_quota *q, int64_t boot_ms, int64_t utc_ms);
/* Sets day and month to those of <utc_ms>. */
void fake_quota_roll(struct fake_quota *q, int64_t utc_ms);

/* ---- fakevt-fault.c: what goes wrong ---- */

struct fake_fault {
	char *path;		/* prefix behind /api/v3, "" any */
	unsigned after;		/* so many matching requests are spared */
	int count;		/* so many are hit, -1: all */
	int64_t delay_ms;
	unsigned status;	/* 0: as it is */
	char *retry_after;	/* header, NULL: none */
	bool close, stall, cut, chunked, html, garbage, empty, truncated, redirect, gzip, gzip_bad;
	bool wrong_id, wrong_url, no_date;
	int64_t drip_ms;	/* a byte each */
	int64_t huge;		/* bytes of body */
	int64_t bomb;		/* bytes that a small gzip body becomes */
	int64_t date_skew_s;
};

/* "WORD[=VALUE] ...", NULL and an error if it is none. */
struct fake_fault *fake_fault_parse(const char *text, GError **error);
void fake_fault_free(struct fake_fault *f);
/* The first of <faults> that hits <path>, as a copy; NULL if none does. */
struct fake_fault *fake_fault_pick(GPtrArray *faults, const char *path);
extern const char fake_fault_help[];

/* ---- fakevt-body.c: VirusTotal's words ---- */

char *fake_body_report(const struct fake_row *row, const char *base);
char *fake_body_submitted(const struct fake_analysis *a, const char *base);
char *fake_body_analysis(const struct fake_analysis *a, const char *base);
char *fake_body_quotas(const struct fake_quota *q);
char *fake_body_user(const struct fake_quota *q, const char *key);
char *fake_body_error(const char *code, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* ---- fakevt.c: the server ---- */

struct fake {
	pthread_mutex_t lock;	/* all of this; not held while sending or sleeping; TSan does not see GLib's */
	pthread_cond_t stop_cond;
	bool stopping;
	struct fake_table *table;
	struct fake_quota quota;
	GPtrArray *faults;	/* of struct fake_fault *, owned */
	int64_t utc_shift_ms;
	int polls;
	char *upload_base;	/* of upload URLs, NULL: its own API */
	unsigned port;
	FILE *log;
	/* fixed once it serves */
	char *key;
};
extern struct fake fake;

int64_t fake_utc_ms(void);
int64_t fake_boot_ms(void);
/* False when the server stops. */
bool fake_nap(int64_t ms);

/* ---- fakevt-api.c: requests to answers ---- */

struct fake_answer {
	unsigned status;
	char *body;
	gsize len;
	const char *type;
	char *id, *url;		/* of the item inside, for the faults that change them */
};

/* <path>: behind /api/v3, percent-decoded; <key>: NULL if none came. */
void fake_answer_api(struct fake_answer *a, const char *key, const char *method, const char *path,
		     const GString *body);
void fake_answer_control(struct fake_answer *a, const char *method, const char *path, const char *body);
bool fake_set_lines(const char *text, GError **error);
bool fake_add_fault(const char *text, GError **error);

/* ---- fakevt-send.c: answers to bytes ---- */

struct MHD_Connection;
/* <f> may be NULL; <url>: as it was asked for.  Returns an enum MHD_Result. */
int fake_send(struct MHD_Connection *c, struct fake_answer *a, const struct fake_fault *f, const char *url,
	      int64_t now_ms);

/* ---- fakevt-ask.c: the control's client ---- */

/* Does what <words> say to the server on <port> and prints the reply; an exit status. */
int fake_ask(int port, char **words);

#endif
