/* SPDX-License-Identifier: BSD-2-Clause */
/* fakevt-api.c - the stand-in VirusTotal's API, and the control of it by tests. */
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "fakevt.h"

#define BASE "https://www.virustotal.com/api/v3"
#define DIRECT_MAX (32 * 1024 * 1024)	/* bytes that POST /files takes */

/* ---- the API ---- */

static void set_body(struct fake_answer *a, unsigned status, char *body)
{
	a->status = status;
	a->body = body;
	a->len = strlen(body);
	a->type = "application/json; charset=utf-8";
}

static void not_found(struct fake_answer *a, const char *what, const char *id)
{
	set_body(a, 404, fake_body_error("NotFoundError", "%s \"%s\" not found", what, id));
}

static void invalid(struct fake_answer *a, const char *text, const char *id)
{
	set_body(a, 400, fake_body_error("InvalidArgumentError", "%s \"%s\" is not valid", text, id));
}

static void give_report(struct fake_answer *a, const char *type, const char *what, const char *id)
{
	const struct fake_row *row = fake_table_find(fake.table, type, id);

	if (!row) {
		not_found(a, what, id);
		return;
	}
	a->id = g_strdup(row->id);
	a->url = g_strdup(row->url);
	set_body(a, 200, fake_body_report(row, BASE));
}

static void get_file(struct fake_answer *a, const char *id)
{
	size_t len = strlen(id);
	char *lower = g_ascii_strdown(id, -1);

	if (strspn(lower, G_CSET_DIGITS "abcdef") != len || (len != 32 && len != 40 && len != 64))
		invalid(a, "File", id);
	else
		give_report(a, "file", "File", lower);
	g_free(lower);
}

static void get_url(struct fake_answer *a, const char *id)
{
	char *hex = fake_url_id(id);

	if (hex)
		give_report(a, "url", "URL", hex);
	else
		invalid(a, "URL id", id);
	g_free(hex);
}

static void get_domain(struct fake_answer *a, const char *id)
{
	char *lower = g_ascii_strdown(id, -1);

	if (!strchr(id, '.') || strspn(lower, G_CSET_DIGITS G_CSET_a_2_z "-._") != strlen(lower))
		invalid(a, "Domain", id);
	else
		give_report(a, "domain", "Domain", lower);
	g_free(lower);
}

static void get_ip(struct fake_answer *a, const char *id)
{
	if (g_hostname_is_ip_address(id))
		give_report(a, "ip_address", "IP address", id);
	else
		invalid(a, "IP address", id);
}

static void get_analysis(struct fake_answer *a, const char *id)
{
	const struct fake_analysis *analysis = fake_table_poll(fake.table, id);

	if (!analysis) {
		not_found(a, "Analysis", id);
		return;
	}
	a->id = g_strdup(analysis->id);
	set_body(a, 200, fake_body_analysis(analysis, BASE));
}

static char *form_url(const char *form)
{
	char **fields = g_strsplit(form, "&", -1), *url = NULL;

	for (char **f = fields; *f && !url; f++)
		if (g_str_has_prefix(*f, "url="))
			url = g_uri_unescape_string(g_strdelimit(*f + 4, "+", ' '), NULL);
	g_strfreev(fields);
	return url;
}

static void post_url(struct fake_answer *a, const char *form)
{
	char *url = form_url(form);
	const struct fake_analysis *analysis;

	if (!url || !*url) {
		invalid(a, "URL", "");
	} else {
		analysis = fake_table_submit(fake.table, "url", url, (unsigned)fake.polls, fake_utc_ms() / 1000);
		a->id = g_strdup(analysis->id);
		set_body(a, 200, fake_body_submitted(analysis, BASE));
	}
	g_free(url);
}

/* The content of the first part of multipart/form-data, if its name is "file". */
static const char *part_of(const GString *body, size_t *len_r)
{
	const char *eol = memmem(body->str, body->len, "\r\n", 2), *start, *end;
	char *boundary;

	start = memmem(body->str, body->len, "\r\n\r\n", 4);
	if (!eol || !start || !g_strstr_len(body->str, start - body->str, "name=\"file\"") ||
	    !g_strstr_len(body->str, start - body->str, "filename=\""))
		return NULL;
	start += 4;
	boundary = g_strdup_printf("\r\n%.*s", (int)(eol - body->str), body->str);
	end = memmem(start, body->len - (size_t)(start - body->str), boundary, strlen(boundary));
	g_free(boundary);
	*len_r = end ? (size_t)(end - start) : 0;
	return end ? start : NULL;
}

