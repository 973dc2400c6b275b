/* SPDX-License-Identifier: BSD-2-Clause */
/* reply.h - VirusTotal's replies to values: the schema of its API.
 *
 * Replies are hostile input: bounded depth and size, every member taken by path and type, unknown members ignored.
 * Any thread.
 */
#ifndef VTM_VT_REPLY_H
#define VTM_VT_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/verdict.h"

struct vtm_quota { int64_t used, allowed; };	/* requests; allowed -1: the reply does not say */

/* Envelope of a reply: exactly one of these. */
enum vtm_vt_reply_form {
	VTM_REPLY_BROKEN,	/* no JSON, or no envelope of the API */
	VTM_REPLY_OBJECT,	/* data is an object: type and id are set, stats if it has last_analysis_stats */
	VTM_REPLY_ANALYSIS,	/* data.type analysis: id is set; status and stats if the reply has them */
	VTM_REPLY_QUOTAS,
	VTM_REPLY_ERROR,	/* error.code is set */
	VTM_REPLY_OTHER		/* well formed, something else (list, string, null) */
};

struct vtm_vt_reply {
	enum vtm_vt_reply_form form;
	char type[32];		/* data.type, "" if none */
	char *id;		/* data.id as text, NULL; owned */
	char *item_id;		/* analysis: id of the url or file it is about, NULL; owned */
	char *url;		/* object: attributes.url; analysis: the url it is about; NULL; owned */
	char *text;		/* data, if it is a string; NULL; owned */
	bool has_stats;		/* with a number of engines that call it malicious; all its numbers are counts */
	bool completed;		/* analysis: status completed; object: true when it has stats */
	struct vtm_report report;	/* numbers only: other missing ones are 0, huge ones cut off */
	char code[48];		/* error.code, "" */
	struct vtm_quota hourly, daily, monthly;	/* the tighter of user and group */
};

/* Reads <len> bytes.  Never fails: the form says what it was. */
void vtm_vt_reply_read(const char *text, size_t len, struct vtm_vt_reply *r);
void vtm_vt_reply_clear(struct vtm_vt_reply *r);

#endif
