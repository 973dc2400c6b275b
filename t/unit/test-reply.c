/* SPDX-License-Identifier: BSD-2-Clause */
/* test-reply.c - replies of VirusTotal, broken ones too. */
#include "vt/reply.h"

#include <glib.h>
#include <string.h>

#include "tap.h"

static const char *const form_names[] = {
	[VTM_REPLY_BROKEN] = "broken", [VTM_REPLY_OBJECT] = "object", [VTM_REPLY_ANALYSIS] = "analysis",
	[VTM_REPLY_QUOTAS] = "quotas", [VTM_REPLY_ERROR] = "error", [VTM_REPLY_OTHER] = "other",
};

struct expected {
	const char *file;
	const char *what;	/* form, type, and the error code or the verdict at threshold 2 ("-": no statistics) */
	uint32_t malicious, engines;
	int64_t analysed;
};

/* Written for this test, in VirusTotal's shapes. */
static const struct expected own[] = {
	{ "analysis-completed.json", "analysis analysis clean", 1, 97, 1788000000 },
	{ "analysis-queued.json", "analysis analysis unknown", 0, 0, 1788000000 },
	{ "domain.json", "object domain bad", 7, 92, 1787000000 },
	{ "error-404.json", "error - NotFoundError", 0, 0, 0 },
	{ "error-429.json", "error - QuotaExceededError", 0, 0, 0 },
	{ "file-bad.json", "object file bad", 41, 76, 1786000000 },
	{ "file-clean.json", "object file clean", 1, 75, 1786000000 },
	{ "file-no-stats.json", "object file -", 0, 0, 0 },
	{ "file-timeouts.json", "object file unknown", 0, 70, 1786000000 },
	{ "ip.json", "object ip_address clean", 0, 91, 0 },
	{ "quotas.json", "quotas - -", 0, 0, 0 },
	{ "submitted.json", "analysis analysis -", 0, 0, 0 },
	{ "url.json", "object url clean", 0, 95, 1787500000 },
};

