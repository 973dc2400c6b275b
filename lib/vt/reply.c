/* SPDX-License-Identifier: BSD-2-Clause */
/* reply.c - VirusTotal's replies to values. */
#include "vt/reply.h"

#include <json-c/json.h>
#include <string.h>

#include "base/json.h"

#define ID_MAX 512
#define URL_MAX 32768

static struct json_object *object(struct json_object *o, const char *name)
{
	return vtm_json_member(o, name, json_type_object);
}

/* Text without NUL of 1..<max> bytes; new string, else NULL. */
static char *text_of(struct json_object *o, const char *name, int max)
{
	struct json_object *m = vtm_json_member(o, name, json_type_string);
	int len = m ? json_object_get_string_len(m) : 0;

	if (len < 1 || len > max || strlen(json_object_get_string(m)) != (size_t)len)
		return NULL;
	return g_strdup(json_object_get_string(m));
}

/* A word of the API (type, code): letters, digits, '_' and '-'; "" for anything else. */
static void word_of(struct json_object *o, const char *name, char *word, size_t size)
{
	char *text = text_of(o, name, (int)size - 1);

	word[0] = '\0';
	if (text && strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-") == strlen(text))
		g_strlcpy(word, text, size);
	g_free(text);
}

/* A count, at most <max>; -1 if it is not a number or below 0. */
static int64_t count_of(struct json_object *number, int64_t max)
{
	if (json_object_is_type(number, json_type_int)) {
		int64_t n = json_object_get_int64(number);

		return n < 0 ? -1 : MIN(n, max);
	}
	if (json_object_is_type(number, json_type_double)) {
		double d = json_object_get_double(number);

		if (!(d >= 0))
			return -1;
		return d >= (double)max ? max : (int64_t)d;
	}
	return -1;
}

static int64_t count_member(struct json_object *o, const char *name, int64_t max, int64_t missing)
{
	struct json_object *m;

	if (!o || !json_object_object_get_ex(o, name, &m))
		return missing;
	return count_of(m, max);
}

/* The numbers of <stats>.  Without "malicious" they say nothing, and one that is no count makes all of them unusable:
 * "malicious": "57" must not read as 0.  Any other missing key is 0. */
static bool read_stats(struct json_object *stats, struct vtm_report *r)
{
	static const char *const names[] = { "malicious", "suspicious", "harmless", "undetected" };
	uint32_t *const places[] = { &r->malicious, &r->suspicious, &r->harmless, &r->undetected };
	int64_t sum = 0;

	if (!json_object_object_get_ex(stats, "malicious", NULL))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		int64_t n = count_member(stats, names[i], UINT32_MAX, 0);

		if (n < 0)
			return false;
		*places[i] = (uint32_t)n;
	}
	json_object_object_foreach(stats, key, val) {
		int64_t n = count_of(val, UINT32_MAX);

		(void)key;	/* all count, in any spelling: type-unsupported, typeUnsupported */
		if (n > 0)
			sum = MIN(sum + n, (int64_t)UINT32_MAX);
	}
	r->engines = (uint32_t)sum;
	return true;
}

static void read_report(struct json_object *attributes, const char *stats_name, const char *date_name,
			struct vtm_vt_reply *r)
{
	struct json_object *stats = object(attributes, stats_name);

	if (!stats)
		return;
	r->has_stats = read_stats(stats, &r->report);
	if (r->has_stats)
		r->report.analysed = MAX(count_member(attributes, date_name, INT64_MAX, 0), 0);
	else
		memset(&r->report, 0, sizeof(r->report));
}

/* Reads the item of an analysis, which is beside "data" in public replies and inside it in private ones. */
static void read_analysed_item(struct json_object *root, struct json_object *data, struct vtm_vt_reply *r)
{
	struct json_object *meta = object(root, "meta"), *info;

	if (!meta)
		meta = object(data, "meta");
	info = object(meta, "url_info");
	if (info) {
		r->item_id = text_of(info, "id", ID_MAX);
		r->url = text_of(info, "url", URL_MAX);
	} else {
		r->item_id = text_of(object(meta, "file_info"), "sha256", ID_MAX);
	}
}

