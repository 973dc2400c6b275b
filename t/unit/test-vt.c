/* SPDX-License-Identifier: BSD-2-Clause */
/* test-vt.c - VirusTotal's client against the stand-in: every kind of question, every kind of fault. */
#include "vt/vt.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "standin.h"
#include "tap.h"

#define KEY "0123456789abcdef-the-key"
#define BAD "2a1b402420ef46577471cdc7409b0fa2c6a204db316e59ade2d805435489a067"
#define CLEAN "0f115db062b7c0dd030b16878c99dea5c354b49dc37b38eb8846179c7783e9d7"
#define NOSTATS "1111111111111111111111111111111111111111111111111111111111111111"
#define UNKNOWN "2222222222222222222222222222222222222222222222222222222222222222"
#define SAFE_LINK "https://safe.example/?url=https%3A%2F%2Fa.example%2f"
#define WAIT_MS 20000
#define NO_LIMITS "--per-minute", "0", "--per-day", "0", "--per-month", "0"

static char *dir;

/* ---- the client ---- */

static struct vtm_vt *client_at(const char *scheme, int port, const char *key, const char *ca_file, int64_t timeout_ms)
{
	char *url = g_strdup_printf("%s://127.0.0.1:%d/api/v3", scheme, port);
	const struct vtm_vt_settings set = {
		.base_url = url,
		.api_key = key,
		.ca_file = ca_file,
		.user_agent = "vtmilter/test",
		.connect_timeout_ms = 2000,
		.total_timeout_ms = timeout_ms,
	};
	struct vtm_vt *vt = vtm_vt_new(&set, NULL);

	g_free(url);
	return vt;
}

static struct vtm_vt *client(const struct server *s)
{
	return client_at("http", s->port, KEY, NULL, 5000);
}

static bool wait_result(struct vtm_vt *vt, struct vtm_result *r)
{
	gint64 end = g_get_monotonic_time() + WAIT_MS * 1000;

	while (g_get_monotonic_time() < end) {
		if (vtm_vt_result(vt, r))
			return true;
		vtm_vt_poll(vt, 100);
	}
	return false;
}

/* One question; an unanswered one reads as failed. */
static void ask(struct vtm_vt *vt, enum vtm_op op, enum vtm_lookup_kind kind, const char *subject, const char *analysis,
		struct vtm_result *r)
{
	struct vtm_lookup *l = subject ? vtm_lookup_new(kind, subject) : NULL;

	memset(r, 0, sizeof(*r));
	r->answer = VTM_ANSWER_FAILED;
	if (vtm_vt_start(vt, op, l, analysis, r, NULL) < 0 || !wait_result(vt, r))
		r->why = g_strdup("no result");
	vtm_lookup_free(l);
}

static void look_up(struct vtm_vt *vt, enum vtm_lookup_kind kind, const char *subject, struct vtm_result *r)
{
	ask(vt, VTM_OP_LOOKUP, kind, subject, NULL, r);
}

/* ---- questions ---- */

