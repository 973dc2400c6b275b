/* SPDX-License-Identifier: BSD-2-Clause */
/* bench-decode.c - microseconds a message, in one run: without and with a zip file in it, decoded here and by a
 * decoder. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "scan/extract.h"
#include "../unit/pack.h"

#define ROUNDS 100	/* the least of so many counts: the machine may be busy */

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* One member of <bytes> that do not pack well. */
static GByteArray *zip_of(size_t bytes)
{
	GRand *rand = g_rand_new_with_seed(1);
	char *content = g_malloc(bytes);
	GByteArray *zip;

	for (size_t i = 0; i < bytes; i++)
		content[i] = (char)g_rand_int_range(rand, 0, 16);
	zip = pack_one(NULL, "a.exe", content, bytes);
	g_free(content);
	g_rand_free(rand);
	return zip;
}

/* 4 KB of text and an attachment, packed or the same bytes called something else. */
static char *message(const GByteArray *zip, bool plain)
{
	GString *m = g_string_new("From: a@example.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
				  "--b\r\n\r\n");
	char *data = g_memdup2(zip->data, zip->len), *base64;

	for (int i = 0; i < 60; i++)
		g_string_append_printf(m, "Some words that people write, and on line %d there is http://h%d.example.com/\r\n", i, i % 5);
	g_string_append(m, "--b\r\nContent-Type: application/octet-stream; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\n");
	if (plain)
		data[0] = 'x';	/* no archive */
	base64 = g_base64_encode((const guchar *)data, zip->len);
	for (size_t at = 0; at < strlen(base64); at += 76)
		g_string_append_printf(m, "%.76s\r\n", base64 + at);
	g_string_append(m, "--b--\r\n");
	g_free(base64);
	g_free(data);
	return g_string_free(m, FALSE);
}

static double least_us(const char *mail, struct vtm_decoders *decoders)
{
	struct vtm_extract_settings s;
	size_t len = strlen(mail);
	double least = 1e12;

	vtm_extract_defaults(&s);
	s.decoders = decoders;
	for (int i = 0; i < ROUNDS; i++) {
		struct vtm_spool *spool = vtm_spool_new("/tmp", 0);
		struct vtm_items *items;
		double t;

		vtm_spool_add(spool, mail, len, NULL);
		t = now_us();
		items = vtm_extract(spool, &s, NULL);
		least = MIN(least, now_us() - t);
		vtm_items_free(items);
		vtm_spool_free(spool);
	}
	return least;
}

/* Processor time of processes that ended. */
static double children_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* Of all processes besides this one, for a message; starting them is in it. */
static double decoders_cpu_us(const char *mail, const struct vtm_decoders_settings *s)
{
	double before = children_us();
	struct vtm_decoders *decoders = vtm_decoders_start(s, NULL);

	if (mail)
		least_us(mail, decoders);
	vtm_decoders_stop(decoders);
	return (children_us() - before) / ROUNDS;
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = { 1000, 100000, 5000000 };
	struct vtm_decoders_settings s;
	struct vtm_decoders *decoders;

	if (vtm_decoder_asked(argc, argv))
		_exit(vtm_decoder_run());
	vtm_decoders_defaults(&s);
	decoders = vtm_decoders_start(&s, NULL);
	if (!decoders)
		return 1;
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		GByteArray *zip = zip_of(sizes[i]);
		char *plain = message(zip, true), *packed = message(zip, false);

		printf("%7zu bytes  no archive: %6.0f us, with decoders %6.0f us   zip file: here %6.0f us, by a decoder %6.0f us\n",
		       sizes[i], least_us(plain, NULL), least_us(plain, decoders), least_us(packed, NULL),
		       least_us(packed, decoders));
		printf("%22s processor time of the decoder %.0f us\n", "",
		       decoders_cpu_us(packed, &s) - decoders_cpu_us(NULL, &s));
		g_free(plain);
		g_free(packed);
		g_byte_array_unref(zip);
	}
	vtm_decoders_stop(decoders);
	return 0;
}
