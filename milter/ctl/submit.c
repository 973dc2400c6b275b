/* SPDX-License-Identifier: BSD-2-Clause */
/* submit.c - vtmilterctl submit: submits a file or URL to VirusTotal for analysis, in public.
 *
 * Requests are made here one at a time, each on a slot of the store's budget.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/ask.h"
#include "base/error.h"
#include "base/hash.h"
#include "conf/settings.h"
#include "url/url.h"
#include "vt/vt.h"

#define UPLOAD_MS (30 * 60 * 1000)	/* 650 MB in half an hour: 3 Mbit/s */
#define SLOT_MS 60000			/* during an upload a new slot is taken so often that one is always held */
#define POLL_MS 15000			/* the first pause between polls for the analysis; doubles up to */
#define POLL_MAX_MS 120000
#define POLLS_MAX 12			/* about 20 minutes */
#define RETRIES 2			/* of a failed request */
#define LOOK_MS 100

struct submission {
	const struct vtm_ctl *c;
	struct vtm_store *store;
	struct vtm_vt *vt;
	struct vtm_budget_limits limits;
	struct vtm_lookup *lookup;
	const char *word;	/* the argument */
	const char *path;	/* NULL: a URL */
	struct stat hashed;	/* of the file when it was hashed */
	bool bar;
};

static void nap(const struct submission *s, int64_t ms)
{
	int64_t end = vtm_boot_ms(s->c->clock) + ms;

	while (vtm_boot_ms(s->c->clock) < end)
		g_usleep(LOOK_MS * 1000);
}

static void say(const struct submission *s, const char *text)
{
	if (s->bar)
		fprintf(stderr, "\r\033[K%s", text);
}

/* The exit status for an answer. */
static int outcome(const struct submission *s, const struct vtm_result *r)
{
	const char *why = r->why ? r->why : "no reason told";

	switch (r->answer) {
	case VTM_ANSWER_QUOTA:
		vtm_ctl_warn(s->c, "VirusTotal reports that the key's quota is used up; try again later");
		return EX_TEMPFAIL;
	case VTM_ANSWER_DENIED:
		vtm_ctl_warn(s->c, "VirusTotal refuses the key: %s", why);
		return EX_CONFIG;
	case VTM_ANSWER_REJECTED:
		vtm_ctl_warn(s->c, "VirusTotal rejects it: %s", why);
		return VTM_CTL_FOUND;
	case VTM_ANSWER_FAILED:
		vtm_ctl_warn(s->c, "VirusTotal gave no usable answer: %s", why);
		return EX_UNAVAILABLE;
	default:
		return EX_OK;
	}
}

/* ---- the budget ---- */

/* Reads VirusTotal's own count for a store that has lost the budget. */
static int count(const struct submission *s)
{
	struct vtm_result r = { 0 };
	GError *error = NULL;
	int status;

	if (vtm_ctl_ask_quotas(s->c, s->c->conf, &r, &error) < 0)
		return vtm_ctl_fail(s->c, error);
	status = outcome(s, &r);
	if (status == EX_OK &&
	    ((r.server_utc_ms && vtm_store_budget_sync(s->store, r.server_utc_ms, &error) < 0) ||
	     vtm_store_budget_raise(s->store, (uint32_t)CLAMP(r.daily.used, 0, G_MAXUINT32),
				    (uint32_t)CLAMP(r.monthly.used, 0, G_MAXUINT32), &error) < 0))
		status = vtm_ctl_fail(s->c, error);
	vtm_result_clear(&r);
	return status;
}

