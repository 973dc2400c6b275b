/* SPDX-License-Identifier: BSD-2-Clause */
/* json.h - VirusTotal's replies to values, and JSON lines for programs.  Leaf; the only file that knows json-c.
 *
 * Replies are hostile input: bounded depth, every member taken by path and type, unknown ones skipped.
 */
#ifndef VTM_JSON_H
#define VTM_JSON_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/verdict.h"

/* ---- replies ---- */

struct vtm_json_quota { int64_t used, allowed; };

/* Envelope of a reply: exactly one of these. */
enum vtm_json_form {
	VTM_JSON_BROKEN,	/* no JSON, or no envelope of the API */
	VTM_JSON_OBJECT,	/* data is an object: type and id are set, stats if it has last_analysis_stats */
	VTM_JSON_ANALYSIS,	/* data.type analysis: id is set; status and stats when told */
	VTM_JSON_QUOTAS,
	VTM_JSON_ERROR,		/* error.code is set */
	VTM_JSON_OTHER		/* well formed, something else (list, string, null) */
};

struct vtm_json_reply {
	enum vtm_json_form form;
	char type[32];		/* data.type, "" if none */
	char *id;		/* data.id as text, NULL; owned */
	char *item_id;		/* analysis: id of the url or file it is about, NULL; owned */
	char *url;		/* object: attributes.url; analysis: the url it is about; NULL; owned */
	char *text;		/* data, if it is a string; NULL; owned */
	bool has_stats;		/* and every one of its numbers can be used */
	bool completed;		/* analysis: status completed; object: true when it has stats */
	struct vtm_report report;	/* numbers only: missing 0, huge ones cut off */
	char code[48];		/* error.code, "" */
	struct vtm_json_quota hourly, daily, monthly;	/* the tighter of user and group; allowed -1: not told */
};

/* Reads <len> bytes.  Never fails: the form says what it was. */
void vtm_json_read(const char *text, size_t len, struct vtm_json_reply *r);
void vtm_json_reply_clear(struct vtm_json_reply *r);

/* ---- writing ---- */

/* One JSON object under construction.  Names are static or copied; texts are made valid UTF-8.  One thread. */
struct vtm_json;
struct vtm_json *vtm_json_new(void);
void vtm_json_free(struct vtm_json *j);
void vtm_json_text(struct vtm_json *j, const char *name, const char *text);	/* NULL: null */
void vtm_json_int(struct vtm_json *j, const char *name, int64_t n);
void vtm_json_real(struct vtm_json *j, const char *name, double n);
void vtm_json_bool(struct vtm_json *j, const char *name, bool b);
void vtm_json_texts(struct vtm_json *j, const char *name, const char *const *texts);	/* array; NULL: [] */
/* Moves <child> into <j> as a member, or as the next element of the array member <name>. */
void vtm_json_object(struct vtm_json *j, const char *name, struct vtm_json *child);
void vtm_json_append(struct vtm_json *j, const char *name, struct vtm_json *child);
/* The text on one line, without a line end; new string, g_free(). */
char *vtm_json_line(const struct vtm_json *j);

/* Reads back what vtm_json_line() wrote: the member at <path>, "name" or "outer.name".  Text: new string, NULL if there
 * is none.  Number (whole) and truth value: false if there is none.  Texts: those of an array, new, g_strfreev();
 * empty if there is none. */
char *vtm_json_get_text(const char *line, const char *path);
char **vtm_json_get_texts(const char *line, const char *path);
bool vtm_json_get_int(const char *line, const char *path, int64_t *n_r);
bool vtm_json_get_bool(const char *line, const char *path, bool *b_r);

#endif