static void questions(void)
{
	static const struct {
		enum vtm_lookup_kind kind;
		const char *subject;
		enum vtm_answer answer;
		enum vtm_match match;
		uint32_t malicious, harmless, undetected, engines;
	} cases[] = {
		{ VTM_LOOKUP_FILE, BAD, VTM_ANSWER_REPORT, VTM_MATCH_EXACT, 41, 0, 31, 72 },
		{ VTM_LOOKUP_FILE, CLEAN, VTM_ANSWER_REPORT, VTM_MATCH_EXACT, 0, 0, 60, 76 },
		{ VTM_LOOKUP_FILE, NOSTATS, VTM_ANSWER_REPORT, VTM_MATCH_EXACT, 0, 0, 0, 0 },
		{ VTM_LOOKUP_FILE, UNKNOWN, VTM_ANSWER_NOT_FOUND, VTM_MATCH_EXACT, 0, 0, 0, 0 },
		{ VTM_LOOKUP_URL, "http://example.com/", VTM_ANSWER_REPORT, VTM_MATCH_EXACT, 0, 66, 29, 95 },
		{ VTM_LOOKUP_URL, "http://example.com/~>?a=\xc3\xa4", VTM_ANSWER_REPORT, VTM_MATCH_EXACT, 3, 0, 0, 3 },
		{ VTM_LOOKUP_URL, "http://example.com/unknown", VTM_ANSWER_NOT_FOUND, VTM_MATCH_EXACT, 0, 0, 0, 0 },
		/* VirusTotal's normal form is not ours */
		{ VTM_LOOKUP_URL, SAFE_LINK, VTM_ANSWER_REPORT, VTM_MATCH_EXACT, 5, 0, 0, 5 },
		{ VTM_LOOKUP_URL, "https://slash.example//a///b", VTM_ANSWER_REPORT, VTM_MATCH_EXACT, 6, 0, 0, 6 },
		{ VTM_LOOKUP_URL, "https://port.example:443/", VTM_ANSWER_REPORT, VTM_MATCH_EXACT, 7, 0, 0, 7 },
		{ VTM_LOOKUP_URL, "https://user:pw@user.example/a", VTM_ANSWER_REPORT, VTM_MATCH_EXACT, 8, 0, 0, 8 },
		{ VTM_LOOKUP_URL, "https://cut.example/?a=1&b=2", VTM_ANSWER_REPORT, VTM_MATCH_HOST, 0, 90, 0, 90 },
		{ VTM_LOOKUP_URL, "https://plain.example/", VTM_ANSWER_REPORT, VTM_MATCH_HOST, 0, 91, 0, 91 },
		{ VTM_LOOKUP_URL, "https://moved.example/", VTM_ANSWER_FAILED, VTM_MATCH_EXACT, 0, 0, 0, 0 },
		{ VTM_LOOKUP_URL, "https://alike.example/", VTM_ANSWER_FAILED, VTM_MATCH_EXACT, 0, 0, 0, 0 },
		{ VTM_LOOKUP_HOST, "bad.example", VTM_ANSWER_REPORT, VTM_MATCH_HOST, 9, 83, 0, 92 },
		{ VTM_LOOKUP_HOST, "BAD.example", VTM_ANSWER_REPORT, VTM_MATCH_HOST, 9, 83, 0, 92 },
		{ VTM_LOOKUP_HOST, "unknown.example", VTM_ANSWER_NOT_FOUND, VTM_MATCH_EXACT, 0, 0, 0, 0 },
		{ VTM_LOOKUP_HOST, "no domain", VTM_ANSWER_REJECTED, VTM_MATCH_EXACT, 0, 0, 0, 0 },
		{ VTM_LOOKUP_HOST, "192.0.2.1", VTM_ANSWER_REPORT, VTM_MATCH_HOST, 0, 91, 0, 91 },
		{ VTM_LOOKUP_HOST, "2001:db8::1", VTM_ANSWER_REPORT, VTM_MATCH_HOST, 4, 0, 0, 4 },
	};
	static const char *const options[] = { "--key", KEY, NO_LIMITS, NULL };
	static const char *const table[] = {
		"file " BAD " malicious 41 undetected 31",
		"file " CLEAN " undetected=60 timeout=1 confirmed-timeout=5 failure=2 type-unsupported=8",
		"file " NOSTATS " nostats",
		"url http://EXAMPLE.com harmless=66 undetected=29",
		"url http://example.com/~>?a=\xc3\xa4 3/3",
		"url " SAFE_LINK " 5/5 canonical=https://safe.example/?url=https://a.example/",
		"url https://slash.example//a///b 6/6 canonical=https://slash.example/a/b",
		"url https://port.example:443/ 7/7 canonical=https://port.example/",
		"url https://user:pw@user.example/a 8/8 canonical=https://user.example/a",
		"url https://cut.example/?a=1&b=2 0/90 canonical=https://cut.example/?a=1",
		"url https://plain.example/ 0/91 canonical=http://plain.example/",
		"url https://moved.example/ 0/91 canonical=https://elsewhere.example/",
		"url https://alike.example/ 0/91 canonical=https://alike.example.org/",
		"domain bad.example 9/92",
		"ip 192.0.2.1 0/91",
		"ip 2001:db8::1 4/4",
	};
	struct server s;
	struct vtm_vt *vt;

	if (!ok(server_start(&s, options), "the stand-in starts"))
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
		told(&s, "add", table[i]);
	vt = client(&s);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *what = cases[i].subject;
		struct vtm_result r;

		look_up(vt, cases[i].kind, what, &r);
		is_str(vtm_answer_name(r.answer), vtm_answer_name(cases[i].answer), "%s (%s)", what,
		       r.why ? r.why : "");
		ok(r.report.malicious == cases[i].malicious && r.report.harmless == cases[i].harmless &&
		   r.report.undetected == cases[i].undetected && r.report.engines == cases[i].engines, "its numbers");
		is_int(r.report.match, cases[i].match, "its match");
		ok(r.tag == &r, "its tag");
		ok(r.server_utc_ms > 0 && r.took_ms >= 0 && r.took_ms < WAIT_MS && r.retry_after_ms == -1, "its times");
		vtm_result_clear(&r);
	}
	is_int(counter(&s, "requests"), G_N_ELEMENTS(cases), "one request each");
	vtm_vt_free(vt);
	ok(server_stop(&s), "the stand-in ends");
}

