/* SPDX-License-Identifier: BSD-2-Clause */
/* json.c - VirusTotal's replies to values, and JSON lines for programs. */
#include "vt/json.h"

#include <json-c/json.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#define DEPTH_MAX 32		/* levels; seen: 12 */
#define COST_MAX 250000		/* of a tree, in pieces of about 80 bytes; seen: 29,000 */
#define OBJECT_COST 16		/* json-c makes room for 16 members at once, */
#define MEMBER_COST 2		/* then doubles it */
#define ID_MAX 512
#define URL_MAX 32768

/* ---- reading ---- */

/* A tree costs many times its text, so the text is counted before it becomes one. */
static bool affordable(const char *text, size_t len)
{
	size_t cost = 0;

	for (size_t i = 0; i < len; i++)
		switch (text[i]) {
		case '\0':
			return false;
		case ',':
		case '[':
			cost++;
			break;
		case '{':
			cost += OBJECT_COST;
			break;
		case ':':
			cost += MEMBER_COST;
		}
	return len > 0 && len <= INT_MAX && cost <= COST_MAX;
}

/* The tree of exactly one JSON value, NULL if the text is anything else. */
static struct json_object *parse(const char *text, size_t len)
{
	struct json_tokener *t;
	struct json_object *root;

	if (!affordable(text, len))
		return NULL;
	t = json_tokener_new_ex(DEPTH_MAX);
	if (!t)
		return NULL;
	json_tokener_set_flags(t, JSON_TOKENER_STRICT);
	root = json_tokener_parse_ex(t, text, (int)len);
	if (json_tokener_get_error(t) != json_tokener_success || json_tokener_get_parse_end(t) != len) {
		json_object_put(root);
		root = NULL;
	}
	json_tokener_free(t);
	return root;
}

static struct json_object *member(struct json_object *o, const char *name, enum json_type type)
{
	struct json_object *m;

	return json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, name, &m) &&
	       json_object_is_type(m, type) ? m : NULL;
}

static struct json_object *object(struct json_object *o, const char *name)
{
	return member(o, name, json_type_object);
}

/* Text without NUL of 1..<max> bytes; new string, else NULL. */
static char *text_of(struct json_object *o, const char *name, int max)
{
	struct json_object *m = member(o, name, json_type_string);
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

/* A count: -1 if it is no number of at least 0; larger ones are cut to <max>. */
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

/* The numbers of <stats>.  A missing key is 0; one that holds no count makes the whole unusable, for
 * "malicious": "57" must not read as 0. */
static bool read_stats(struct json_object *stats, struct vtm_report *r)
{
	static const char *const names[] = { "malicious", "suspicious", "harmless", "undetected" };
	uint32_t *const places[] = { &r->malicious, &r->suspicious, &r->harmless, &r->undetected };
	int64_t sum = 0;

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
			struct vtm_json_reply *r)
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

/* What an analysis is about: beside data in public replies, inside it in private ones. */
static void read_analysed_item(struct json_object *root, struct json_object *data, struct vtm_json_reply *r)
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

static void read_analysis(struct json_object *root, struct json_object *data, struct vtm_json_reply *r)
{
	struct json_object *attributes = object(data, "attributes");
	char status[16];

	r->form = VTM_JSON_ANALYSIS;
	word_of(attributes, "status", status, sizeof(status));
	r->completed = !strcmp(status, "completed");
	read_report(attributes, "stats", "date", r);
	read_analysed_item(root, data, r);
}

/* The tighter of what the user and the group may do. */
static struct vtm_json_quota read_quota(struct json_object *data, const char *name)
{
	static const char *const owners[] = { "user", "group" };
	struct json_object *both = object(data, name);
	struct vtm_json_quota tight = { .used = 0, .allowed = -1 };

	for (size_t i = 0; i < G_N_ELEMENTS(owners); i++) {
		struct json_object *q = object(both, owners[i]);
		int64_t allowed = count_member(q, "allowed", INT64_MAX, -1);
		int64_t used = MAX(count_member(q, "used", INT64_MAX, 0), 0);

		if (allowed >= 0 && (tight.allowed < 0 || allowed - used < tight.allowed - tight.used))
			tight = (struct vtm_json_quota){ .used = used, .allowed = allowed };
	}
	return tight;
}

static bool read_quotas(struct json_object *data, struct vtm_json_reply *r)
{
	if (!object(data, "api_requests_daily") && !object(data, "api_requests_monthly") &&
	    !object(data, "api_requests_hourly"))
		return false;
	r->form = VTM_JSON_QUOTAS;
	r->hourly = read_quota(data, "api_requests_hourly");
	r->daily = read_quota(data, "api_requests_daily");
	r->monthly = read_quota(data, "api_requests_monthly");
	return true;
}

static void read_data(struct json_object *root, struct json_object *data, struct vtm_json_reply *r)
{
	struct json_object *number = member(data, "id", json_type_int);

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
		r->form = VTM_JSON_OBJECT;
		r->url = text_of(object(data, "attributes"), "url", URL_MAX);
		read_report(object(data, "attributes"), "last_analysis_stats", "last_analysis_date", r);
		r->completed = r->has_stats;
	} else if (!read_quotas(data, r)) {
		r->form = VTM_JSON_OTHER;
	}
}