/* Waits for a slot of the minute.  EX_TEMPFAIL: the day or month is used up. */
static int take_slot(struct submission *s, vtm_slot *slot_r)
{
	GError *error = NULL;
	struct vtm_budget b;

	for (;;) {
		int got = vtm_store_budget_take(s->store, &s->limits, VTM_SPEND_MANUAL, 1, slot_r, &error), status;
		uint32_t left;

		if (got == 1)
			return EX_OK;
		if (g_error_matches(error, VTM_ERROR, VTM_ERROR_BUDGET_LOST)) {
			g_clear_error(&error);
			status = count(s);
			if (status != EX_OK)
				return status;
			continue;
		}
		if (got < 0)
			return vtm_ctl_fail(s->c, error);
		vtm_budget_init(&b);
		if (vtm_store_budget_read(s->store, &b, &error) < 0)
			return vtm_ctl_fail(s->c, error);
		left = vtm_budget_left(&s->limits, VTM_SPEND_MANUAL, b.day_used, b.month_used);
		vtm_budget_clear(&b);
		if (!left) {
			vtm_ctl_warn(s->c, "no requests are left; try again after midnight UTC");
			return EX_TEMPFAIL;
		}
		say(s, "waiting for the minute's budget");
		nap(s, 1000);
	}
}

static void settle(struct submission *s, vtm_slot slot, const struct vtm_result *r)
{
	GError *error = NULL;

	if (vtm_store_budget_settle(s->store, slot, &error) < 0 ||
	    (r->server_utc_ms && vtm_store_budget_sync(s->store, r->server_utc_ms, &error) < 0)) {
		vtm_ctl_warn(s->c, "store: %s", error->message);
		g_error_free(error);
	}
}

/* ---- requests ---- */

static int start(struct submission *s, enum vtm_op op, const char *text, GError **error)
{
	if (op == VTM_OP_UPLOAD)
		return vtm_vt_upload(s->vt, s->lookup, s->path, text, UPLOAD_MS, NULL, error);
	return vtm_vt_start(s->vt, op, s->lookup, text, NULL, error);
}

/* Waits for the result; keeps a slot during a long upload. */
static int await(struct submission *s, vtm_slot *slot, struct vtm_result *r)
{
	int64_t renew = vtm_boot_ms(s->c->clock) + SLOT_MS;
	int status;

	while (!vtm_vt_result(s->vt, r)) {
		vtm_vt_poll(s->vt, LOOK_MS);
		if (vtm_boot_ms(s->c->clock) < renew)
			continue;
		status = take_slot(s, slot);
		if (status != EX_OK)
			return status;
		renew = vtm_boot_ms(s->c->clock) + SLOT_MS;
	}
	return EX_OK;
}

static int once(struct submission *s, enum vtm_op op, const char *text, struct vtm_result *r)
{
	GError *error = NULL;
	vtm_slot slot;
	int status = take_slot(s, &slot);

	if (status != EX_OK)
		return status;
	if (start(s, op, text, &error) < 0)
		return vtm_ctl_fail(s->c, error);
	status = await(s, &slot, r);
	if (status == EX_OK)
		settle(s, slot, r);
	return status;
}

/* One request until it is answered; *r is to be cleared whatever comes.  Submissions are not repeated: what became of
 * one that failed is not known. */
static int request(struct submission *s, enum vtm_op op, const char *text, struct vtm_result *r)
{
	bool again = op == VTM_OP_LOOKUP || op == VTM_OP_ANALYSIS;
	int status;

	for (int tries = 0;; tries++) {
		status = once(s, op, text, r);
		if (status != EX_OK || r->answer != VTM_ANSWER_FAILED || !again || tries == RETRIES)
			break;
		vtm_result_clear(r);
		nap(s, 2000 << tries);
	}
	return status != EX_OK ? status : outcome(s, r);
}

/* ---- what came of it ---- */