/* Recordings of others; they are read where they lie and skipped where they do not. */
static const struct expected recorded[] = {
	{ "analysis_file_queued.json", "analysis analysis unknown", 0, 0, 1755148801 },
	{ "analysis_private_in_progress.json", "object private_analysis -", 0, 0, 0 },
	{ "analysis_url_completed_2019.json", "analysis analysis clean", 0, 71, 1569484202 },
	{ "analysis_url_completed_2020.json", "analysis analysis clean", 0, 79, 1599122231 },
	{ "analysis_url_queued.json", "analysis analysis unknown", 0, 0, 1755151622 },
	{ "api_usage_docs_example.json", "other - -", 0, 0, 0 },
	{ "data_null.json", "other - -", 0, 0, 0 },
	{ "domain_2026_google_com_malicious_1.json", "object domain clean", 1, 91, 1787152809 },
	{ "domain_clean_google_gti.json", "object domain clean", 0, 94, 1754552970 },
	{ "domain_clean_virustotal_com.json", "object domain clean", 0, 94, 0 },
	{ "domain_google_malicious_1.json", "object domain clean", 1, 94, 0 },
	{ "domain_malicious_6.json", "object domain bad", 6, 93, 0 },
	{ "domain_no_stats_github_2019.json", "object domain -", 0, 0, 0 },
	{ "domain_tucows_malicious_1.json", "object domain clean", 1, 94, 0 },
	{ "domains_feed_all_undetected.jsonl", "broken - -", 0, 0, 0 },
	{ "error_400_domain_pattern.json", "error - InvalidArgumentError", 0, 0, 0 },
	{ "error_401_auth_required_docs_example.json", "error - AuthenticationRequiredError", 0, 0, 0 },
	{ "error_401_wrong_credentials.json", "error - WrongCredentialsError", 0, 0, 0 },
	{ "error_404_file.json", "error - NotFoundError", 0, 0, 0 },
	{ "error_404_file_2026_oneline.json", "error - NotFoundError", 0, 0, 0 },
	{ "error_404_url_hand_edited_body.txt", "broken - -", 0, 0, 0 },
	{ "error_429_quota_exceeded.json", "error - QuotaExceededError", 0, 0, 0 },
	{ "file_2026_99017f6e.json", "object file bad", 59, 77, 1742192477 },
	{ "file_clean_after_scan_gti.json", "broken - -", 0, 0, 0 },
	{ "file_confirmed_timeout_15.json", "object file clean", 0, 75, 1721721176 },
	{ "file_crowdsourced.json", "object file bad", 54, 79, 1722226969 },
	{ "file_huge_many_values.json", "object file clean", 0, 76, 1732987163 },
	{ "file_known_distributor_malicious_1.json", "object file clean", 1, 79, 1722407966 },
	{ "file_lnk.json", "object file clean", 0, 79, 1722399175 },
	{ "file_malicious_44_gti.json", "object file bad", 44, 77, 1747109144 },
	{ "file_malicious_47_opencti.json", "object file bad", 47, 74, 1636440506 },
	{ "file_malicious_57.json", "object file bad", 57, 72, 1571882366 },
	{ "file_pdf.json", "object file clean", 0, 79, 1722406748 },
	{ "file_powershell.json", "object file bad", 6, 79, 1722330394 },
	{ "file_report_sample_azul.json", "object file clean", 0, 79, 1722213291 },
	{ "file_rtf.json", "object file clean", 0, 79, 1722406706 },
	{ "file_tiny.json", "object file clean", 0, 77, 1744238843 },
	{ "file_vba.json", "object file bad", 26, 79, 1722401572 },
	{ "file_word.json", "object file clean", 0, 78, 1722209668 },
	{ "file_zip_bomb.json", "object file bad", 2, 76, 1732621325 },
	{ "get_upload_url_2019_long.json", "other - -", 0, 0, 0 },
	{ "get_upload_url_2020.json", "other - -", 0, 0, 0 },
	{ "gti_threat_list_camelcase_stats.json", "object file bad", 55, 77, 1754554350 },
	{ "ip_1.1.1.1_malicious_4.json", "object ip_address bad", 4, 94, 0 },
	{ "ip_2026_8.8.8.8.json", "object ip_address clean", 0, 91, 1787149425 },
	{ "ip_clean_8.8.8.8.json", "object ip_address clean", 0, 94, 0 },
	{ "ip_clean_8.8.8.8_gti.json", "object ip_address clean", 0, 94, 1754552878 },
	{ "ip_malicious_4.json", "object ip_address bad", 4, 93, 0 },
	{ "ip_no_stats_1.1.1.1_2019.json", "object ip_address -", 0, 0, 0 },
	{ "list_analyses_of_url_254kB.json", "other - -", 0, 0, 0 },
	{ "list_empty.json", "other - -", 0, 0, 0 },
	{ "list_urls_of_ip_1.1.1.1.json", "other - -", 0, 0, 0 },
	{ "livehunt_list_file_clean.json", "other - -", 0, 0, 0 },
	{ "post_file_analyse_2020.json", "analysis analysis -", 0, 0, 0 },
	{ "post_file_analyse_integer_id_2019.json", "analysis analysis -", 0, 0, 0 },
	{ "post_file_upload_2019.json", "analysis analysis -", 0, 0, 0 },
	{ "post_file_upload_2020.json", "analysis analysis -", 0, 0, 0 },
	{ "post_file_upload_2025.json", "analysis analysis -", 0, 0, 0 },
	{ "post_upload_url_2020.json", "analysis analysis -", 0, 0, 0 },
	{ "post_url_2025.json", "analysis analysis -", 0, 0, 0 },
	{ "post_url_analyse_2019.json", "analysis analysis -", 0, 0, 0 },
	{ "post_url_analyse_2020.json", "analysis analysis -", 0, 0, 0 },
	{ "private_file_no_stats.json", "broken - -", 0, 0, 0 },
	{ "private_url_no_stats.json", "broken - -", 0, 0, 0 },
	{ "quotas_overall_docs_example.json", "quotas - -", 0, 0, 0 },
	{ "redirect_302_download_empty_body.txt", "broken - -", 0, 0, 0 },
	{ "search_five_files.json", "broken - -", 0, 0, 0 },
	{ "url_2026_google.json", "object url clean", 0, 92, 1787153516 },
	{ "url_clean_example_com_2019.json", "object url clean", 0, 71, 1571525812 },
	{ "url_clean_google_hand_edited_id.json", "object url clean", 0, 79, 1599054323 },
	{ "url_clean_youtube_gti.json", "broken - -", 0, 0, 0 },
	{ "url_malicious_11.json", "object url bad", 11, 93, 1646407171 },
	{ "url_malicious_5_dropbox.json", "object url bad", 5, 90, 1632133515 },
	{ "url_report_string_last_analysis_date.json", "object url clean", 0, 97, 1755151622 },
	{ "urls_feed_5_objects.jsonl", "broken - -", 0, 0, 0 },
	{ "user_with_quotas.json", "object user -", 0, 0, 0 },
};

