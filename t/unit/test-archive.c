/* SPDX-License-Identifier: BSD-2-Clause */
/* test-archive.c - members of archives and the bounds; the archives are made here with libarchive. */
#include "decode/archive.h"

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

/* What a walk through a zip file of <members> gives. */
static void check_zip(const struct member *members, size_t n, struct vtm_archive_limits limits,
		      enum vtm_archive_result result, const char *want, const char *what)
{
	GByteArray *data = pack(archive_write_set_format_zip, NULL, members, n);
	char *seen = seen_in(data->data, data->len, limits, result, what);

	is_str(seen, want, "%s: what is given", what);
	g_free(seen);
	g_byte_array_unref(data);
}
#define CHECK_ZIP(members, limits, result, want, what) \
	check_zip(members, G_N_ELEMENTS(members), limits, result, want, what)

static const struct vtm_archive_limits two = { 2, 1 << 20, 1 << 20 };

/* Documents by whatever comes first: of them their links, and what is no part of them. */
static void documents(void)
{
	const struct member word[] = {
		{ "[Content_Types].xml", "abc", 3 }, { "word/document.xml", "abc", 3 }, { "_rels/.rels", "abc", 3 },
		{ "word/_rels/document.xml.rels", "abc", 3 }, { "word/media/image1.PNG", "abc", 3 },
		{ "word/embeddings/oleObject1.bin", "abc", 3 },
	};
	const struct member google[] = {
		{ "word/numbering.xml", "abc", 3 }, { "word/_rels/document.xml.rels", "abc", 3 },
		{ "[Content_Types].xml", "abc", 3 },
	};
	const struct member xps[] = {
		{ "FixedDocSeq.fdseq", "abc", 3 }, { "1.fpage", "abc", 3 }, { "[Content_Types].xml", "abc", 3 },
	};
	const struct member text[] = {
		{ "mimetype", "application/vnd.oasis.opendocument.text", 39 }, { "content.xml", "abc", 3 },
		{ "META-INF/manifest.xml", "abc", 3 }, { "Thumbnails/thumbnail", "abc", 3 }, { "Pictures/1.png", "abc", 3 },
		{ "Object 1/content.xml", "abc", 3 }, { "layout-cache", "abc", 3 },
	};
	const struct member book[] = {
		{ "mimetype", "application/epub+zip", 20 }, { "OEBPS/content.opf", "abc", 3 }, { "a.css", "abc", 3 },
		{ "b.js", "abc", 3 },
	};
	const struct member java[] = {
		{ "a/B.class", "abc", 3 }, { "META-INF/MANIFEST.MF", "abc", 3 }, { "b.dll", "abc", 3 },
	};

	CHECK_ZIP(word, two, VTM_ARCHIVE_READ, ".rels:3:ba7816bf:links document.xml.rels:3:ba7816bf:links ", "Word");
	CHECK_ZIP(google, two, VTM_ARCHIVE_READ, "document.xml.rels:3:ba7816bf:links ", "Word as Google writes it");
	CHECK_ZIP(xps, two, VTM_ARCHIVE_READ, "1.fpage:3:ba7816bf:links ", "XPS");
	CHECK_ZIP(text, two, VTM_ARCHIVE_READ, "content.xml:3:ba7816bf:links content.xml:3:ba7816bf:links ",
		  "OpenDocument");
	CHECK_ZIP(book, two, VTM_ARCHIVE_READ, "b.js:3:ba7816bf ", "EPUB");
	CHECK_ZIP(java, two, VTM_ARCHIVE_READ, "b.dll:3:ba7816bf ", "a jar");
}

