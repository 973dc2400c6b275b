/* SPDX-License-Identifier: BSD-2-Clause */
/* archive.c - the members of an archive, through libarchive. */
#include "archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <glib.h>
#include <string.h>

#include "hash.h"

#define CHUNK 65536

/* How each format begins, so that libarchive is not asked about everything. */
static const struct {
	size_t at;
	const char *magic;
	size_t len;
	const char *name;
} magics[] = {
	{ 0, "PK\003\004", 4, "zip" }, { 0, "PK\005\006", 4, "zip" }, { 0, "7z\274\257\047\034", 6, "7z" },
	{ 0, "Rar!\032\007", 6, "rar" }, { 0, "\037\213", 2, "gzip" }, { 0, "BZh", 3, "bzip2" },
	{ 0, "\3757zXZ\0", 6, "xz" }, { 0, "\050\265\057\375", 4, "zstd" }, { 0, "MSCF", 4, "cab" },
	{ 0, "xar!", 4, "xar" }, { 2, "-lh", 3, "lha" }, { 257, "ustar", 5, "tar" }, { 0x8001, "CD001", 5, "iso" },
};

const char *vtm_archive_format(const void *data, size_t len)
{
	const char *p = data;

	for (size_t i = 0; i < G_N_ELEMENTS(magics); i++)
		if (len >= magics[i].at + magics[i].len && !memcmp(p + magics[i].at, magics[i].magic, magics[i].len))
			return magics[i].name;
	return NULL;
}

static struct archive *open_archive(const void *data, size_t len, const char *format)
{
	struct archive *a = archive_read_new();