/* ---- quotas and keys ---- */

static void quotas(void)
{
	static const char *const options[] = {
		"--key", KEY, "--per-minute", "3", "--per-day", "100", "--per-month", "900", NULL
	};
	static const char *const want[] = { "not-found", "not-found", "not-found", "quota" };
	struct server s;
	struct vtm_result r;
	struct vtm_vt *vt;

	if (!ok(server_start(&s, options), "the stand-in starts"))
		return;
	vt = client(&s);
	for (size_t i = 0; i < G_N_ELEMENTS(want); i++) {
		look_up(vt, VTM_LOOKUP_FILE, UNKNOWN, &r);
		is_str(vtm_answer_name(r.answer), want[i], "request %zu of 3 a minute", i + 1);
		vtm_result_clear(&r);
	}
	ask(vt, VTM_OP_QUOTAS, 0, NULL, NULL, &r);
	is_str(vtm_answer_name(r.answer), "quotas", "quotas may be asked all the same");
	ok(r.hourly.allowed == 180 && r.daily.allowed == 100 && r.monthly.allowed == 900 && r.daily.used == 3 &&
	   r.monthly.used == 3, "and say so");
	vtm_result_clear(&r);
	is_int(counter(&s, "violations"), 1, "the fourth was a violation");
	is_int(counter(&s, "requests"), 4, "quotas cost nothing");
	vtm_vt_free(vt);

	vt = client_at("http", s.port, "wrong-key", NULL, 5000);
	look_up(vt, VTM_LOOKUP_FILE, UNKNOWN, &r);
	is_str(vtm_answer_name(r.answer), "denied", "a wrong key");
	is_str(r.why, "HTTP 401 WrongCredentialsError", "and why, without it");
	ok(r.hourly.allowed == -1 && r.daily.allowed == -1 && r.monthly.allowed == -1, "no quotas were told");
	vtm_result_clear(&r);
	vtm_vt_free(vt);
	ok(server_stop(&s), "the stand-in ends");
}

/* ---- submissions ---- */

