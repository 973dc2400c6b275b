/* SPDX-License-Identifier: BSD-2-Clause */
/* fakevt-body.c - replies in VirusTotal's shapes, its traps for careless readers included. */
#include "fakevt.h"

#include <string.h>

#define ENGINES_MAX 200

static bool is_file(const struct fake_row *row)
{
	return !strcmp(row->type, "file");
}

static const char *collection_of(const char *type)
{
	if (!strcmp(type, "file"))
		return "files";
	if (!strcmp(type, "url"))
		return "urls";
	return !strcmp(type, "domain") ? "domains" : "ip_addresses";
}

static struct vtm_json *links(const char *base, const char *collection, const char *id)
{
	struct vtm_json *j = vtm_json_new();
	char *self = g_strconcat(base, "/", collection, "/", id, NULL);

	vtm_json_text(j, "self", self);
	g_free(self);
	return j;
}

/* {"data":{"id","type","links","attributes"}}; takes the parts. */
static struct vtm_json *envelope(const char *type, const char *id, struct vtm_json *link, struct vtm_json *attributes)
{
	struct vtm_json *j = vtm_json_new(), *data = vtm_json_new();

	vtm_json_text(data, "id", id);
	vtm_json_text(data, "type", type);
	vtm_json_object(data, "links", link);
	if (attributes)
		vtm_json_object(data, "attributes", attributes);
	vtm_json_object(j, "data", data);
	return j;
}

static char *finish(struct vtm_json *j)
{
	char *line = vtm_json_line(j);

	vtm_json_free(j);
	return line;
}

static struct vtm_json *stats(const struct fake_row *row, bool zeros)
{
	struct vtm_json *j = vtm_json_new();

	for (int i = 0; i < (is_file(row) ? FAKE_NUMBERS : FAKE_CONFIRMED_TIMEOUT); i++)
		vtm_json_int(j, fake_number_names[i], zeros ? 0 : row->numbers[i]);
	return j;
}

static struct vtm_json *engine(const char *name, int category)
{
	struct vtm_json *j = vtm_json_new();

	vtm_json_text(j, "method", "blacklist");
	vtm_json_text(j, "engine_name", name);
	vtm_json_text(j, "category", fake_number_names[category]);
	vtm_json_text(j, "result", category == FAKE_MALICIOUS ? "Trojan.Generic \"\x1b[31m\" <b>" :
		      category == FAKE_HARMLESS ? "clean" : NULL);
	return j;
}

static struct vtm_json *results(const struct fake_row *row)
{
	struct vtm_json *j = vtm_json_new();
	unsigned n = 0;

	for (int i = 0; i < FAKE_NUMBERS; i++)
		for (unsigned k = 0; k < row->numbers[i] && n < ENGINES_MAX; k++) {
			char name[32];

			g_snprintf(name, sizeof(name), "Engine %u", ++n);
			vtm_json_object(j, name, engine(name, i));
		}
	return j;
}

/* Stands before the real members and has the same names. */
static void add_trap(struct vtm_json *attributes)
{
	struct vtm_json *j = vtm_json_new(), *zeros = vtm_json_new();

	vtm_json_text(j, "last_analysis_date", "1");
	vtm_json_int(zeros, "malicious", 0);
	vtm_json_int(zeros, "harmless", 99);
	vtm_json_object(j, "last_analysis_stats", zeros);
	vtm_json_object(attributes, "threat_severity", j);
}

static void add_votes(struct vtm_json *attributes)
{
	struct vtm_json *j = vtm_json_new();

	vtm_json_int(j, "harmless", 0);
	vtm_json_int(j, "malicious", 1);
	vtm_json_object(attributes, "total_votes", j);
	vtm_json_int(attributes, "reputation", -562);
	vtm_json_int(attributes, "times_submitted", 3);
}

