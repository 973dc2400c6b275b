/* SPDX-License-Identifier: BSD-2-Clause */
/* print.c - prints for vtmilterctl: texts, JSON, errors. */
#include "ctl/ctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "model/tags.h"
#include "url/host.h"

#define SUBJECT_MAX 200
#define LABEL_WIDTH 18

#define RED "\033[1;31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define PLAIN "\033[m"

/* ---- errors ---- */

static G_GNUC_PRINTF(2, 0) void say(const struct vtm_ctl *c, const char *format, va_list args)
{
	char *text = g_strdup_vprintf(format, args), *safe = vtm_log_escape(text, -1, 4000);

	fflush(stdout);
	fprintf(stderr, "vtmilterctl%s%s: %s\n", c->command ? " " : "", c->command ? c->command : "", safe);
	g_free(safe);
	g_free(text);
}

void vtm_ctl_warn(const struct vtm_ctl *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(c, format, args);
	va_end(args);
}

int vtm_ctl_usage(const struct vtm_ctl *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(c, format, args);
	va_end(args);
	fputs("Try 'vtmilterctl --help'.\n", stderr);
	return EX_USAGE;
}

static int status_of(const GError *error)
{
	if (error->domain != VTM_ERROR)
		return EX_UNAVAILABLE;
	switch ((enum vtm_error)error->code) {
	case VTM_ERROR_CONFIG:
	case VTM_ERROR_NOT_BUILT:
		return EX_CONFIG;
	case VTM_ERROR_BUSY:
		return EX_TEMPFAIL;
	case VTM_ERROR_FORMAT:
		return EX_USAGE;
	default:	/* stores may add codes */
		return EX_UNAVAILABLE;
	}
}

int vtm_ctl_fail(const struct vtm_ctl *c, GError *error)
{
	int status = status_of(error);

	vtm_ctl_warn(c, "%s", error->message);
	g_error_free(error);
	return status;
}

/* ---- plain values ---- */

char *vtm_ctl_safe(const char *text, gsize max)
{
	return text ? vtm_log_escape(text, -1, max) : g_strdup("-");
}

static char *format_time(int64_t utc_ms, const char *format)
{
	GDateTime *when = g_date_time_new_from_unix_utc(utc_ms / 1000);
	char *text = when ? g_date_time_format(when, format) : NULL;

	if (when)
		g_date_time_unref(when);
	return text;
}

char *vtm_ctl_time(int64_t utc_ms)
{
	char *text = utc_ms ? format_time(utc_ms, "%Y-%m-%d %H:%M:%SZ") : NULL;

	return text ? text : g_strdup("-");
}

char *vtm_ctl_time_json(int64_t utc_ms)
{
	return utc_ms ? format_time(utc_ms, "%Y-%m-%dT%H:%M:%SZ") : NULL;
}

char *vtm_ctl_span(int64_t ms)
{
	int64_t s = MAX(ms, 0) / 1000;

	if (s < 120)
		return g_strdup_printf("%" G_GINT64_FORMAT "s", s);
	if (s < 7200)
		return g_strdup_printf("%" G_GINT64_FORMAT "m %" G_GINT64_FORMAT "s", s / 60, s % 60);
	if (s < 172800)
		return g_strdup_printf("%" G_GINT64_FORMAT "h %" G_GINT64_FORMAT "m", s / 3600, s / 60 % 60);
	return g_strdup_printf("%" G_GINT64_FORMAT "d %" G_GINT64_FORMAT "h", s / 86400, s / 3600 % 24);
}

void vtm_ctl_put_json(struct vtm_json *j)
{
	char *line = vtm_json_line(j);

	puts(line);
	g_free(line);
	vtm_json_free(j);
}

void vtm_ctl_put(const char *name, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	printf("%s:%*s%s\n", name, MAX(1, LABEL_WIDTH - (int)strlen(name) - 1), "", text);
	g_free(text);
}

/* ---- verdicts ---- */

static const char *color_of(enum vtm_verdict v)
{
	switch (v) {
	case VTM_BAD:
		return RED;
	case VTM_CLEAN:
		return GREEN;
	case VTM_UNKNOWN:
	case VTM_PENDING:
	case VTM_BYPASSED:
		return YELLOW;
	case VTM_IGNORED:
		break;
	}
	return "";
}