static void submissions(void)
{
	static const char *const options[] = { "--key", KEY, "--per-minute", "0", "--polls", "2", NULL };
	static const char url[] = "http://new.example/a?b=c&d=%26+e#";
	static const char *const polls[] = { "analysing", "analysing", "report" };
	struct server s;
	struct vtm_result r;
	struct vtm_vt *vt;
	char *id;

	if (!ok(server_start(&s, options), "the stand-in starts"))
		return;
	vt = client(&s);
	look_up(vt, VTM_LOOKUP_URL, url, &r);
	is_str(vtm_answer_name(r.answer), "not-found", "a new url");
	vtm_result_clear(&r);
	ask(vt, VTM_OP_SUBMIT_URL, VTM_LOOKUP_URL, url, NULL, &r);
	is_str(vtm_answer_name(r.answer), "submitted", "submitted");
	id = g_strdup(r.analysis);
	ok(id && g_str_has_prefix(id, "u-"), "its analysis has an id");
	vtm_result_clear(&r);
	for (size_t i = 0; i < G_N_ELEMENTS(polls); i++) {
		ask(vt, VTM_OP_ANALYSIS, VTM_LOOKUP_URL, i ? url : NULL, id, &r);
		is_str(vtm_answer_name(r.answer), polls[i], "poll %zu (%s)", i + 1, r.why ? r.why : "");
		is_int(r.report.engines, i < 2 ? 0 : 95, "its engines");
		vtm_result_clear(&r);
	}
	ask(vt, VTM_OP_ANALYSIS, VTM_LOOKUP_URL, "http://other.example/", id, &r);
	is_str(vtm_answer_name(r.answer), "failed", "an analysis of another url");
	vtm_result_clear(&r);
	look_up(vt, VTM_LOOKUP_URL, url, &r);
	ok(r.answer == VTM_ANSWER_REPORT && r.report.harmless == 66, "now it is known");
	vtm_result_clear(&r);
	ask(vt, VTM_OP_ANALYSIS, 0, NULL, "YTA5NWI=:/?#== x", &r);
	is_str(vtm_answer_name(r.answer), "not-found", "an analysis that nobody knows, its id escaped");
	vtm_result_clear(&r);
	g_free(id);
	vtm_vt_free(vt);
	ok(server_stop(&s), "the stand-in ends");
}

/* ---- faults ---- */

/* Each with every kind of question, of an item the stand-in knows as clean. */
static const struct fault {
	const char *fault;
	const char *answer;		/* NULL: as without the fault */
	long status;
	int64_t retry_after_ms;
} faults[] = {
	{ "delay=200", NULL, 200, -1 },
	{ "gzip", NULL, 200, -1 },
	{ "chunked", NULL, 200, -1 },
	{ "no-date", NULL, 200, -1 },
	{ "close", "failed", 0, -1 },
	{ "cut", "failed", 200, -1 },
	{ "cut chunked", "failed", 200, -1 },
	{ "truncated", "failed", 200, -1 },
	{ "garbage", "failed", 200, -1 },
	{ "empty", "failed", 200, -1 },
	{ "html", "failed", 200, -1 },
	{ "gzip-bad", "failed", 200, -1 },
	{ "huge", "failed", 200, -1 },
	{ "huge=4194305", "failed", 200, -1 },
	{ "bomb=8000000", "failed", 200, -1 },
	{ "redirect", "failed", 302, -1 },
	{ "status=204 empty", "failed", 204, -1 },
	{ "status=301 redirect", "failed", 302, -1 },
	{ "status=400", "rejected", 400, -1 },
	{ "status=400 html", "failed", 400, -1 },
	{ "status=401", "denied", 401, -1 },
	{ "status=401 html", "denied", 401, -1 },
	{ "status=401 cut", "denied", 401, -1 },
	{ "status=403", "denied", 403, -1 },
	{ "status=403 retry-after=9", "denied", 403, 9000 },
	{ "status=404 html", "failed", 404, -1 },
	{ "status=404 empty", "failed", 404, -1 },
	{ "status=407", "failed", 407, -1 },
	{ "status=408", "failed", 408, -1 },
	{ "status=409", "rejected", 409, -1 },
	{ "status=413 html", "failed", 413, -1 },
	{ "status=424", "failed", 424, -1 },
	{ "status=429", "quota", 429, -1 },
	{ "status=429 retry-after=120", "quota", 429, 120000 },
	{ "status=429 html", "quota", 429, -1 },
	{ "status=429 cut", "quota", 429, -1 },
	{ "status=500", "failed", 500, -1 },
	{ "status=500 html", "failed", 500, -1 },
	{ "status=502 empty", "failed", 502, -1 },
	{ "status=503", "failed", 503, -1 },
	{ "status=503 retry-after=30", "failed", 503, 30000 },
	{ "status=504", "failed", 504, -1 },
};