static void read_analysis(struct json_object *root, struct json_object *data, struct vtm_vt_reply *r)
{
	struct json_object *attributes = object(data, "attributes");
	char status[16];

	r->form = VTM_REPLY_ANALYSIS;
	word_of(attributes, "status", status, sizeof(status));
	r->completed = !strcmp(status, "completed");
	read_report(attributes, "stats", "date", r);
	read_analysed_item(root, data, r);
}

/* The tighter of what the user and the group may do. */
static struct vtm_quota read_quota(struct json_object *data, const char *name)
{
	static const char *const owners[] = { "user", "group" };
	struct json_object *both = object(data, name);
	struct vtm_quota tight = { .used = 0, .allowed = -1 };

	for (size_t i = 0; i < G_N_ELEMENTS(owners); i++) {
		struct json_object *q = object(both, owners[i]);
		int64_t allowed = count_member(q, "allowed", INT64_MAX, -1);
		int64_t used = MAX(count_member(q, "used", INT64_MAX, 0), 0);

		if (allowed >= 0 && (tight.allowed < 0 || allowed - used < tight.allowed - tight.used))
			tight = (struct vtm_quota){ .used = used, .allowed = allowed };
	}
	return tight;
}

static bool read_quotas(struct json_object *data, struct vtm_vt_reply *r)
{
	if (!object(data, "api_requests_daily") && !object(data, "api_requests_monthly") &&
	    !object(data, "api_requests_hourly"))
		return false;
	r->form = VTM_REPLY_QUOTAS;
	r->hourly = read_quota(data, "api_requests_hourly");
	r->daily = read_quota(data, "api_requests_daily");
	r->monthly = read_quota(data, "api_requests_monthly");
	return true;
}

static void read_data(struct json_object *root, struct json_object *data, struct vtm_vt_reply *r)
{
	struct json_object *number = vtm_json_member(data, "id", json_type_int);

	word_of(data, "type", r->type, sizeof(r->type));
	if (number)	/* seen in 2019 */
		r->id = g_strdup_printf("%" G_GINT64_FORMAT, json_object_get_int64(number));
	else
		r->id = text_of(data, "id", ID_MAX);
	if (r->type[0] && r->id) {
		if (!strcmp(r->type, "analysis")) {
			read_analysis(root, data, r);
			return;
		}
		r->form = VTM_REPLY_OBJECT;
		r->url = text_of(object(data, "attributes"), "url", URL_MAX);
		read_report(object(data, "attributes"), "last_analysis_stats", "last_analysis_date", r);
		r->completed = r->has_stats;
	} else if (!read_quotas(data, r)) {
		r->form = VTM_REPLY_OTHER;
	}
}

void vtm_vt_reply_read(const char *text, size_t len, struct vtm_vt_reply *r)
{
	struct json_object *root = vtm_json_parse(text, len), *data, *error = object(root, "error");

	memset(r, 0, sizeof(*r));
	r->hourly.allowed = r->daily.allowed = r->monthly.allowed = -1;
	if (error) {
		r->form = VTM_REPLY_ERROR;
		word_of(error, "code", r->code, sizeof(r->code));
	} else if (json_object_is_type(root, json_type_object) && json_object_object_get_ex(root, "data", &data)) {
		if (json_object_is_type(data, json_type_object))
			read_data(root, data, r);
		else
			r->form = VTM_REPLY_OTHER;
		r->text = text_of(root, "data", URL_MAX);
	}
	json_object_put(root);
}

void vtm_vt_reply_clear(struct vtm_vt_reply *r)
{
	g_free(r->id);
	g_free(r->item_id);
	g_free(r->url);
	g_free(r->text);
	memset(r, 0, sizeof(*r));
}