/* Names of a document's parts among others, or as others: nothing that somebody may open is left out. */
static void disguises(void)
{
	const struct member laden[] = {
		{ "[content_types].XML", "abc", 3 }, { "word/x.exe", "abc", 3 }, { "y.exe", "abc", 3 }, { "none", "abc", 3 },
	};
	const struct member folder[] = {
		{ "[Content_Types].xml", "abc", 3 }, { "invoice.xls", "abc", 3 }, { "excel.d/word/a.doc", "abc", 3 },
		{ "xl/b.xls", "abc", 3 }, { "xl/embeddings/c.xls", "abc", 3 },
	};
	const struct member typed[] = { { "mimetype", "abc", 3 }, { "a.xml", "abc", 3 } };
	const struct member open[] = {
		{ "mimetype", "application/vnd.oasis.opendocument.text", 39 }, { "a.exe", "abc", 3 }, { "b", "abc", 3 },
	};
	const struct member manifest[] = {
		{ "META-INF/", "", 0 }, { "META-INF/a.exe", "abc", 3 }, { "a.class", "abc", 3 },
	};
	const struct member jar[] = {
		{ "META-INF/MANIFEST.MF", "abc", 3 }, { "META-INF/a.exe", "abc", 3 }, { "a.class", "abc", 3 },
	};

	CHECK_ZIP(laden, plenty, VTM_ARCHIVE_READ, "x.exe:3:ba7816bf y.exe:3:ba7816bf none:3:ba7816bf ",
		  "OOXML with programs");
	CHECK_ZIP(folder, plenty, VTM_ARCHIVE_READ, "invoice.xls:3:ba7816bf a.doc:3:ba7816bf b.xls:3:ba7816bf ",
		  "OOXML with documents outside");
	CHECK_ZIP(typed, plenty, VTM_ARCHIVE_READ, "mimetype:3:ba7816bf a.xml:3:ba7816bf ", "another mimetype");
	CHECK_ZIP(open, plenty, VTM_ARCHIVE_READ, "a.exe:3:ba7816bf b:3:ba7816bf ", "OpenDocument with programs");
	CHECK_ZIP(manifest, plenty, VTM_ARCHIVE_READ, "a.exe:3:ba7816bf a.class:3:ba7816bf ", "a directory META-INF");
	CHECK_ZIP(jar, plenty, VTM_ARCHIVE_READ, "a.exe:3:ba7816bf ", "a jar with a program");
}

/* Lists of links have bounds of their own. */
static void lists(void)
{
	static const char list[] = "a.rels:3:ba7816bf:links ";
	const struct member large[] = {
		{ "[Content_Types].xml", "abc", 3 }, { "a.rels", "abcd", 4 }, { "b.exe", "abc", 3 },
	};
	const struct vtm_archive_limits small = { 1, 1 << 20, 3 }, none = { 0, 1 << 20, 1 << 20 };
	struct member many[VTM_ARCHIVE_LISTS + 2] = { large[0] };

	CHECK_ZIP(large, small, VTM_ARCHIVE_CAPPED, "b.exe:3:ba7816bf ", "a list that is too large");
	for (size_t i = 1; i < G_N_ELEMENTS(many); i++)
		many[i] = (struct member){ "a.rels", "abc", 3 };
	for (size_t over = 0; over < 2; over++) {
		GByteArray *data = pack(archive_write_set_format_zip, NULL, many, VTM_ARCHIVE_LISTS + 1 + over);
		char *seen = seen_in(data->data, data->len, none, over ? VTM_ARCHIVE_CAPPED : VTM_ARCHIVE_READ, "many lists");

		is_int((int)strlen(seen), VTM_ARCHIVE_LISTS * (int)strlen(list), "%d lists are given", VTM_ARCHIVE_LISTS);
		g_free(seen);
		g_byte_array_unref(data);
	}
}

/* A packed file of 2,048 zeros and "MZ": what begins so passes for an archive without members. */
static void one_zip(const GByteArray *data, enum vtm_archive_result want, const char *what)
{
	char *seen = seen_in(data->data, data->len, plenty, want, what);

	g_free(seen);
}

/* Zip files that some programs read from their first byte and some from their last. */
static void joined(void)
{
	GByteArray *a = pack_one(NULL, "a.txt", "one", 3), *b = pack_one(NULL, "b.txt", "two", 3), *j = g_byte_array_new();

	one_zip(a, VTM_ARCHIVE_READ, "a zip file alone");
	g_byte_array_append(j, a->data, a->len);
	g_byte_array_append(j, b->data, b->len);
	one_zip(j, VTM_ARCHIVE_BROKEN, "two, joined");
	g_byte_array_append(b, (const guint8 *)"x", 1);
	one_zip(b, VTM_ARCHIVE_BROKEN, "one with something behind it");
	g_byte_array_unref(a);
	g_byte_array_unref(b);
	g_byte_array_unref(j);
}

static void packed_zeros(void)
{
	static const char data[] =
		"\037\213\010\000\000\000\000\000\000\003\143\140\030\005\243\140\024\214\202\121\060\012\106\301\110\003\276\121\000\263\227\306\113\002\010\000\000";
	char *seen = seen_in(data, sizeof(data) - 1, plenty, VTM_ARCHIVE_READ, "a packed file that begins with zeros");

	is_str(seen, "data:2050:a8c0882e ", "is given");
	g_free(seen);
}

static void others(void)
{
	const struct member secret[] = { { "secret.exe", "MZ....", 6 } };
	GByteArray *data = pack(archive_write_set_format_zip, "infected", secret, 1);

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
	documents();
	disguises();
	lists();
	joined();
	packed_zeros();
	others();
	return done_testing();
}