/* Only the client's patience ends these. */
static const struct fault lasting[] = {
	{ "stall", "failed", 0, -1 },
	{ "delay=5000", "failed", 0, -1 },
	{ "drip=100", "failed", 200, -1 },
	{ "status=429 stall", "failed", 0, -1 },
};

static const struct question {
	const char *what;
	enum vtm_op op;
	enum vtm_lookup_kind kind;
	const char *subject;
	const char *answer;	/* without a fault */
} asked[] = {
	{ "file", VTM_OP_LOOKUP, VTM_LOOKUP_FILE, CLEAN, "report" },
	{ "url", VTM_OP_LOOKUP, VTM_LOOKUP_URL, "http://example.com/", "report" },
	{ "host", VTM_OP_LOOKUP, VTM_LOOKUP_HOST, "clean.example", "report" },
	{ "submission", VTM_OP_SUBMIT_URL, VTM_LOOKUP_URL, "http://example.com/", "submitted" },
	{ "analysis", VTM_OP_ANALYSIS, VTM_LOOKUP_URL, "http://example.com/", "report" },
	{ "quotas", VTM_OP_QUOTAS, 0, NULL, "quotas" },
};

static void check_played(const struct fault *f, const struct question *q, const struct vtm_result *r)
{
	const char *want = f->answer ? f->answer : q->answer;

	is_str(vtm_answer_name(r->answer), want, "%s, %s (%s)", f->fault, q->what, r->why ? r->why : "");
	is_int(r->status, f->status, "%s, %s: status", f->fault, q->what);
	is_int(r->retry_after_ms, f->retry_after_ms, "%s, %s: Retry-After", f->fault, q->what);
	if (f->answer)
		ok(r->why && *r->why && !strchr(r->why, '\n') && !strstr(r->why, KEY) && !r->report.engines &&
		   !r->analysis, "%s, %s: why, and nothing else", f->fault, q->what);
}

/* All kinds of question at a time under one fault. */
static void play(struct vtm_vt *vt, const struct fault *f, const char *analysis)
{
	struct vtm_result r;
	unsigned n = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(asked); i++) {
		struct vtm_lookup *l = asked[i].subject ? vtm_lookup_new(asked[i].kind, asked[i].subject) : NULL;

		vtm_vt_start(vt, asked[i].op, l, analysis, (void *)(uintptr_t)&asked[i], NULL);
		vtm_lookup_free(l);
	}
	while (vtm_vt_in_flight(vt) && wait_result(vt, &r)) {
		check_played(f, r.tag, &r);
		vtm_result_clear(&r);
		n++;
	}
	is_int(n, G_N_ELEMENTS(asked), "%s: results", f->fault);
}

/* Then one question without the fault, over the same connections. */
static void play_one(const struct server *s, struct vtm_vt *vt, const struct fault *f, const char *analysis)
{
	struct vtm_result r;

	told(s, "fault", f->fault);
	play(vt, f, analysis);
	told(s, "fault", "none");
	look_up(vt, VTM_LOOKUP_FILE, CLEAN, &r);
	is_str(vtm_answer_name(r.answer), "report", "%s: gone without a trace (%s)", f->fault, r.why ? r.why : "");
	vtm_result_clear(&r);
}

static char *completed_analysis(struct vtm_vt *vt)
{
	struct vtm_result r;
	char *id;

	ask(vt, VTM_OP_SUBMIT_URL, VTM_LOOKUP_URL, "http://example.com/", NULL, &r);
	id = g_strdup(r.analysis);
	vtm_result_clear(&r);
	return id;
}