static char *describe(struct vtm_vt_reply *r)
{
	const char *last = "-";

	if (r->form == VTM_REPLY_ERROR) {
		last = r->code;
	} else if (r->has_stats) {
		vtm_report_judge(&r->report, 2);
		last = vtm_verdict_name(r->report.verdict);
	}
	return g_strdup_printf("%s %s %s", form_names[r->form], r->type[0] ? r->type : "-", last);
}

static void check_file(const char *dir, const struct expected *e)
{
	char *path = g_build_filename(dir, e->file, NULL), *text = NULL, *got;
	struct vtm_vt_reply r;
	gsize len = 0;

	if (!g_file_get_contents(path, &text, &len, NULL)) {
		ok(false, "%s can be read", path);
		g_free(path);
		return;
	}
	vtm_vt_reply_read(text, len, &r);
	got = describe(&r);
	is_str(got, e->what, "%s", e->file);
	is_int(r.report.malicious, e->malicious, "%s: malicious", e->file);
	is_int(r.report.engines, e->engines, "%s: engines", e->file);
	is_int(r.report.analysed, e->analysed, "%s: analysed", e->file);
	vtm_vt_reply_clear(&r);
	g_free(got);
	g_free(text);
	g_free(path);
}

/* Every piece of a reply cut short must be no reply. */
static void cut_short(const char *dir, const char *file)
{
	char *path = g_build_filename(dir, file, NULL), *text = NULL;
	gsize len = 0;
	unsigned good = 0;

	g_file_get_contents(path, &text, &len, NULL);
	while (len > 0 && g_ascii_isspace(text[len - 1]))
		len--;
	for (gsize n = 0; n < len; n++) {
		char *part = g_memdup2(text, n);	/* so that a sanitizer sees what is read behind it */
		struct vtm_vt_reply r;

		vtm_vt_reply_read(part, n, &r);
		good += r.form != VTM_REPLY_BROKEN;
		vtm_vt_reply_clear(&r);
		g_free(part);
	}
	ok(len > 100 && !good, "%s cut anywhere is broken (%u were not)", file, good);
	g_free(text);
	g_free(path);
}

static void files(void)
{
	char *dir = test_path("data/vt"), *there = test_path("../../shared/virustotal/fixtures");

	for (size_t i = 0; i < G_N_ELEMENTS(own); i++)
		check_file(dir, &own[i]);
	cut_short(dir, "file-bad.json");
	if (g_file_test(there, G_FILE_TEST_IS_DIR))
		for (size_t i = 0; i < G_N_ELEMENTS(recorded); i++)
			check_file(there, &recorded[i]);
	else
		skip("not here", "%u recorded replies", (unsigned)G_N_ELEMENTS(recorded));
	g_free(dir);
	g_free(there);
}