/* Stores the verdict and notifies the daemon. */
static int conclude(struct submission *s, struct vtm_report *r, const char *note)
{
	const struct vtm_conf *conf = s->c->conf;
	char *subject = vtm_ctl_safe(s->lookup->subject, 8192), *verdict;
	int64_t ttl;
	GError *error = NULL;

	vtm_report_judge(r, conf->detection_threshold);
	ttl = r->verdict == VTM_BAD   ? conf->ttl_bad_ms :
	      r->verdict == VTM_CLEAN ? conf->ttl_clean_ms :
					conf->ttl_unknown_ms;
	if (vtm_store_verdict_put(s->store, s->lookup, r, vtm_utc_ms(s->c->clock) + ttl, &error) < 0) {
		vtm_ctl_warn(s->c, "store: %s", error->message);
		g_clear_error(&error);
	}
	say(s, "");
	if (vtm_ctl_reread(s->c, s->lookup, &error) < 0) {
		vtm_ctl_warn(s->c, "the journal could not be updated: %s", error->message);
		g_clear_error(&error);
	}
	if (s->c->json) {
		struct vtm_json *j = vtm_json_new();

		vtm_json_text(j, "kind", vtm_lookup_kind_name((enum vtm_lookup_kind)s->lookup->key.kind));
		vtm_json_text(j, "subject", s->lookup->subject);
		vtm_json_bool(j, "submitted", !note);
		vtm_ctl_json_report(j, r);
		vtm_ctl_put_json(j);
	} else {
		verdict = vtm_ctl_verdict(s->c, r->verdict);
		printf("%s %u/%u %s%s%s\n", verdict, r->malicious, r->engines, subject, note ? "; " : "",
		       note ? note : "");
		g_free(verdict);
	}
	g_free(subject);
	return r->verdict == VTM_BAD ? VTM_CTL_FOUND : EX_OK;
}

static int poll_analysis(struct submission *s, const char *analysis)
{
	int64_t pause = POLL_MS;

	for (int polls = 0; polls < POLLS_MAX; polls++) {
		struct vtm_result r = { 0 };
		int status;
		bool done;

		say(s, "submitted; waiting for the analysis");
		nap(s, pause);
		pause = MIN(pause * 2, POLL_MAX_MS);
		status = request(s, VTM_OP_ANALYSIS, analysis, &r);
		done = status != EX_OK || r.answer == VTM_ANSWER_REPORT;
		if (status == EX_OK && r.answer == VTM_ANSWER_REPORT)
			status = conclude(s, &r.report, NULL);
		vtm_result_clear(&r);
		if (done)
			return status;
	}
	vtm_ctl_warn(s->c, "submitted, but not analysed yet; get the result later with: vtmilterctl submit --public '%s'",
		     s->word);
	return EX_TEMPFAIL;
}

/* ---- what is submitted ---- */

static int hash_file(struct submission *s, const char *path, GError **error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), rc = -1;
	struct vtm_sha256 *hash = vtm_sha256_new();
	uint8_t digest[VTM_SHA256_LEN];
	char hex[VTM_SHA256_HEX], *buf = g_malloc(65536);
	struct stat st = { 0 };
	ssize_t n = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		g_set_error(error, VTM_ERROR, VTM_ERROR_FORMAT, "%s: %s", path, g_strerror(errno));
	else if (!S_ISREG(st.st_mode) || !st.st_size || st.st_size > VTM_VT_FILE_MAX)
		g_set_error(error, VTM_ERROR, VTM_ERROR_FORMAT, "%s: not a file of 1 byte to 650 MiB", path);
	else {
		while ((n = read(fd, buf, 65536)) > 0)
			vtm_sha256_add(hash, buf, (size_t)n);
		if (n < 0)
			g_set_error(error, VTM_ERROR, VTM_ERROR_FORMAT, "%s: %s", path, g_strerror(errno));
		rc = (int)n;
	}
	vtm_sha256_end(hash, digest);
	vtm_hex(digest, hex);
	s->path = path;
	s->hashed = st;
	s->lookup = rc ? NULL : vtm_lookup_new(VTM_LOOKUP_FILE, hex);
	vtm_sha256_free(hash);
	g_free(buf);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Has the file changed since it was hashed?  The verdict would be another file's.  Prints that. */