/* The same thing asked, another thing answered. */
static void other_items(const struct server *s, struct vtm_vt *vt, const char *analysis)
{
	struct vtm_result r;

	told(s, "fault", "wrong-id");
	for (size_t i = 0; i < G_N_ELEMENTS(asked); i++) {
		if (asked[i].op == VTM_OP_SUBMIT_URL || asked[i].op == VTM_OP_QUOTAS)
			continue;
		ask(vt, asked[i].op, asked[i].kind, asked[i].subject, analysis, &r);
		is_str(vtm_answer_name(r.answer), "failed", "wrong-id, %s (%s)", asked[i].what, r.why ? r.why : "");
		vtm_result_clear(&r);
	}
	told(s, "fault", "none");
	told(s, "fault", "wrong-url");
	look_up(vt, VTM_LOOKUP_URL, "http://example.com/", &r);
	vtm_report_judge(&r.report, 2);
	ok(r.answer == VTM_ANSWER_REPORT && r.report.harmless == 66, "another url of the host");
	is_str(vtm_verdict_name(r.report.verdict), "unknown", "is nothing to call this one clean by");
	vtm_result_clear(&r);
	told(s, "fault", "none");
}

static void play_faults(void)
{
	static const char *const options[] = { "--key", KEY, NO_LIMITS, "--polls", "0", NULL };
	struct server s;
	struct vtm_vt *vt, *hasty;
	char *analysis;

	if (!ok(server_start(&s, options), "the stand-in starts"))
		return;
	told(&s, "add", "file " CLEAN " undetected=60");
	told(&s, "add", "url http://example.com/ harmless=66 undetected=29");
	told(&s, "add", "domain clean.example harmless=90");
	vt = client_at("http", s.port, KEY, NULL, WAIT_MS);
	hasty = client_at("http", s.port, KEY, NULL, 1500);
	analysis = completed_analysis(vt);
	told(&s, "reset", NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(faults); i++)
		play_one(&s, vt, &faults[i], analysis);
	for (size_t i = 0; i < G_N_ELEMENTS(lasting); i++)
		play_one(&s, hasty, &lasting[i], analysis);
	is_int(counter(&s, "all"), (G_N_ELEMENTS(faults) + G_N_ELEMENTS(lasting)) * (G_N_ELEMENTS(asked) + 1),
	       "every question was sent once");
	other_items(&s, vt, analysis);
	g_free(analysis);
	vtm_vt_free(hasty);
	vtm_vt_free(vt);
	ok(server_stop(&s), "the stand-in ends");
}

/* ---- many at a time ---- */

static void many(void)
{
	static const char *const options[] = { "--key", KEY, NO_LIMITS, NULL };
	struct vtm_lookup *l = vtm_lookup_new(VTM_LOOKUP_FILE, UNKNOWN);
	bool seen[100] = { false };
	struct vtm_result r;
	struct server s;
	struct vtm_vt *vt;
	int n = 0;

	if (!ok(server_start(&s, options), "the stand-in starts"))
		return;
	vt = client(&s);
	for (size_t i = 0; i < G_N_ELEMENTS(seen); i++)
		vtm_vt_start(vt, VTM_OP_LOOKUP, l, NULL, &seen[i], NULL);
	is_int(vtm_vt_in_flight(vt), 100, "100 in flight");
	while (wait_result(vt, &r)) {
		bool *place = r.tag;

		n += r.answer == VTM_ANSWER_NOT_FOUND && !*place;
		*place = true;
		vtm_result_clear(&r);
		if (!vtm_vt_in_flight(vt))
			break;
	}
	is_int(n, 100, "each has one result of its own");
	ok(!vtm_vt_result(vt, &r), "and no more");
	told(&s, "delay", "3000");
	for (size_t i = 0; i < G_N_ELEMENTS(seen); i++)
		vtm_vt_start(vt, VTM_OP_LOOKUP, l, NULL, &seen[i], NULL);
	vtm_vt_poll(vt, 50);
	vtm_vt_free(vt);
	vtm_lookup_free(l);
	ok(server_stop(&s), "dropped in flight; the stand-in ends");
}

