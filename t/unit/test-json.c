/* SPDX-License-Identifier: BSD-2-Clause */
/* test-json.c - what is JSON and what is not; lines written and read back. */
#include "base/json.h"

#include <string.h>

#include "base/json-check.h"
#include "tap.h"

/* A copy without NUL at its end, so that a sanitizer sees a read behind it. */
static bool is_json(const char *text, size_t len)
{
	struct vtm_json_size size;
	char *copy = g_memdup2(text, len);
	bool good = vtm_json_check(copy, len, &size);

	g_free(copy);
	return good;
}

static void grammar(void)
{
	static const char *const good[] = {
		"0", "-0", "12", "1.5", "-1.5e9", "1E+9", "1e-9", "NaN", "Infinity", "-Infinity", "true", "false", "null",
		"\"\"", " \t\r\n[] \n", "{}", "[[]]", "[{}]", "[1,\"a\",null]", "{\"a\":1}", "{\"a\":{\"b\":[1,2]},\"c\":[]}",
		"{ \"a\" : 1 , \"b\" : 2 }", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\uD834\"", "\"Gef\xc3\xa4hrlich\"", "\"\x7f\"",
		"{\"\xe5\x8d\xb1\xe9\x99\xa9\":\"\xf0\x9f\x98\x80\"}", "\"not UTF-8: \xff\xc3\"", "{\"a\":1,\"a\":2}",
	};
	static const char *const bad[] = {
		"", " ", "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x10", "-NaN", "nan", "infinity", "Inf", "nil", "True",
		"nul", "truex", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1,,2]", "[}", "{", "}", "{]", "{\"a\"}",
		"{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}", "{'a':1}", "{1:1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{\"a\":1]",
		"\"", "\"a", "'a'", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"a\nb\"", "\"a\tb\"", "\"\x01\"",
		"1 2", "{}{}", "[]x", "{\"data\":[],}", "\xef\xbb\xbf{}", "[1]/* x */", "// x\n1", "\xc3\xa4", "[\xa0""1]",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		char *name = g_strescape(good[i], "\"");

		ok(is_json(good[i], strlen(good[i])), "JSON: %s", name);
		g_free(name);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		char *name = g_strescape(bad[i], "\"");

		ok(!is_json(bad[i], strlen(bad[i])), "not JSON: %s", name);
		g_free(name);
	}
	ok(!is_json("[]\0", 3), "NUL behind a value is not white space");
	ok(!is_json("\"a\0b\"", 5), "nor may it be in a string");
	ok(!is_json("\"\\\0\"", 4), "nor be escaped as it is");
	/* each piece of a whole text */
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
		for (size_t len = 0; len < strlen(good[i]); len++)
			if (strchr("{[\"", good[i][0]) && is_json(good[i], len))
				ok(false, "the first %zu bytes of \"%s\" are not JSON", len, good[i]);
}

static void sizes(void)
{
	static const char text[] = "{\"a,:{[\":[1,2,{}],\"b\":{\"c\":3}}";
	struct vtm_json_size size;

	ok(vtm_json_check(text, strlen(text), &size), "a text with everything");
	is_int((int64_t)size.objects, 3, "objects");
	is_int((int64_t)size.arrays, 1, "arrays");
	is_int((int64_t)size.members, 3, "members");
	is_int((int64_t)size.commas, 3, "commas: not those in strings");
}

/* <depth> arrays inside each other. */
static bool is_nested_json(unsigned depth)
{
	GString *s = g_string_new(NULL);
	bool good;

	for (unsigned i = 0; i < depth; i++)
		g_string_append_c(s, '[');
	for (unsigned i = 0; i < depth; i++)
		g_string_append_c(s, ']');
	good = is_json(s->str, s->len);
	g_string_free(s, TRUE);
	return good;
}

static void writer(void)
{
	static const char *const list[] = { "a", "b/c", NULL };
	struct vtm_json *j = vtm_json_new(), *child = vtm_json_new();
	char *line, *back, **texts;
	int64_t n;
	bool b = false;

	vtm_json_text(j, "text", "quote \" slash / line\n tab\t \x01 bad \xff utf8 \xc3\xa4");
	vtm_json_text(j, "none", NULL);
	vtm_json_int(j, "big", INT64_MIN);
	vtm_json_real(j, "real", 0.1);
	vtm_json_real(j, "nan", 0.0 / 0.0);
	vtm_json_bool(j, "yes", true);
	vtm_json_texts(j, "list", list);
	vtm_json_texts(j, "empty", NULL);
	vtm_json_int(child, "n", 1);
	vtm_json_object(j, "child", child);
	for (int i = 0; i < 2; i++) {
		child = vtm_json_new();
		vtm_json_int(child, "i", i);
		vtm_json_append(j, "children", child);
	}
	line = vtm_json_line(j);
	is_str(line, "{\"text\":\"quote \\\" slash / line\\n tab\\t \\u0001 bad \xef\xbf\xbd utf8 \xc3\xa4\",\"none\":null,"
	       "\"big\":-9223372036854775808,\"real\":0.1,\"nan\":null,\"yes\":true,\"list\":[\"a\",\"b/c\"],\"empty\":[],"
	       "\"child\":{\"n\":1},\"children\":[{\"i\":0},{\"i\":1}]}", "one line, escaped, in the order of writing");
	back = vtm_json_get_text(line, "text");
	is_str(back, "quote \" slash / line\n tab\t \x01 bad \xef\xbf\xbd utf8 \xc3\xa4", "and reads back");
	g_free(back);
	ok(!vtm_json_get_text(line, "none"), "null is no text");
	ok(!vtm_json_get_text(line, "big"), "a number is no text");
	ok(!vtm_json_get_text(line, "absent"), "an absent member is no text");
	ok(!vtm_json_get_text("not json", "text"), "no JSON, no text");
	ok(vtm_json_get_int("{\"a\":{\"b\":7,\"c\":true}}", "a.b", &n) && n == 7, "a number by its path");
	ok(!vtm_json_get_int("{\"a\":{\"b\":\"7\"}}", "a.b", &n), "a text is no number");
	ok(!vtm_json_get_int("{\"a\":{\"b\":7}}", "a", &n), "nor is an object");
	ok(!vtm_json_get_int("{\"a\":7}", "a.b", &n), "nor is there anything in a number");
	ok(vtm_json_get_bool("{\"a\":{\"c\":true}}", "a.c", &b) && b, "a truth value by its path");
	ok(!vtm_json_get_bool("{\"a\":1}", "a", &b), "1 is none");
	ok(!vtm_json_get_text("[]", "text"), "a list has no members");
	texts = vtm_json_get_texts("{\"a\":[\"x\",1,null,\"y\"]}", "a");
	back = g_strjoinv(",", texts);
	is_str(back, "x,y", "the texts of an array");
	g_free(back);
	g_strfreev(texts);
	texts = vtm_json_get_texts("{\"a\":\"x\"}", "a");
	ok(!texts[0], "a text is no array");
	g_strfreev(texts);
	vtm_json_free(j);
	vtm_json_free(NULL);
	g_free(line);
}

int main(void)
{
	grammar();
	sizes();
	ok(is_nested_json(VTM_JSON_DEPTH_MAX), "as deep as allowed");
	ok(!is_nested_json(VTM_JSON_DEPTH_MAX + 1), "one deeper is refused");
	ok(!is_nested_json(1000000), "and a million");
	writer();
	return done_testing();
}