void vtm_json_read(const char *text, size_t len, struct vtm_json_reply *r)
{
	struct json_object *root = parse(text, len), *data, *error = object(root, "error");

	memset(r, 0, sizeof(*r));
	r->hourly.allowed = r->daily.allowed = r->monthly.allowed = -1;
	if (error) {
		r->form = VTM_JSON_ERROR;
		word_of(error, "code", r->code, sizeof(r->code));
	} else if (json_object_is_type(root, json_type_object) && json_object_object_get_ex(root, "data", &data)) {
		if (json_object_is_type(data, json_type_object))
			read_data(root, data, r);
		else
			r->form = VTM_JSON_OTHER;
		r->text = text_of(root, "data", URL_MAX);
	}
	json_object_put(root);
}

void vtm_json_reply_clear(struct vtm_json_reply *r)
{
	g_free(r->id);
	g_free(r->item_id);
	g_free(r->url);
	g_free(r->text);
	memset(r, 0, sizeof(*r));
}

/* ---- writing ---- */

struct vtm_json {
	struct json_object *object;
};

static void add(struct vtm_json *j, const char *name, struct json_object *value)
{
	json_object_object_add(j->object, name, value);
}

static struct json_object *new_text(const char *text)
{
	char *valid;
	struct json_object *o;

	if (!text)
		return NULL;
	valid = g_utf8_make_valid(text, -1);
	o = json_object_new_string(valid);
	g_free(valid);
	return o;
}

struct vtm_json *vtm_json_new(void)
{
	struct vtm_json *j = g_new0(struct vtm_json, 1);

	j->object = json_object_new_object();
	return j;
}

void vtm_json_free(struct vtm_json *j)
{
	if (!j)
		return;
	json_object_put(j->object);
	g_free(j);
}

void vtm_json_text(struct vtm_json *j, const char *name, const char *text)
{
	add(j, name, new_text(text));
}

void vtm_json_int(struct vtm_json *j, const char *name, int64_t n)
{
	add(j, name, json_object_new_int64(n));
}

void vtm_json_real(struct vtm_json *j, const char *name, double n)
{
	char text[G_ASCII_DTOSTR_BUF_SIZE];

	if (isfinite(n))	/* JSON has no word for the others */
		add(j, name, json_object_new_double_s(n, g_ascii_formatd(text, sizeof(text), "%.9g", n)));
	else
		add(j, name, NULL);
}

void vtm_json_bool(struct vtm_json *j, const char *name, bool b)
{
	add(j, name, json_object_new_boolean(b));
}

void vtm_json_texts(struct vtm_json *j, const char *name, const char *const *texts)
{
	struct json_object *list = json_object_new_array();

	for (; texts && *texts; texts++)
		json_object_array_add(list, new_text(*texts));
	add(j, name, list);
}

void vtm_json_object(struct vtm_json *j, const char *name, struct vtm_json *child)
{
	add(j, name, child->object);
	g_free(child);
}

void vtm_json_append(struct vtm_json *j, const char *name, struct vtm_json *child)
{
	struct json_object *list = member(j->object, name, json_type_array);

	if (!list) {
		list = json_object_new_array();
		add(j, name, list);
	}
	json_object_array_add(list, child->object);
	g_free(child);
}

char *vtm_json_line(const struct vtm_json *j)
{
	return g_strdup(json_object_to_json_string_ext(j->object, JSON_C_TO_STRING_PLAIN |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* The member of <type> at <path>; NULL if there is none. */
static struct json_object *member_at(struct json_object *o, const char *path, enum json_type type)
{
	char **names = g_strsplit(path, ".", -1);
	guint n = g_strv_length(names);

	for (guint i = 0; o && i < n; i++)
		o = member(o, names[i], i + 1 < n ? json_type_object : type);
	g_strfreev(names);
	return o;
}

char *vtm_json_get_text(const char *line, const char *path)
{
	struct json_object *root = parse(line, strlen(line)), *m = member_at(root, path, json_type_string);
	char *text = m ? g_strdup(json_object_get_string(m)) : NULL;

	json_object_put(root);
	return text;
}

char **vtm_json_get_texts(const char *line, const char *path)
{
	struct json_object *root = parse(line, strlen(line)), *list = member_at(root, path, json_type_array);
	size_t n = list ? json_object_array_length(list) : 0, got = 0;
	char **texts = g_new0(char *, n + 1);

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		if (json_object_is_type(o, json_type_string))
			texts[got++] = g_strdup(json_object_get_string(o));
	}
	json_object_put(root);
	return texts;
}

bool vtm_json_get_int(const char *line, const char *path, int64_t *n_r)
{
	struct json_object *root = parse(line, strlen(line)), *m = member_at(root, path, json_type_int);

	if (m)
		*n_r = json_object_get_int64(m);
	json_object_put(root);
	return m != NULL;
}

bool vtm_json_get_bool(const char *line, const char *path, bool *b_r)
{
	struct json_object *root = parse(line, strlen(line)), *m = member_at(root, path, json_type_boolean);

	if (m)
		*b_r = json_object_get_boolean(m);
	json_object_put(root);
	return m != NULL;
}
