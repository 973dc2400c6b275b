/* SPDX-License-Identifier: BSD-2-Clause */
/* json.h - JSON lines for programs and for our journal, and the tree of a text from outside.
 *
 * Each object belongs to one thread at a time.
 */
#ifndef VTM_JSON_H
#define VTM_JSON_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- writing ---- */

/* One JSON object under construction.  Names are static or copied; texts are made valid UTF-8.  One thread. */
struct vtm_json;
struct vtm_json *vtm_json_new(void);
void vtm_json_free(struct vtm_json *j);
void vtm_json_text(struct vtm_json *j, const char *name, const char *text);	/* NULL: null */
void vtm_json_int(struct vtm_json *j, const char *name, int64_t n);
void vtm_json_real(struct vtm_json *j, const char *name, double n);
void vtm_json_bool(struct vtm_json *j, const char *name, bool b);
void vtm_json_texts(struct vtm_json *j, const char *name, const char *const *texts);	/* array; NULL: [] */
/* Moves <child> into <j> as a member, or as the next element of the array member <name>. */
void vtm_json_object(struct vtm_json *j, const char *name, struct vtm_json *child);
void vtm_json_append(struct vtm_json *j, const char *name, struct vtm_json *child);
/* The text on one line, without a line end; new string, g_free(). */
char *vtm_json_line(const struct vtm_json *j);

/* Reads back what vtm_json_line() wrote: the member at <path>, "name" or "outer.name".  Text: new string, NULL if there
 * is none.  Number (whole) and truth value: false if there is none.  Texts: those of an array, new, g_strfreev();
 * empty if there is none. */
char *vtm_json_get_text(const char *line, const char *path);
char **vtm_json_get_texts(const char *line, const char *path);
bool vtm_json_get_int(const char *line, const char *path, int64_t *n_r);
bool vtm_json_get_bool(const char *line, const char *path, bool *b_r);

/* ---- texts from outside ---- */

/* json-c's; only base/json.c and vt/reply.c know what is in it. */
struct json_object;

/* The tree of <len> bytes that are exactly one JSON value; the caller releases it by json_object_put().  NULL if they
 * are anything else, deeper than VTM_JSON_DEPTH_MAX (json-check.h), would take more than about 20 MB, or have an object
 * with two members of one name. */
struct json_object *vtm_json_parse(const char *text, size_t len);
/* The member <name> of <o>, if <o> is an object and the member is of <type> (enum json_type); else NULL.  Borrowed. */
struct json_object *vtm_json_member(struct json_object *o, const char *name, int type);

#endif
