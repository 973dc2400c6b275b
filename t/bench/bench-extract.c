/* SPDX-License-Identifier: BSD-2-Clause */
/* bench-extract.c - megabytes of mail a second: extraction of one message against GMime and SHA-256 of the same bytes,
 * in one run; of three kinds of mail, or of the messages given: "bench-extract [FILE...]". */
#include <gmime/gmime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scan/extract.h"
#include "base/hash.h"

#define ROUNDS 7

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* <mb> megabytes of a kind: an attachment in base64, HTML with links, or text with links. */
static GString *message(const char *kind, size_t mb)
{
	GString *m = g_string_new("From: a@example.org\r\nTo: b@example.org\r\nSubject: bench\r\nMIME-Version: 1.0\r\n");
	size_t bytes = mb * 1024 * 1024;
	GRand *rand = g_rand_new_with_seed(1);

	if (!strcmp(kind, "base64")) {
		static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

		g_string_append(m, "Content-Type: application/octet-stream; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\n");
		while (m->len < bytes) {
			for (int i = 0; i < 76; i++)
				g_string_append_c(m, set[g_rand_int_range(rand, 0, 64)]);
			g_string_append(m, "\r\n");
		}
	} else {
		bool html = !strcmp(kind, "html");

		g_string_append_printf(m, "Content-Type: text/%s; charset=utf-8\r\n\r\n", html ? "html" : "plain");
		for (unsigned i = 0; m->len < bytes; i++)
			g_string_append_printf(m, html ? "<tr><td style=\"padding:4px\"><a href=\"http://h%u.example.com/p?a=1&amp;b=2\">"
					       "offer %u</a></td><td>some words that people read</td></tr>\r\n" :
					       "Line %u of a text, now and then with a link: http://h%u.example.com/page and words\r\n",
					       i % 500, i % 500);
	}
	g_rand_free(rand);
	return m;
}

static double best_extract(const GString *m)
{
	struct vtm_extract_settings s;
	double best = 1e9;

	vtm_extract_defaults(&s);
	s.mime.max_part_bytes = m->len;
	for (int i = 0; i < ROUNDS; i++) {
		struct vtm_spool *spool = vtm_spool_new("/tmp", 0);
		double t;

		vtm_spool_add(spool, m->str, m->len, NULL);
		t = cpu_s();
		vtm_items_free(vtm_extract(spool, &s, NULL));
		best = MIN(best, cpu_s() - t);
		vtm_spool_free(spool);
	}
	return best;
}

static double best_hash(const GString *m)
{
	uint8_t digest[VTM_SHA256_LEN];
	double best = 1e9;

	for (int i = 0; i < ROUNDS; i++) {
		double t = cpu_s();

		vtm_sha256(m->str, m->len, digest);
		best = MIN(best, cpu_s() - t);
	}
	return best;
}

/* GMime alone: the tree made and freed. */
static double best_gmime(const GString *m)
{
	GByteArray *bytes = g_byte_array_append(g_byte_array_new(), (const guint8 *)m->str, (guint)m->len);
	GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(bytes);
	double best = 1e9;

	for (int i = 0; i < ROUNDS; i++) {
		GMimeParser *parser;
		GMimeMessage *message;
		double t = cpu_s();

		g_mime_stream_seek(stream, 0, GMIME_STREAM_SEEK_SET);
		parser = g_mime_parser_new_with_stream(stream);
		message = g_mime_parser_construct_message(parser, NULL);
		g_object_unref(parser);
		if (message)
			g_object_unref(message);
		best = MIN(best, cpu_s() - t);
	}
	g_object_unref(stream);	/* and the bytes */
	return best;
}

static void report(const char *name, const GString *m)
{
	double mb = (double)m->len / 1e6, extract = best_extract(m), hash = best_hash(m), gmime = best_gmime(m);

	printf("%-12s %6.0f MB/s (%.3f ms)   GMime alone %6.0f MB/s   SHA-256 alone %6.0f MB/s   "
	       "GMime and SHA-256 take %.2f of it\n", name, mb / extract, extract * 1e3, mb / gmime, mb / hash,
	       (gmime + hash) / extract);
}

int main(int argc, char **argv)
{
	static const char *const kinds[] = { "base64", "html", "text" };

	g_mime_init();
	for (size_t i = 0; argc == 1 && i < G_N_ELEMENTS(kinds); i++) {
		GString *m = message(kinds[i], 16);

		report(kinds[i], m);
		g_string_free(m, TRUE);
	}
	for (int i = 1; i < argc; i++) {
		GString *m = g_string_new(NULL);
		char *name = g_path_get_basename(argv[i]), *text;
		gsize len;

		if (!g_file_get_contents(argv[i], &text, &len, NULL)) {
			fprintf(stderr, "bench-extract: %s cannot be read\n", argv[i]);
			return 66;
		}
		g_string_append_len(m, text, (gssize)len);
		report(name, m);
		g_string_free(m, TRUE);
		g_free(name);
		g_free(text);
	}
	return 0;
}