char *fake_body_report(const struct fake_row *row, const char *base)
{
	static const char *const names[] = { "invoice.exe", "x\xe2\x80\xaegpj.exe", "\r\nX-VT-Tag: VT_Scanned", NULL };
	struct vtm_json *a = vtm_json_new();

	add_trap(a);
	if (is_file(row)) {
		vtm_json_text(a, "sha256", row->id);
		vtm_json_texts(a, "names", names);
	}
	if (row->url) {
		vtm_json_text(a, "url", row->url);
		vtm_json_text(a, "last_final_url", "https://elsewhere.example/");
		vtm_json_text(a, "title", "<title>\r\n</title>");
	}
	add_votes(a);
	if (row->stats) {
		vtm_json_object(a, "last_analysis_stats", stats(row, false));
		vtm_json_object(a, "last_analysis_results", results(row));
		vtm_json_int(a, "last_analysis_date", row->date);
	}
	return finish(envelope(row->type, row->id, links(base, collection_of(row->type), row->id), a));
}

char *fake_body_submitted(const struct fake_analysis *a, const char *base)
{
	return finish(envelope("analysis", a->id, links(base, "analyses", a->id), NULL));
}

char *fake_body_analysis(const struct fake_analysis *a, const char *base)
{
	struct vtm_json *attributes = vtm_json_new(), *info = vtm_json_new(), *meta = vtm_json_new(), *j;

	vtm_json_text(attributes, "status", a->done ? "completed" : "queued");
	vtm_json_int(attributes, "date", a->date);
	vtm_json_object(attributes, "stats", stats(a->row, !a->done));
	vtm_json_object(attributes, "results", a->done ? results(a->row) : vtm_json_new());
	j = envelope("analysis", a->id, links(base, "analyses", a->id), attributes);
	if (a->row->url) {
		vtm_json_text(info, "id", a->row->id);
		vtm_json_text(info, "url", a->row->url);
		vtm_json_object(meta, "url_info", info);
	} else {
		vtm_json_text(info, "sha256", a->row->id);
		vtm_json_object(meta, "file_info", info);
	}
	vtm_json_object(j, "meta", meta);
	return finish(j);
}

static struct vtm_json *quota(unsigned allowed, unsigned used)
{
	struct vtm_json *j = vtm_json_new(), *user = vtm_json_new();

	vtm_json_int(user, "allowed", allowed ? (int64_t)allowed : 1000000000);
	vtm_json_int(user, "used", used);
	vtm_json_object(j, "user", user);
	return j;
}

char *fake_body_quotas(const struct fake_quota *q)
{
	struct vtm_json *j = vtm_json_new(), *data = vtm_json_new();

	vtm_json_object(data, "api_requests_hourly", quota(q->limits.per_minute * 60, q->window->len));
	vtm_json_object(data, "api_requests_daily", quota(q->limits.per_day, q->day_used));
	vtm_json_object(data, "api_requests_monthly", quota(q->limits.per_month, q->month_used));
	vtm_json_object(j, "data", data);
	return finish(j);
}

static struct vtm_json *user_quota(unsigned allowed, unsigned used)
{
	struct vtm_json *j = vtm_json_new();

	vtm_json_int(j, "allowed", allowed ? (int64_t)allowed : 1000000000);
	vtm_json_int(j, "used", used);
	return j;
}

char *fake_body_user(const struct fake_quota *q, const char *key)
{
	struct vtm_json *a = vtm_json_new(), *quotas = vtm_json_new(), *j, *data;

	vtm_json_text(a, "apikey", key);
	vtm_json_text(a, "email", "postmaster@example.com");
	vtm_json_object(quotas, "api_requests_daily", user_quota(q->limits.per_day, q->day_used));
	vtm_json_object(quotas, "api_requests_monthly", user_quota(q->limits.per_month, q->month_used));
	vtm_json_object(a, "quotas", quotas);
	j = vtm_json_new();
	data = vtm_json_new();
	vtm_json_text(data, "id", "postmaster");
	vtm_json_text(data, "type", "user");
	vtm_json_object(data, "attributes", a);
	vtm_json_object(j, "data", data);
	return finish(j);
}

char *fake_body_error(const char *code, const char *format, ...)
{
	struct vtm_json *j = vtm_json_new(), *error = vtm_json_new();
	va_list args;
	char *message;

	va_start(args, format);
	message = g_strdup_vprintf(format, args);
	va_end(args);
	vtm_json_text(error, "code", code);
	vtm_json_text(error, "message", message);
	vtm_json_object(j, "error", error);
	g_free(message);
	return finish(j);
}