/* ---- TLS ---- */

static bool run(const char *line)
{
	char *out = NULL, *err = NULL;
	int status = -1;
	bool good = g_spawn_command_line_sync(line, &out, &err, &status, NULL) && status == 0;

	g_free(out);
	g_free(err);
	return good;
}

/* DIR/NAME.pem and .key, for <names> (of openssl's subjectAltName), signed by itself. */
static bool certificate(const char *name, const char *names, int days)
{
	char *line = g_strdup_printf("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
				     "-days %d -subj /CN=test -addext subjectAltName=%s -keyout %s/%s.key "
				     "-out %s/%s.pem", days, names, dir, name, dir, name);
	bool good = run(line);

	g_free(line);
	return good;
}

static void tls_case(const char *what, const char *served, const char *trusted, const char *want)
{
	char *cert = g_strdup_printf("%s/%s.pem", dir, served), *key = g_strdup_printf("%s/%s.key", dir, served);
	char *ca = trusted ? g_strdup_printf("%s/%s.pem", dir, trusted) : NULL;
	const char *const options[] = { "--key", KEY, "--tls-cert", cert, "--tls-key", key, NULL };
	struct server s;
	struct vtm_result r;
	struct vtm_vt *vt;

	if (ok(server_start(&s, options), "%s: the stand-in starts", what)) {
		vt = client_at("https", s.port, KEY, ca, 5000);
		look_up(vt, VTM_LOOKUP_FILE, UNKNOWN, &r);
		is_str(vtm_answer_name(r.answer), want, "%s (%s)", what, r.why ? r.why : "");
		vtm_result_clear(&r);
		vtm_vt_free(vt);
		ok(server_stop(&s), "%s: the stand-in ends", what);
	}
	g_free(cert);
	g_free(key);
	g_free(ca);
}

static void tls(void)
{
	static const char *const options[] = { "--key", KEY, NULL };
	struct server s;
	struct vtm_result r;
	struct vtm_vt *vt;
	GError *error = NULL;
	char *lib;

	if (!certificate("good", "IP:127.0.0.1", 30) || !certificate("named", "DNS:www.virustotal.com", 30)) {
		skip("openssl cannot make certificates", "TLS");
		return;
	}
	tls_case("a good certificate", "good", "good", "not-found");
	tls_case("of an authority that nobody knows", "good", NULL, "failed");
	tls_case("of another authority", "good", "named", "failed");
	tls_case("for another name", "named", "named", "failed");
	lib = g_build_filename(g_getenv("builddir") ? g_getenv("builddir") : ".", "t/standin/libtimewarp.so", NULL);
	if (g_file_test(lib, G_FILE_TEST_EXISTS)) {	/* made three days ago for a day */
		char *file = g_build_filename(dir, "ago", NULL);
		const int64_t ago = INT64_C(-3) * 24 * 3600 * 1000;

		g_file_set_contents(file, (const char *)&ago, sizeof(ago), &error);
		g_setenv("VTM_TIMEWARP", file, TRUE);
		g_setenv("LD_PRELOAD", lib, TRUE);
		certificate("old", "IP:127.0.0.1", 1);
		g_unsetenv("LD_PRELOAD");
		g_unsetenv("VTM_TIMEWARP");
		tls_case("expired", "old", "old", "failed");
		g_free(file);
	} else {
		skip("t/standin/libtimewarp.so is not built", "an expired certificate");
	}
	g_free(lib);
	if (ok(server_start(&s, options), "plain: the stand-in starts")) {
		vt = client_at("https", s.port, KEY, NULL, 2000);
		look_up(vt, VTM_LOOKUP_FILE, UNKNOWN, &r);
		is_str(vtm_answer_name(r.answer), "failed", "no TLS at all (%s)", r.why);
		vtm_result_clear(&r);
		vtm_vt_free(vt);
		ok(server_stop(&s), "plain: the stand-in ends");
	}
}