static void post_file(struct fake_answer *a, const GString *body, bool direct)
{
	const struct fake_analysis *analysis;
	size_t len;
	const char *data = part_of(body, &len);
	char *hash;

	if (direct && body->len > DIRECT_MAX) {	/* the front end's word, not the API's */
		set_body(a, 413, g_strdup("<html><title>Error 413 (Request Entity Too Large)</title></html>"));
		a->type = "text/html";
		return;
	}
	if (!data) {
		set_body(a, 400, fake_body_error("BadRequestError", "Missing file"));
		return;
	}
	hash = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)data, len);
	analysis = fake_table_submit(fake.table, "file", hash, (unsigned)fake.polls, fake_utc_ms() / 1000);
	a->id = g_strdup(analysis->id);
	set_body(a, 200, fake_body_submitted(analysis, BASE));
	g_free(hash);
}

static void get_upload_url(struct fake_answer *a)
{
	char *base = fake.upload_base ? g_strdup(fake.upload_base) :
		     g_strdup_printf("http://127.0.0.1:%u/api/v3", fake.port);

	set_body(a, 200, g_strdup_printf("{\"data\": \"%s/files/upload/AMmfu6b-_DXUeFe36Sb3\"}", base));
	g_free(base);
}

static void get_user(struct fake_answer *a, const char *id)
{
	char **parts = g_strsplit(id, "/", 2);

	fake_quota_roll(&fake.quota, fake_utc_ms());
	if (strcmp(parts[0], fake.key))
		set_body(a, 403, fake_body_error("ForbiddenError", "You are not authorized to perform that"));
	else if (!parts[1])
		set_body(a, 200, fake_body_user(&fake.quota, fake.key));
	else if (!strcmp(parts[1], "overall_quotas"))
		set_body(a, 200, fake_body_quotas(&fake.quota));
	else
		not_found(a, "Resource", parts[1]);
	g_strfreev(parts);
}

static const struct route {
	const char *method, *prefix;
	void (*handle)(struct fake_answer *a, const char *rest);
	bool free;
} routes[] = {
	{ "GET", "/files/", get_file, false },
	{ "GET", "/urls/", get_url, false },
	{ "GET", "/domains/", get_domain, false },
	{ "GET", "/ip_addresses/", get_ip, false },
	{ "GET", "/analyses/", get_analysis, false },
	{ "GET", "/users/", get_user, true },
};

static bool authorized(struct fake_answer *a, const char *key)
{
	if (key && !strcmp(key, fake.key))
		return true;
	fake.quota.unauthorized++;
	if (!key)
		set_body(a, 401, fake_body_error("AuthenticationRequiredError", "X-Apikey header is missing"));
	else	/* as the real one does: it repeats the key */
		set_body(a, 401, fake_body_error("WrongCredentialsError", "Wrong API key: %s", key));
	return false;
}

static bool within_quota(struct fake_answer *a)
{
	if (fake_quota_take(&fake.quota, fake_boot_ms(), fake_utc_ms()))
		return true;
	set_body(a, 429, fake_body_error("QuotaExceededError", "Quota exceeded"));
	return false;
}

void fake_answer_api(struct fake_answer *a, const char *key, const char *method, const char *path,
		     const GString *body)
{
	bool post = !strcmp(method, "POST"), direct = !strcmp(path, "/files");

	fake_quota_item(&fake.quota, path);
	if (!authorized(a, key))
		return;
	if (post && !strcmp(path, "/urls")) {
		if (within_quota(a))
			post_url(a, body->str);
		return;
	}
	if (post && (direct || g_str_has_prefix(path, "/files/upload/"))) {
		if (within_quota(a))
			post_file(a, body, direct);
		return;
	}
	if (!post && !strcmp(path, "/files/upload_url")) {
		if (within_quota(a))
			get_upload_url(a);
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(routes); i++) {
		const struct route *r = &routes[i];

		if (strcmp(method, r->method) || !g_str_has_prefix(path, r->prefix))
			continue;
		if (r->free)
			fake.quota.free++;
		if (r->free || within_quota(a))
			r->handle(a, path + strlen(r->prefix));
		return;
	}
	not_found(a, "Resource", path);
}

