/* SPDX-License-Identifier: BSD-2-Clause */
/* verdict.c - names of verdicts, and the one place that calls something clean. */
#include "model/verdict.h"

#include <glib.h>
#include <string.h>

static const char *const verdict_names[VTM_VERDICTS] = {
	[VTM_BYPASSED] = "bypassed",
	[VTM_PENDING] = "pending",
	[VTM_UNKNOWN] = "unknown",
	[VTM_IGNORED] = "ignored",
	[VTM_CLEAN] = "clean",
	[VTM_BAD] = "bad",
};

static const char *const reason_names[VTM_REASONS] = {
	[VTM_WHY_NONE] = "none",
	[VTM_WHY_NOT_ASKED] = "not-asked",
	[VTM_WHY_DISABLED] = "disabled",
	[VTM_WHY_CAP] = "cap",
	[VTM_WHY_BUDGET] = "budget",
	[VTM_WHY_SHARE] = "share",
	[VTM_WHY_QUEUE] = "queue",
	[VTM_WHY_TIME] = "time",
	[VTM_WHY_DENIED] = "denied",
	[VTM_WHY_SERVICE] = "service",
	[VTM_WHY_REJECTED] = "rejected",
	[VTM_WHY_STORE] = "store",
	[VTM_WHY_SPOOL] = "spool",
	[VTM_WHY_UNPARSABLE] = "unparsable",
	[VTM_WHY_AMBIGUOUS] = "ambiguous",
	[VTM_WHY_UNDECODED] = "undecoded",
	[VTM_WHY_PARTIAL] = "partial",
	[VTM_WHY_ANALYSING] = "analysing",
	[VTM_WHY_POINTS] = "points",
	[VTM_WHY_PACE] = "pace",
	[VTM_WHY_HOST_OF_MANY] = "host-of-many",
	[VTM_WHY_PRIVATE] = "private",
};

static bool find_name(const char *const *names, int n, const char *word, int *index_r)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(names[i], word)) {
			*index_r = i;
			return true;
		}
	return false;
}

const char *vtm_verdict_name(enum vtm_verdict v)
{
	g_return_val_if_fail((unsigned)v < VTM_VERDICTS, "bypassed");
	return verdict_names[v];
}

const char *vtm_reason_name(enum vtm_reason r)
{
	g_return_val_if_fail((unsigned)r < VTM_REASONS, "none");
	return reason_names[r];
}

bool vtm_verdict_parse(const char *word, enum vtm_verdict *verdict_r)
{
	int i;

	if (!find_name(verdict_names, VTM_VERDICTS, word, &i))
		return false;
	*verdict_r = (enum vtm_verdict)i;
	return true;
}

bool vtm_reason_parse(const char *word, enum vtm_reason *reason_r)
{
	int i;

	if (!find_name(reason_names, VTM_REASONS, word, &i))
		return false;
	*reason_r = (enum vtm_reason)i;
	return true;
}

void vtm_report_judge(struct vtm_report *r, uint32_t threshold)
{
	r->reason = VTM_WHY_NONE;
	if (r->malicious >= MAX(threshold, 1))
		r->verdict = VTM_BAD;
	else if (r->match == VTM_MATCH_EXACT && (uint64_t)r->harmless + r->undetected > 0)
		r->verdict = VTM_CLEAN;
	else	/* no engine analysed it, or only the host is known, which says nothing about the item */
		r->verdict = VTM_UNKNOWN;
}

bool vtm_verdict_is_answer(enum vtm_verdict v)
{
	return v == VTM_BAD || v == VTM_CLEAN || v == VTM_UNKNOWN;
}