static void members(void)
{
	char *path = test_path("data/vt/url.json"), *text = NULL;
	struct vtm_vt_reply r;
	gsize len = 0;

	g_file_get_contents(path, &text, &len, NULL);
	vtm_vt_reply_read(text, len, &r);
	is_str(r.id, "0f115db062b7c0dd030b16878c99dea5c354b49dc37b38eb8846179c7783e9d7", "url: id");
	is_str(r.url, "https://example.com/", "url: attributes.url");
	is_int(r.report.harmless, 66, "url: harmless");
	is_int(r.report.undetected, 28, "url: undetected");
	is_int(r.report.suspicious, 1, "url: suspicious");
	ok(r.completed, "an object with statistics is complete");
	vtm_vt_reply_clear(&r);
	ok(!r.id && !r.url && r.form == VTM_REPLY_BROKEN, "cleared");
	g_free(text);
	g_free(path);

	path = test_path("data/vt/quotas.json");
	g_file_get_contents(path, &text, &len, NULL);
	vtm_vt_reply_read(text, len, &r);
	is_int(r.hourly.allowed, 240, "quota: hourly of the user, who has no group");
	is_int(r.hourly.used, 3, "quota: hourly used");
	is_int(r.daily.allowed, 60000000000, "quota: the group's, which leaves less, in 64 bits");
	is_int(r.daily.used, 59999999990, "quota: its use");
	is_int(r.monthly.allowed, 15500, "quota: the user's, which leaves less");
	is_int(r.monthly.used, 15000, "quota: its use");
	vtm_vt_reply_clear(&r);
	g_free(text);
	g_free(path);

	path = test_path("data/vt/analysis-completed.json");
	g_file_get_contents(path, &text, &len, NULL);
	vtm_vt_reply_read(text, len, &r);
	ok(r.completed, "analysis: completed");
	is_str(r.id, "u-0f115db062b7c0dd030b16878c99dea5c354b49dc37b38eb8846179c7783e9d7-1788000000", "analysis: id");
	is_str(r.item_id, "0f115db062b7c0dd030b16878c99dea5c354b49dc37b38eb8846179c7783e9d7", "analysis: its item");
	is_str(r.url, "https://example.com/", "analysis: its url");
	vtm_vt_reply_clear(&r);
	g_free(text);
	g_free(path);
}

#define STATS(stats) "{\"data\":{\"type\":\"file\",\"id\":\"ab\",\"attributes\":{\"last_analysis_stats\":" stats "}}}"
#define DATA(data) "{\"data\":" data "}"

