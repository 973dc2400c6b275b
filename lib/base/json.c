/* SPDX-License-Identifier: BSD-2-Clause */
/* json.c - JSON lines for programs and for our journal, and the tree of a text. */
#include "base/json.h"

#include <json-c/json.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/json-check.h"

#define COST_MAX 250000		/* of a tree, in pieces of about 80 bytes; seen: 29,000 */
#define OBJECT_COST 16		/* json-c makes room for 16 members at once, */
#define MEMBER_COST 2		/* then doubles it */

/* ---- a text's tree ---- */

/* A tree takes many times the memory of its text, so its cost is computed before it is built. */
static bool is_affordable(const struct vtm_json_size *size)
{
	return size->objects * OBJECT_COST + size->members * MEMBER_COST + size->arrays + size->commas <= COST_MAX;
}

/* The members of all objects in <o>.  Recursion is bounded by VTM_JSON_DEPTH_MAX. */
static size_t members_of(struct json_object *o)
{
	size_t n = 0;

	if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach(o, name, value) {
			(void)name;
			n += 1 + members_of(value);
		}
	} else if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			n += members_of(json_object_array_get_idx(o, i));
	}
	return n;
}

struct json_object *vtm_json_parse(const char *text, size_t len)
{
	struct vtm_json_size size;
	struct json_tokener *t;
	struct json_object *root;

	if (len > INT_MAX || !vtm_json_check(text, len, &size) || !is_affordable(&size))
		return NULL;
	t = json_tokener_new_ex(VTM_JSON_DEPTH_MAX);
	if (!t)
		return NULL;
	root = json_tokener_parse_ex(t, text, (int)len);
	/* json-c keeps the last of two members with one name: the tree then has fewer of them than the text. */
	if (json_tokener_get_error(t) != json_tokener_success || json_tokener_get_parse_end(t) != len ||
	    members_of(root) != size.members) {
		json_object_put(root);
		root = NULL;
	}
	json_tokener_free(t);
	return root;
}

struct json_object *vtm_json_member(struct json_object *o, const char *name, int type)
{
	struct json_object *m;

	return json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, name, &m) &&
	       json_object_is_type(m, (enum json_type)type) ? m : NULL;
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
	struct json_object *list = vtm_json_member(j->object, name, json_type_array);

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

/* ---- reading back ---- */

/* The member of <type> at <path>; NULL if there is none. */
static struct json_object *member_at(struct json_object *o, const char *path, enum json_type type)
{
	char **names = g_strsplit(path, ".", -1);
	guint n = g_strv_length(names);

	for (guint i = 0; o && i < n; i++)
		o = vtm_json_member(o, names[i], i + 1 < n ? json_type_object : type);
	g_strfreev(names);
	return o;
}

char *vtm_json_get_text(const char *line, const char *path)
{
	struct json_object *root = vtm_json_parse(line, strlen(line)), *m = member_at(root, path, json_type_string);
	char *text = m ? g_strdup(json_object_get_string(m)) : NULL;

	json_object_put(root);
	return text;
}

char **vtm_json_get_texts(const char *line, const char *path)
{
	struct json_object *root = vtm_json_parse(line, strlen(line)), *list = member_at(root, path, json_type_array);
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
	struct json_object *root = vtm_json_parse(line, strlen(line)), *m = member_at(root, path, json_type_int);

	if (m)
		*n_r = json_object_get_int64(m);
	json_object_put(root);
	return m != NULL;
}

bool vtm_json_get_bool(const char *line, const char *path, bool *b_r)
{
	struct json_object *root = vtm_json_parse(line, strlen(line)), *m = member_at(root, path, json_type_boolean);

	if (m)
		*b_r = json_object_get_boolean(m);
	json_object_put(root);
	return m != NULL;
}
