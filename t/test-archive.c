/* SPDX-License-Identifier: BSD-2-Clause */
/* test-archive.c - members of archives and the bounds; the archives are made here with libarchive. */
#include "archive.h"

#include <string.h>

#include "pack.h"
#include "tap.h"

static void remember(const struct vtm_member *m, void *arg)
{
	GString *seen = arg;

	g_string_append_printf(seen, "%s:%d:%.8s%s ", m->name ? m->name : "-", (int)m->size, m->sha256, m->links_only ? ":links" : "");
}

static const struct vtm_archive_limits plenty = { 100, 1 << 26, 1 << 20 };

static char *seen_in(const void *data, size_t len, struct vtm_archive_limits limits, enum vtm_archive_result want,
		     const char *what)
{
	GString *seen = g_string_new(NULL);

	is_int(vtm_archive_walk(data, len, &limits, remember, seen), want, "%s: result", what);
	return g_string_free(seen, FALSE);
}

static void formats(void)
{
	static const struct {
		const char *name;
		int (*format)(struct archive *);
	} all[] = {
		{ "zip", archive_write_set_format_zip }, { "7z", archive_write_set_format_7zip },
		{ "tar", archive_write_set_format_ustar }, { "iso", archive_write_set_format_iso9660 },
	};
	const struct member two[] = { { "../../etc/a.txt", "abc", 3 }, { "b.exe", "hello\n", 6 } };

	for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
		GByteArray *data = pack(all[i].format, NULL, two, 2);
		char *seen = seen_in(data->data, data->len, plenty, VTM_ARCHIVE_READ, all[i].name);

		ok(strstr(seen, ":3:ba7816bf") && strstr(seen, ":6:5891b5b5"), "%s: both members hashed (%s)", all[i].name, seen);
		ok(!strstr(seen, "/"), "%s: names without directories", all[i].name);
		g_free(seen);
		g_byte_array_unref(data);
	}
}

static void bounds(void)
{
	const struct member two[] = { { "a", "abc", 3 }, { "b", "hello\n", 6 } };
	struct vtm_archive_limits one = plenty, few = plenty;
	GByteArray *data;
	char *seen, *zeros = g_malloc0(6 * 1024 * 1024);
	const struct member bomb[] = { { "zeros", zeros, 6 * 1024 * 1024 } };

	data = pack(archive_write_set_format_zip, NULL, two, 2);
	one.members = 1;
	seen = seen_in(data->data, data->len, one, VTM_ARCHIVE_CAPPED, "one member allowed");
	is_str(seen, "a:3:ba7816bf ", "the first is given");
	g_free(seen);
	one.members = 2;
	g_free(seen_in(data->data, data->len, one, VTM_ARCHIVE_READ, "two members allowed"));
	few.bytes = 8;
	g_free(seen_in(data->data, data->len, few, VTM_ARCHIVE_CAPPED, "8 of 9 bytes allowed"));
	few.bytes = 9;
	g_free(seen_in(data->data, data->len, few, VTM_ARCHIVE_READ, "9 of 9 bytes allowed"));
	seen = seen_in(data->data, data->len / 2, plenty, VTM_ARCHIVE_BROKEN, "half an archive");
	g_free(seen);
	g_byte_array_unref(data);
	data = pack(archive_write_set_format_zip, NULL, bomb, 1);
	seen = seen_in(data->data, data->len, plenty, VTM_ARCHIVE_CAPPED, "a bomb: 6 MB of zeros");
	is_str(seen, "", "is not read to its end");
	g_free(seen);
	g_byte_array_unref(data);
	g_free(zeros);
}

static void others(void)
{
	static const char inside[] = "<Relationship Target=\"a\"/>", outside[] = "TargetMode=\"External\"";
	const struct member document[] = {
		{ "[Content_Types].xml", "<x/>", 4 }, { "word/document.xml", "<y/>", 4 },
		{ "word/_rels/document.xml.rels", outside, sizeof(outside) - 1 },
		{ "_rels/.rels", inside, sizeof(inside) - 1 }, { "word/media/image1.PNG", "PNG", 3 },
	};
	const struct member laden[] = { { "docProps/app.xml", "<x/>", 4 }, { "word/x.exe", "abc", 3 }, { "y.exe", "abc", 3 } };
	const struct member opendocument[] = { { "mimetype", "x", 1 }, { "content.xml", "<y/>", 4 } };
	struct vtm_archive_limits two = { 2, 1 << 20, 1 << 20 };
	char *seen;
	const struct member secret[] = { { "secret.exe", "MZ....", 6 } };
	GByteArray *data = pack(archive_write_set_format_zip, NULL, document, G_N_ELEMENTS(document));

	seen = seen_in(data->data, data->len, two, VTM_ARCHIVE_READ, "an office document");
	ok(g_str_has_prefix(seen, "document.xml.rels:") && g_str_has_suffix(seen, ":links ") && !strstr(seen, " ."), "of it only what points outside: %s", seen);
	g_free(seen);
	g_byte_array_unref(data);
	data = pack(archive_write_set_format_zip, NULL, laden, 3);
	seen = seen_in(data->data, data->len, plenty, VTM_ARCHIVE_READ, "an office document with more in it");
	is_str(seen, "x.exe:3:ba7816bf y.exe:3:ba7816bf ", "what is no part of it is a file");
	g_free(seen);
	g_byte_array_unref(data);
	data = pack(archive_write_set_format_zip, NULL, opendocument, 2);
	g_free(seen_in(data->data, data->len, plenty, VTM_ARCHIVE_NONE, "an OpenDocument is no archive"));
	g_byte_array_unref(data);
	data = pack(archive_write_set_format_zip, "infected", secret, 1);
	g_free(seen_in(data->data, data->len, plenty, VTM_ARCHIVE_ENCRYPTED, "an encrypted archive is noticed"));
	g_byte_array_unref(data);
	g_free(seen_in("no archive at all", 17, plenty, VTM_ARCHIVE_NONE, "text"));
	g_free(seen_in("", 0, plenty, VTM_ARCHIVE_NONE, "nothing"));
	g_free(seen_in("PK\003\004garbage", 11, plenty, VTM_ARCHIVE_BROKEN, "garbage that begins like a zip"));
}

int main(void)
{
	formats();
	bounds();
	others();
	return done_testing();
}