static void texts(void)
{
	static const struct {
		const char *text, *want;
		int64_t malicious, engines;
	} cases[] = {
		/* no reply at all */
		{ "", "broken - -", 0, 0 },
		{ "nil", "broken - -", 0, 0 },
		{ "<html>404</html>", "broken - -", 0, 0 },
		{ "[]", "broken - -", 0, 0 },
		{ "{}", "broken - -", 0, 0 },
		{ "0", "broken - -", 0, 0 },
		{ "\"data\"", "broken - -", 0, 0 },
		{ "{\"dat\":{}}", "broken - -", 0, 0 },
		{ "{\"data\":[],}", "broken - -", 0, 0 },
		{ "{\"data\":[]}x", "broken - -", 0, 0 },
		{ "{\"data\":[]}{\"data\":[]}", "broken - -", 0, 0 },
		{ "{\"data\":[]} \r\n\t", "other - -", 0, 0 },
		/* envelopes of other kinds */
		{ DATA("null"), "other - -", 0, 0 },
		{ DATA("\"https://example.com/\""), "other - -", 0, 0 },
		{ DATA("7"), "other - -", 0, 0 },
		{ DATA("{}"), "other - -", 0, 0 },
		{ DATA("{\"type\":\"file\"}"), "other file -", 0, 0 },
		{ DATA("{\"id\":\"ab\"}"), "other - -", 0, 0 },
		{ DATA("{\"type\":\"fi\\nle\",\"id\":\"ab\"}"), "other - -", 0, 0 },
		{ DATA("{\"type\":\"file\",\"id\":\"a\\u0000b\"}"), "other file -", 0, 0 },
		{ DATA("{\"type\":\"file\",\"id\":\"ab\"}"), "object file -", 0, 0 },
		{ DATA("{\"type\":\"analysis\",\"id\":1571524923}"), "analysis analysis -", 0, 0 },
		/* errors */
		{ "{\"error\":{\"message\":\"x\",\"code\":\"NotFoundError\"}}", "error - NotFoundError", 0, 0 },
		{ "{\"error\":{\"code\":\"Not\\nFound\"}}", "error - ", 0, 0 },
		{ "{\"error\":{\"code\":404}}", "error - ", 0, 0 },
		{ "{\"error\":\"no\"}", "broken - -", 0, 0 },
		{ "{\"error\":{\"code\":\"NotFoundError\"},\"data\":{\"type\":\"file\",\"id\":\"ab\"}}", "error - NotFoundError",
		  0, 0 },
		/* statistics */
		{ STATS("{\"malicious\":0}"), "object file unknown", 0, 0 },
		{ STATS("{\"malicious\":0,\"harmless\":1}"), "object file clean", 0, 1 },
		{ STATS("{\"malicious\":3,\"undetected\":4,\"typeUnsupported\":5}"), "object file bad", 3, 12 },
		{ STATS("{\"malicious\":0,\"undetected\":4,\"type-unsupported\":5,\"new\":6}"), "object file clean", 0, 15 },
		{ STATS("{\"malicious\":0,\"timeout\":70}"), "object file unknown", 0, 70 },
		{ STATS("{\"malicious\":2.0,\"undetected\":4}"), "object file bad", 2, 6 },
		{ STATS("{\"malicious\":4294967295}"), "object file bad", 4294967295, 4294967295 },
		{ STATS("{\"malicious\":4294967296}"), "object file bad", 4294967295, 4294967295 },
		{ STATS("{\"malicious\":99999999999999999999999}"), "object file bad", 4294967295, 4294967295 },
		{ STATS("{\"malicious\":1e300}"), "object file bad", 4294967295, 4294967295 },
		{ STATS("{\"malicious\":1e999}"), "object file bad", 4294967295, 4294967295 },
		/* what does not say how many call it malicious says nothing */
		{ STATS("{}"), "object file -", 0, 0 },
		{ STATS("{\"harmless\":60,\"undetected\":9}"), "object file -", 0, 0 },
		{ STATS("{\"Malicious\":0,\"undetected\":60}"), "object file -", 0, 0 },
		/* two members of one name: which is right? */
		{ STATS("{\"malicious\":57,\"undetected\":3,\"malicious\":0}"), "broken - -", 0, 0 },
		{ STATS("{\"malicious\":57,\"undetected\":3,\"\\u006dalicious\":0}"), "broken - -", 0, 0 },
		{ "{\"data\":{},\"data\":{}}", "broken - -", 0, 0 },
		/* not ASCII */
		{ DATA("{\"type\":\"file\",\"id\":\"ab\",\"attributes\":{\"last_analysis_stats\":{\"malicious\":3,\"undetected\":4},"
		       "\"last_analysis_results\":{\"an engine\":{\"result\":\"Gef\xc3\xa4hrlich\"}}}}"), "object file bad", 3, 7 },
		/* numbers that are none must not read as 0 */
		{ STATS("{\"malicious\":-1,\"undetected\":60}"), "object file -", 0, 0 },
		{ STATS("{\"malicious\":-1e300,\"undetected\":60}"), "object file -", 0, 0 },
		{ STATS("{\"malicious\":\"57\",\"undetected\":60}"), "object file -", 0, 0 },
		{ STATS("{\"malicious\":null,\"undetected\":60}"), "object file -", 0, 0 },
		{ STATS("{\"malicious\":[57],\"undetected\":60}"), "object file -", 0, 0 },
		{ STATS("{\"malicious\":true,\"undetected\":60}"), "object file -", 0, 0 },
		{ STATS("{\"malicious\":NaN,\"undetected\":60}"), "object file -", 0, 0 },
		{ STATS("{\"malicious\":0,\"undetected\":60,\"timeout\":-3}"), "object file clean", 0, 60 },
		{ STATS("[]"), "object file -", 0, 0 },
		{ STATS("null"), "object file -", 0, 0 },
		/* the right name in the wrong place */
		{ DATA("{\"type\":\"file\",\"id\":\"ab\",\"last_analysis_stats\":{\"harmless\":9}}"), "object file -", 0, 0 },
		{ DATA("{\"type\":\"file\",\"id\":\"ab\",\"attributes\":{\"stats\":{\"harmless\":9}}}"), "object file -", 0, 0 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		size_t len = strlen(cases[i].text);
		char *copy = g_memdup2(cases[i].text, len), *name = g_strescape(cases[i].text, "\""), *got;
		struct vtm_vt_reply r;

		vtm_vt_reply_read(copy, len, &r);
		got = describe(&r);
		is_str(got, cases[i].want, "%s", name);
		is_int(r.report.malicious, cases[i].malicious, "its malicious");
		is_int(r.report.engines, cases[i].engines, "its engines");
		vtm_vt_reply_clear(&r);
		g_free(name);
		g_free(got);
		g_free(copy);
	}
}

static enum vtm_vt_reply_form form_of(const GString *s)
{
	struct vtm_vt_reply r;
	enum vtm_vt_reply_form form;

	vtm_vt_reply_read(s->str, s->len, &r);
	form = r.form;
	vtm_vt_reply_clear(&r);
	return form;
}

/* {"data":[[..]]}, <depth> levels in all. */
static enum vtm_vt_reply_form nested(unsigned depth)
{
	GString *s = g_string_new("{\"data\":");
	enum vtm_vt_reply_form form;

	for (unsigned i = 1; i < depth; i++)
		g_string_append_c(s, '[');
	for (unsigned i = 1; i < depth; i++)
		g_string_append_c(s, ']');
	g_string_append_c(s, '}');
	form = form_of(s);
	g_string_free(s, TRUE);
	return form;
}

/* {"data":[X,X..]}, <n> of them. */
static enum vtm_vt_reply_form wide(const char *x, unsigned n)
{
	GString *s = g_string_new("{\"data\":[");
	enum vtm_vt_reply_form form;

	for (unsigned i = 0; i < n; i++) {
		g_string_append(s, i ? "," : "");
		g_string_append(s, x);
	}
	g_string_append(s, "]}");
	form = form_of(s);
	g_string_free(s, TRUE);
	return form;
}

static enum vtm_vt_reply_form id_of(unsigned len)
{
	GString *s = g_string_new("{\"data\":{\"type\":\"file\",\"id\":\"");
	enum vtm_vt_reply_form form;

	for (unsigned i = 0; i < len; i++)
		g_string_append_c(s, 'a');
	g_string_append(s, "\"}}");
	form = form_of(s);
	g_string_free(s, TRUE);
	return form;
}

static void bounds(void)
{
	is_int(nested(32), VTM_REPLY_OTHER, "32 levels are read");
	is_int(nested(33), VTM_REPLY_BROKEN, "33 are not");
	is_int(nested(200000), VTM_REPLY_BROKEN, "200,000 are not");
	/* {"data":[ ]} costs 19 of 250,000 with its first element, each further one a comma */
	is_int(wide("0", 249982), VTM_REPLY_OTHER, "a list of 249,982 numbers is read");
	is_int(wide("0", 249983), VTM_REPLY_BROKEN, "one more is not");
	is_int(wide("{}", 14704), VTM_REPLY_OTHER, "a list of 14,704 objects is read");
	is_int(wide("{}", 14705), VTM_REPLY_BROKEN, "one more is not");
	is_int(id_of(512), VTM_REPLY_OBJECT, "an id of 512 bytes is read");
	is_int(id_of(513), VTM_REPLY_OTHER, "one of 513 is not");
}

int main(void)
{
	files();
	members();
	texts();
	bounds();
	return done_testing();
}