/* ---- what is not even sent ---- */

static void settings(void)
{
	static const struct { const char *url, *key; bool good; } cases[] = {
		{ "https://www.virustotal.com/api/v3", "k", true },
		{ "https://www.virustotal.com/api/v3/", "k", true },
		{ "http://www.virustotal.com/api/v3", "k", false },
		{ "https://www.virustotal.com/api/v3", "", false },
		{ "https://www.virustotal.com/api/v3", "with blank", false },
		{ "https://www.virustotal.com/api/v3", "with\r\nX-Header: 1", false },
		{ "https://www.virustotal.com/api/v3", "\xc3\xa4", false },
	};
	struct vtm_vt_settings set = { .user_agent = "a", .connect_timeout_ms = 1, .total_timeout_ms = 1 };
	struct vtm_lookup *file = vtm_lookup_new(VTM_LOOKUP_FILE, UNKNOWN);
	char *longest = g_strnfill(VTM_VT_KEY_MAX, 'k'), *longer = g_strnfill(VTM_VT_KEY_MAX + 1, 'k');
	struct vtm_vt *vt;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		GError *error = NULL;

		set.base_url = cases[i].url;
		set.api_key = cases[i].key;
		vt = vtm_vt_new(&set, &error);
		ok(!vt == !cases[i].good && !error == cases[i].good &&
		   (!error || !*cases[i].key || cases[i].key[1] == '\0' || !strstr(error->message, cases[i].key)),
		   "settings %zu: %s", i, error ? error->message : "taken");
		g_clear_error(&error);
		vtm_vt_free(vt);
	}
	set.base_url = cases[0].url;
	set.api_key = longer;
	ok(!vtm_vt_new(&set, NULL), "a key of %d bytes is refused", VTM_VT_KEY_MAX + 1);
	set.api_key = longest;
	vt = vtm_vt_new(&set, NULL);
	ok(vt != NULL, "one of %d is not", VTM_VT_KEY_MAX);
	ok(vtm_vt_start(vt, VTM_OP_LOOKUP, NULL, NULL, NULL, NULL) < 0, "a look-up of nothing");
	ok(vtm_vt_start(vt, VTM_OP_SUBMIT_URL, file, NULL, NULL, NULL) < 0, "a file is not submitted as a url");
	ok(vtm_vt_start(vt, VTM_OP_ANALYSIS, NULL, NULL, NULL, NULL) < 0, "an analysis without an id");
	ok(vtm_vt_start(vt, VTM_OP_ANALYSIS, NULL, "", NULL, NULL) < 0, "or with an empty one");
	is_int(vtm_vt_in_flight(vt), 0, "nothing of this is in flight");
	vtm_vt_free(vt);
	vtm_vt_free(NULL);
	vtm_lookup_free(file);
	g_free(longest);
	g_free(longer);
	for (int a = 0; a < VTM_ANSWERS; a++)
		ok(*vtm_answer_name((enum vtm_answer)a), "answer %d is called %s", a,
		   vtm_answer_name((enum vtm_answer)a));
}

static void remove_files(void)
{
	GDir *d = g_dir_open(dir, 0, NULL);
	const char *name;

	while (d && (name = g_dir_read_name(d))) {
		char *path = g_build_filename(dir, name, NULL);

		unlink(path);
		g_free(path);
	}
	if (d)
		g_dir_close(d);
	rmdir(dir);
}

int main(void)
{

	dir = g_dir_make_tmp("vtm-test-vt-XXXXXX", NULL);
	if (!server_built())
		skip_all("t/standin/fakevt is not built");
	settings();
	questions();
	quotas();
	submissions();
	play_faults();
	many();
	tls();
	remove_files();
	g_free(dir);
	return done_testing();
}