/* ---- control ---- */

static void control_text(struct fake_answer *a, unsigned status, const char *text)
{
	a->status = status;
	a->body = g_strconcat(text, "\n", NULL);
	a->len = strlen(a->body);
	a->type = "text/plain";
}

static bool set_limits(const char *line, GError **error)
{
	const struct { const char *name; unsigned *place; } names[] = {
		{ "per-minute=", &fake.quota.limits.per_minute },
		{ "per-day=", &fake.quota.limits.per_day },
		{ "per-month=", &fake.quota.limits.per_month },
		{ "day-used=", &fake.quota.day_used },
		{ "month-used=", &fake.quota.month_used },
	};
	char **words = g_strsplit(line, " ", -1);
	bool good = true;

	fake_quota_roll(&fake.quota, fake_utc_ms());
	for (char **w = words + 1; *w && good; w++) {
		size_t i = 0;

		while (i < G_N_ELEMENTS(names) && !g_str_has_prefix(*w, names[i].name))
			i++;
		good = i < G_N_ELEMENTS(names);
		if (good)
			*names[i].place = (unsigned)strtoul(*w + strlen(names[i].name), NULL, 10);
	}
	if (!good)
		g_set_error(error, VTM_ERROR, VTM_ERROR_FORMAT, "unknown limit in: %s", line);
	g_strfreev(words);
	return good;
}

static bool set_line(const char *line, GError **error)
{
	if (g_str_has_prefix(line, "limits "))
		return set_limits(line, error);
	if (g_str_has_prefix(line, "polls "))
		fake.polls = atoi(line + 6);
	else if (g_str_has_prefix(line, "upload-base ")) {
		g_free(fake.upload_base);
		fake.upload_base = g_strdup(line + strlen("upload-base "));
	} else if (g_str_has_prefix(line, "utc "))
		fake.utc_shift_ms += g_ascii_strtoll(line + 4, NULL, 10) * 1000 - fake_utc_ms();
	else
		return fake_table_set(fake.table, line, fake_utc_ms() / 1000, error);
	return true;
}

bool fake_set_lines(const char *text, GError **error)
{
	char **lines = g_strsplit(text, "\n", -1);
	bool good = true;

	for (char **l = lines; *l && good; l++)
		good = set_line(g_strstrip(*l), error);
	g_strfreev(lines);
	return good;
}

bool fake_add_fault(const char *text, GError **error)
{
	struct fake_fault *f;

	if (g_str_has_prefix(text, "none")) {
		g_ptr_array_set_size(fake.faults, 0);
		return true;
	}
	f = fake_fault_parse(text, error);
	if (f)
		g_ptr_array_add(fake.faults, f);
	return f != NULL;
}

void fake_answer_control(struct fake_answer *a, const char *method, const char *path, const char *body)
{
	bool post = !strcmp(method, "POST"), good = true;
	GError *error = NULL;

	if (!strcmp(path, "stats")) {
		struct vtm_json *j = fake_quota_json(&fake.quota, fake_boot_ms(), fake_utc_ms());

		set_body(a, 200, vtm_json_line(j));
		vtm_json_free(j);
		return;
	}
	if (!strcmp(path, "counters")) {
		set_body(a, 200, fake_quota_text(&fake.quota, fake_boot_ms(), fake_utc_ms()));
		return;
	}
	if (post && !strcmp(path, "fault"))
		good = fake_add_fault(body, &error);
	else if (post && !strcmp(path, "set"))
		good = fake_set_lines(body, &error);
	else if (post && !strcmp(path, "reset")) {
		g_ptr_array_set_size(fake.faults, 0);
		fake_quota_reset(&fake.quota, g_str_has_prefix(body, "all"));
	} else {
		control_text(a, 404, "no such control");
		return;
	}
	control_text(a, good ? 200 : 400, good ? "ok" : error->message);
	g_clear_error(&error);
}
