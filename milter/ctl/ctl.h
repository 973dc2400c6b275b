/* SPDX-License-Identifier: BSD-2-Clause */
/* ctl.h - what the commands of vtmilterctl share.
 *
 * One thread.  A command gets its arguments without options and returns the program's exit status.  It prints results
 * to standard output, as tables or with --json as an object a line, and errors to standard error.  Text from others
 * (mail, store, server) is escaped before it reaches a terminal.
 */
#ifndef VTM_CTL_H
#define VTM_CTL_H

#include <glib.h>
#include <stdbool.h>
#include <sysexits.h>

#include "conf/conf.h"
#include "decode/decode.h"
#include "base/json.h"
#include "scan/scan.h"
#include "store/store.h"

/* The exit statuses besides 0, EX_USAGE, EX_UNAVAILABLE, EX_TEMPFAIL (budget) and EX_CONFIG. */
#define VTM_CTL_FOUND 1		/* something bad was found, or something does not exist */

#define VTM_CTL_LIST_DEFAULT 50

struct vtm_ctl {
	const char *command;
	const char *conf_path;		/* NULL: the default */
	struct vtm_conf *conf;		/* read as the command's row says; NULL with VTM_CTL_NO_CONF */
	const struct vtm_clock *clock;
	struct vtm_decoders *decoders;	/* NULL: the command reads no messages */
	bool color;			/* on standard output */
	/* options */
	bool json, headers, public, resources, now;
	int64_t since_ms, until_ms;	/* UTC; 0: no limit */
	uint32_t tags;
	unsigned max;
	const char *from;		/* scan: the first message to scan */
};

enum vtm_ctl_conf {
	VTM_CTL_NO_CONF,
	VTM_CTL_MAYBE,		/* lists but no key; without -f it may be missing */
	VTM_CTL_QUIET,		/* neither key nor lists */
	VTM_CTL_WHOLE
};

struct vtm_ctl_command {
	const char *name, *arguments, *help;
	const char *options;		/* letters of its options in the table of ctl.c */
	enum vtm_ctl_conf conf;
	bool reads;			/* it reads messages, so it needs decoders (decode.h) */
	int (*run)(struct vtm_ctl *c, int argc, char **argv);
};

/* ---- the commands, most in a file of their name ---- */

int vtm_ctl_extract(struct vtm_ctl *c, int argc, char **argv);
int vtm_ctl_scan(struct vtm_ctl *c, int argc, char **argv);
int vtm_ctl_submit(struct vtm_ctl *c, int argc, char **argv);
int vtm_ctl_status(struct vtm_ctl *c, int argc, char **argv);
int vtm_ctl_quota(struct vtm_ctl *c, int argc, char **argv);
int vtm_ctl_reload(struct vtm_ctl *c, int argc, char **argv);
int vtm_ctl_list(struct vtm_ctl *c, int argc, char **argv);
int vtm_ctl_show(struct vtm_ctl *c, int argc, char **argv);
int vtm_ctl_rescan(struct vtm_ctl *c, int argc, char **argv);
int vtm_ctl_learn(struct vtm_ctl *c, int argc, char **argv);
int vtm_ctl_plan(struct vtm_ctl *c, int argc, char **argv);
int vtm_ctl_doctor(struct vtm_ctl *c, int argc, char **argv);
int vtm_ctl_ignore(struct vtm_ctl *c, int argc, char **argv);
int vtm_ctl_cache(struct vtm_ctl *c, int argc, char **argv);
int vtm_ctl_store_command(struct vtm_ctl *c, int argc, char **argv);

/* ---- extract.c ---- */

/* Reads the lists of the configuration, but not the key, which only the daemon's user may read. */
bool vtm_ctl_read_lists(const struct vtm_conf *conf, struct vtm_ignore *ignore, GError **error);
/* The lists of hosts, installed or the configuration's own. */
bool vtm_ctl_read_hosts(const struct vtm_conf *conf, struct vtm_lists *lists, GError **error);

/* ---- print.c ---- */

/* Prints "vtmilterctl COMMAND: ..." to standard error. */
void vtm_ctl_warn(const struct vtm_ctl *c, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Prints also how to get help.  Returns EX_USAGE. */
int vtm_ctl_usage(const struct vtm_ctl *c, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Prints and frees <error>.  Returns its exit status. */
int vtm_ctl_fail(const struct vtm_ctl *c, GError *error);

/* <text> escaped for a terminal, at most <max> bytes; NULL: "-".  New string. */
char *vtm_ctl_safe(const char *text, gsize max);
/* "2026-01-31 12:00:00Z"; 0: "-". New string. */
char *vtm_ctl_time(int64_t utc_ms);
/* "3h 20m"; new string. */
char *vtm_ctl_span(int64_t ms);
/* RFC 3339 text, or NULL for 0.  New string. */
char *vtm_ctl_time_json(int64_t utc_ms);

/* Prints <j> and frees it. */
void vtm_ctl_put_json(struct vtm_json *j);
/* Prints "name:   value", with the values in a column. */
void vtm_ctl_put(const char *name, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Prints "name:   3 of 500, 497 left"; <limit> 0 or less: there is none. */
void vtm_ctl_put_used(const char *name, int64_t used, int64_t limit);

/* The verdict's name, in colour if <c> says so.  New string. */
char *vtm_ctl_verdict(const struct vtm_ctl *c, enum vtm_verdict v);
/* The tags, VT_Bad in colour.  New string. */
char *vtm_ctl_tags(const struct vtm_ctl *c, uint32_t tags);
void vtm_ctl_json_tags(struct vtm_json *j, const char *name, uint32_t tags);
/* Adds verdict, reason and counts to <j>. */
void vtm_ctl_json_report(struct vtm_json *j, const struct vtm_report *r);
/* Prints an indented line: "    bad      41/72  attachment invoice.exe (sha256 ...)". */
void vtm_ctl_put_item(const struct vtm_ctl *c, const struct vtm_item *item, const char *why);
/* Adds to <j> what an item is (kind, hash, name, URL ...).  The second returns a new object, with its report. */
void vtm_ctl_json_identity(struct vtm_json *j, const struct vtm_item *item);
struct vtm_json *vtm_ctl_json_item(const struct vtm_item *item);

/* ---- connect.c ---- */

/* Sends one command to the daemon's ControlSocket.  Returns its answer, a line of JSON, new string.  NULL:
 * VTM_ERROR_CONFIG if ControlSocket is none, else VTM_ERROR_IO. */
char *vtm_ctl_ask_daemon(const struct vtm_ctl *c, const char *command, GError **error);
/* Makes a running daemon drop <key> from its memory; does nothing without a daemon. */
void vtm_ctl_daemon_forget(const struct vtm_ctl *c, const struct vtm_key *key);
/* A number of an answer; 0 if it is not there. */
int64_t vtm_ctl_number(const char *answer, const char *path);

/* ---- quota.c ---- */

/* Fetches VirusTotal's own count with the key of <conf>, which is free.  *r is the caller's to clear.  -1: error. */
int vtm_ctl_ask_quotas(const struct vtm_ctl *c, const struct vtm_conf *conf, struct vtm_result *r, GError **error);
/* Reads the budget from the store.  *slots_r: requests of the last minute.  -1: error. */
int vtm_ctl_read_budget(const struct vtm_ctl *c, struct vtm_budget *b, unsigned *slots_r, GError **error);

/* ---- store.c ---- */

/* Opens the store of the configuration. */
struct vtm_store *vtm_ctl_store(const struct vtm_ctl *c, bool read_only, GError **error);

#endif
