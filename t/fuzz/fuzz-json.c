/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-json.c - replies: nothing is clean by accident; and what is written is read back. */
#include "fuzz.h"

#include "base/json.h"
#include "vt/reply.h"

static void check_reply(const char *text, size_t len)
{
	struct vtm_vt_reply r;
	struct vtm_report judged;

	vtm_vt_reply_read(text, len, &r);
	judged = r.report;
	judged.match = VTM_MATCH_EXACT;
	vtm_report_judge(&judged, 1);
	if (!r.has_stats)
		FUZZ_CHECK(judged.verdict == VTM_UNKNOWN);
	if (judged.verdict == VTM_CLEAN) {
		FUZZ_CHECK(r.form == VTM_REPLY_OBJECT || r.form == VTM_REPLY_ANALYSIS);
		FUZZ_CHECK(memmem(text, len, "stats", 5));
		FUZZ_CHECK(judged.malicious == 0 && (uint64_t)judged.harmless + judged.undetected > 0);
	}
	FUZZ_CHECK(r.report.verdict != VTM_CLEAN && r.report.verdict != VTM_BAD);
	FUZZ_CHECK(memchr(r.type, 0, sizeof(r.type)) && memchr(r.code, 0, sizeof(r.code)));
	if (r.form == VTM_REPLY_ERROR)
		FUZZ_CHECK(!r.has_stats && !r.completed);
	if (r.form == VTM_REPLY_BROKEN)
		FUZZ_CHECK(!r.has_stats && !r.id && !r.url && !*r.type);
	vtm_vt_reply_clear(&r);
}

static void check_writing(const char *text)
{
	struct vtm_json *j = vtm_json_new();
	char *line, *back;

	vtm_json_text(j, "t", text);
	vtm_json_int(j, "n", -5);
	line = vtm_json_line(j);
	FUZZ_CHECK(g_utf8_validate(line, -1, NULL) && !strchr(line, '\n'));
	back = vtm_json_get_text(line, "t");
	FUZZ_CHECK(back);
	if (g_utf8_validate(text, -1, NULL))
		FUZZ_CHECK(!strcmp(back, text));
	g_free(back);
	g_free(line);
	vtm_json_free(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = g_strndup((const char *)data, size);
	int64_t n;
	bool b;

	check_reply((const char *)data, size);
	check_writing(text);
	g_free(vtm_json_get_text(text, "data.id"));
	vtm_json_get_int(text, "n", &n);
	vtm_json_get_bool(text, "data.b", &b);
	g_free(text);
	return 0;
}