	if (!a)
		return NULL;
	archive_read_support_filter_gzip(a);
	archive_read_support_filter_bzip2(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_zstd(a);
	archive_read_support_format_zip(a);
	archive_read_support_format_7zip(a);
	archive_read_support_format_rar(a);
	archive_read_support_format_rar5(a);
	archive_read_support_format_tar(a);
	archive_read_support_format_iso9660(a);
	archive_read_support_format_cab(a);
	archive_read_support_format_lha(a);
	archive_read_support_format_xar(a);
	/* one packed file without an archive around it */
	if (!strcmp(format, "gzip") || !strcmp(format, "bzip2") || !strcmp(format, "xz") || !strcmp(format, "zstd"))
		archive_read_support_format_raw(a);
	if (archive_read_open_memory(a, data, len) == ARCHIVE_OK)
		return a;
	archive_read_free(a);
	return NULL;
}

/* ODF, EPUB, jar. */
static bool is_document(const char *first)
{
	return first && (!strcmp(first, "mimetype") || g_str_has_prefix(first, "META-INF/"));
}

/* OOXML, by what writers of it begin with. */
static bool is_office(const char *first)
{
	return first && (!strcmp(first, "[Content_Types].xml") || !strcmp(first, "_rels/.rels") ||
			 g_str_has_prefix(first, "docProps/"));
}

/* What OOXML is made of.  Anything else was put there by somebody else. */
static bool is_office_part(const char *path)
{
	static const char *const endings[] = {
		"bin", "bmp", "doc", "docx", "emf", "fntdata", "gif", "jpeg", "jpg", "odttf", "png", "ppt", "pptx", "psmdcp",
		"rels", "sigs", "svg", "tif", "tiff", "vml", "wdp", "wmf", "xls", "xlsx", "xml", NULL
	};
	const char *dot = path ? strrchr(path, '.') : NULL;
	char *ending = dot ? g_ascii_strdown(dot + 1, -1) : NULL;
	bool part = ending && g_strv_contains(endings, ending);

	g_free(ending);
	return part;
}

static bool is_relationships(const char *path)
{
	return path && g_str_has_suffix(path, ".rels");
}

/* "report.exe" for "../../x/report.exe"; valid UTF-8; NULL if nothing is left. */
static char *base_name(const char *path)
{
	const char *end = path ? path + strlen(path) : NULL, *p = end;

	while (p && p > path && p[-1] != '/' && p[-1] != '\\')
		p--;
	return p && p < end ? g_utf8_make_valid(p, -1) : NULL;
}

static const char *entry_path(struct archive_entry *e)
{
	const char *path = archive_entry_pathname_utf8(e);

	return path ? path : archive_entry_pathname(e);
}

struct member_read {
	struct vtm_sha256 *sha;
	GByteArray *kept;
	int64_t size;
};

/* Reads one member's bytes; ARCHIVE_OK at its end, else libarchive's word, or ARCHIVE_RETRY when a limit was hit. */
static int read_member(struct archive *a, struct vtm_archive_limits *limits, uint64_t *ratio_left, struct member_read *r)
{
	char buffer[CHUNK];
	la_ssize_t n;

	while ((n = archive_read_data(a, buffer, sizeof(buffer))) > 0) {
		if ((uint64_t)n > limits->bytes || (uint64_t)n > *ratio_left)
			return ARCHIVE_RETRY;
		limits->bytes -= (uint64_t)n;
		*ratio_left -= (uint64_t)n;
		vtm_sha256_add(r->sha, buffer, (size_t)n);
		r->size += n;
		if (r->kept && (uint64_t)r->size > limits->keep)
			g_clear_pointer(&r->kept, g_byte_array_unref);
		if (r->kept)
			g_byte_array_append(r->kept, (const guint8 *)buffer, (guint)n);
	}
	return n < 0 ? (int)n : ARCHIVE_OK;
}

/* <list>: it is a list of relationships. */
static int take_member(struct archive *a, struct archive_entry *e, const char *format, struct vtm_archive_limits *limits,
		       uint64_t *ratio_left, bool list, vtm_archive_each *each, void *arg)
{
	struct member_read r = { vtm_sha256_new(), g_byte_array_new(), 0 };
	char *name = base_name(entry_path(e));
	struct vtm_member m = { .name = name, .format = format };
	uint8_t digest[VTM_SHA256_LEN];
	int rc = read_member(a, limits, ratio_left, &r);

	m.links_only = list && r.kept;
	if (rc == ARCHIVE_OK && m.links_only && !memmem(r.kept->data, r.kept->len, "External", 8)) {
		limits->members++;	/* given nobody */
	} else if (rc == ARCHIVE_OK && r.size > 0) {
		vtm_sha256_end(r.sha, digest);
		vtm_hex(digest, m.sha256);
		m.size = r.size;
		m.content = r.kept ? (const char *)r.kept->data : NULL;
		m.content_len = r.kept ? r.kept->len : 0;
		each(&m, arg);
	}
	if (r.kept)
		g_byte_array_unref(r.kept);
	vtm_sha256_free(r.sha);
	g_free(name);
	return rc;
}

static enum vtm_archive_result walk(struct archive *a, const char *format, size_t len, struct vtm_archive_limits *limits,
				    vtm_archive_each *each, void *arg)
{
	enum vtm_archive_result result = VTM_ARCHIVE_READ;
	uint64_t ratio_left = (uint64_t)len * VTM_ARCHIVE_RATIO + 1024 * 1024;
	struct archive_entry *e;
	bool first = true, office = false, list;
	int rc;

	while ((rc = archive_read_next_header(a, &e)) == ARCHIVE_OK || rc == ARCHIVE_WARN) {
		if (first && is_document(entry_path(e)))
			return VTM_ARCHIVE_NONE;
		office = office || (first && is_office(entry_path(e)));
		first = false;
		if (archive_entry_filetype(e) != AE_IFREG && archive_entry_filetype(e) != 0)
			continue;
		list = office && is_relationships(entry_path(e));
		if (office && !list && is_office_part(entry_path(e)))
			continue;
		if (archive_entry_is_encrypted(e)) {
			result = VTM_ARCHIVE_ENCRYPTED;
			continue;
		}
		if (!limits->members)
			return VTM_ARCHIVE_CAPPED;
		limits->members--;
		rc = take_member(a, e, format, limits, &ratio_left, list, each, arg);
		if (rc == ARCHIVE_RETRY)
			return VTM_ARCHIVE_CAPPED;
		if (rc != ARCHIVE_OK)
			result = archive_read_has_encrypted_entries(a) > 0 ? VTM_ARCHIVE_ENCRYPTED : VTM_ARCHIVE_BROKEN;
		if (rc == ARCHIVE_FATAL)
			return result;
	}
	if (rc != ARCHIVE_EOF)
		return archive_read_has_encrypted_entries(a) > 0 ? VTM_ARCHIVE_ENCRYPTED : VTM_ARCHIVE_BROKEN;
	return result;
}

enum vtm_archive_result vtm_archive_walk(const void *data, size_t len, struct vtm_archive_limits *limits,
					 vtm_archive_each *each, void *arg)
{
	const char *format = vtm_archive_format(data, len);
	enum vtm_archive_result result;
	struct archive *a;

	if (!format)
		return VTM_ARCHIVE_NONE;
	a = open_archive(data, len, format);
	if (!a)
		return VTM_ARCHIVE_BROKEN;
	result = walk(a, format, len, limits, each, arg);
	archive_read_free(a);
	return result;
}