static bool has_changed(const struct submission *s)
{
	struct stat st;
	bool changed = stat(s->path, &st) < 0 || st.st_dev != s->hashed.st_dev || st.st_ino != s->hashed.st_ino ||
		       st.st_size != s->hashed.st_size ||
		       memcmp(&st.st_ctim, &s->hashed.st_ctim, sizeof(st.st_ctim)) != 0;

	if (changed)
		vtm_ctl_warn(s->c, "%s changed while it was read; submit it again when no program writes to it", s->path);
	return changed;
}

/* Looks up whether VirusTotal has the file already.  1: yes, 0: no, -1: error; *status_r is set unless 0. */
static int known(struct submission *s, int *status_r)
{
	struct vtm_result r = { 0 };
	int rc;

	*status_r = request(s, VTM_OP_LOOKUP, NULL, &r);
	rc = *status_r != EX_OK ? -1 : r.answer == VTM_ANSWER_REPORT && r.report.engines;
	if (rc == 1)
		*status_r = conclude(s, &r.report, "VirusTotal has it already; not sent");
	vtm_result_clear(&r);
	return rc;
}

static int submit_file(struct submission *s)
{
	struct vtm_result place = { 0 }, r = { 0 };
	int status;

	if (known(s, &status))
		return status;
	if (s->hashed.st_size > VTM_VT_DIRECT_MAX)
		status = request(s, VTM_OP_UPLOAD_URL, NULL, &place);
	if (status == EX_OK && has_changed(s))
		status = EX_TEMPFAIL;
	if (status == EX_OK) {
		say(s, "sending");
		status = request(s, VTM_OP_UPLOAD, place.upload_url, &r);
	}
	if (status == EX_OK && has_changed(s))
		status = EX_TEMPFAIL;
	if (status == EX_OK)
		status = poll_analysis(s, r.analysis);
	vtm_result_clear(&place);
	vtm_result_clear(&r);
	return status;
}

static int submit_url(struct submission *s)
{
	struct vtm_result r = { 0 };
	int status = request(s, VTM_OP_SUBMIT_URL, NULL, &r);

	if (status == EX_OK)
		status = poll_analysis(s, r.analysis);
	vtm_result_clear(&r);
	return status;
}

/* Submits a URL or a file. */
static int find_subject(struct submission *s, const char *word, GError **error)
{
	struct vtm_url *u = strstr(word, "://") ? vtm_url_parse(word, -1) : NULL;

	if (!u)
		return hash_file(s, word, error);
	s->lookup = vtm_lookup_new(VTM_LOOKUP_URL, u->normal);
	vtm_url_free(u);
	return 0;
}

static int set_up(struct submission *s, GError **error)
{
	struct vtm_vt_settings settings;

	if (!s->c->conf->api_key) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "%s: Enabled is no, so nothing is submitted",
			    s->c->conf->path);
		return -1;
	}
	vtm_settings_budget(s->c->conf, &s->limits);
	vtm_settings_vt(s->c->conf, &settings);
	s->store = vtm_ctl_store(s->c, false, error);
	if (s->store)
		s->vt = vtm_vt_new(&settings, error);
	return s->vt ? 0 : -1;
}

int vtm_ctl_submit(struct vtm_ctl *c, int argc, char **argv)
{
	struct submission s = { .c = c, .bar = isatty(STDERR_FILENO) };
	GError *error = NULL;
	int status;

	if (argc != 1)
		return vtm_ctl_usage(c, "expected a FILE or URL");
	if (!c->public)
		return vtm_ctl_usage(c, "what is submitted becomes public: VirusTotal's customers and partners can read "
				     "and keep it and its name, and it cannot be withdrawn; to do that, use "
				     "--public");
	if (find_subject(&s, argv[0], &error) < 0 || set_up(&s, &error) < 0)
		status = vtm_ctl_fail(c, error);
	else
		status = s.path ? submit_file(&s) : submit_url(&s);
	say(&s, "");
	vtm_vt_free(s.vt);
	vtm_store_close(s.store);
	vtm_lookup_free(s.lookup);
	return status;
}
