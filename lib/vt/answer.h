/* SPDX-License-Identifier: BSD-2-Clause */
/* answer.h - what a reply means: HTTP status and body to an enum vtm_answer.  Any thread; keeps nothing. */
#ifndef VTM_ANSWER_H
#define VTM_ANSWER_H

#include "vt/http.h"
#include "vt/vt.h"

/* What was asked; everything is borrowed. */
struct vtm_question {
	enum vtm_op op;
	const struct vtm_lookup *lookup;	/* NULL for ANALYSIS, QUOTAS and UPLOAD_URL, if there is none */
	const char *analysis;			/* of ANALYSIS: its id; else NULL */
	const char *base_url;
};

/* The meaning of <h>.  Sets in *r, whose status is set already, what belongs to it (vt.h): report, quotas, analysis,
 * upload_url, why. */
enum vtm_answer vtm_answer_read(const struct vtm_question *q, const struct vtm_http_reply *h, struct vtm_result *r);

#endif