char *vtm_ctl_verdict(const struct vtm_ctl *c, enum vtm_verdict v)
{
	const char *color = c->color ? color_of(v) : "";

	return g_strdup_printf("%s%-8s%s", color, vtm_verdict_name(v), *color ? PLAIN : "");
}

char *vtm_ctl_tags(const struct vtm_ctl *c, uint32_t tags)
{
	char *text = vtm_tags_text(tags), *colored;

	if (!c->color || !(tags & VTM_TAG_BIT(VTM_TAG_BAD)))
		return text;
	colored = g_strconcat(RED, text, PLAIN, NULL);
	g_free(text);
	return colored;
}

void vtm_ctl_json_tags(struct vtm_json *j, const char *name, uint32_t tags)
{
	const char *names[VTM_TAGS + 1] = { NULL };
	unsigned n = 0;

	for (int t = 0; t < VTM_TAGS; t++)
		if (tags & VTM_TAG_BIT(t))
			names[n++] = vtm_tag_name((enum vtm_tag)t);
	vtm_json_texts(j, name, names);
}

void vtm_ctl_json_report(struct vtm_json *j, const struct vtm_report *r)
{
	char *analysed = vtm_ctl_time_json(r->analysed * 1000);

	vtm_json_text(j, "verdict", vtm_verdict_name(r->verdict));
	vtm_json_text(j, "reason", r->reason == VTM_WHY_NONE ? NULL : vtm_reason_name(r->reason));
	vtm_json_text(j, "match", r->match == VTM_MATCH_HOST ? "host" : "exact");
	vtm_json_int(j, "malicious", r->malicious);
	vtm_json_int(j, "suspicious", r->suspicious);
	vtm_json_int(j, "harmless", r->harmless);
	vtm_json_int(j, "undetected", r->undetected);
	vtm_json_int(j, "engines", r->engines);
	vtm_json_text(j, "analysed", analysed);
	g_free(analysed);
}

void vtm_ctl_put_item(const struct vtm_ctl *c, const struct vtm_item *item, const char *why)
{
	const struct vtm_report *r = &item->report;
	char *verdict = vtm_ctl_verdict(c, r->verdict), *subject = vtm_ctl_safe(item->subject, SUBJECT_MAX);
	char *name = item->name ? vtm_ctl_safe(item->name, SUBJECT_MAX) : NULL;
	char counts[32];

	if (vtm_verdict_is_answer(r->verdict))
		g_snprintf(counts, sizeof(counts), "%u/%u", r->malicious, r->engines);
	else
		g_strlcpy(counts, r->reason == VTM_WHY_NONE ? "" : vtm_reason_name(r->reason), sizeof(counts));
	printf("    %s %-12s %s %s%s%s%s%s\n", verdict, counts, item->kind == VTM_URL ? "url" : "file", subject,
	       name ? " " : "", name ? name : "", why ? "; " : "", why ? why : "");
	g_free(verdict);
	g_free(subject);
	g_free(name);
}

void vtm_ctl_put_used(const char *name, int64_t used, int64_t limit)
{
	if (limit > 0)
		vtm_ctl_put(name, "%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT ", %" G_GINT64_FORMAT " left", used, limit,
			    MAX(limit - used, 0));
	else
		vtm_ctl_put(name, "%" G_GINT64_FORMAT " (no limit)", used);
}

void vtm_ctl_json_identity(struct vtm_json *j, const struct vtm_item *item)
{
	vtm_json_text(j, "kind", vtm_kind_name(item->kind));
	if (item->kind == VTM_ATTACHMENT) {
		vtm_json_text(j, "sha256", item->subject);
		vtm_json_int(j, "size", item->size);
		vtm_json_text(j, "name", item->name);
		vtm_json_text(j, "type", item->type);
	} else {
		/* whoever looks up each "url" of an extract shall not do so with these */
		vtm_json_text(j, item->inside && vtm_host_place(item->host) == VTM_HOST_INSIDE ? "inside_url" : "url",
			      item->subject);
		vtm_json_text(j, "host", item->host);
		vtm_json_text(j, "role", vtm_role_name(item->role));
	}
}

struct vtm_json *vtm_ctl_json_item(const struct vtm_item *item)
{
	struct vtm_json *j = vtm_json_new();

	vtm_ctl_json_identity(j, item);
	vtm_ctl_json_report(j, &item->report);
	return j;
}
