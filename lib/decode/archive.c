/* SPDX-License-Identifier: BSD-2-Clause */
/* archive.c - the members of an archive, through libarchive. */
#include "decode/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <glib.h>
#include <string.h>

#include "decode/archive-parts.h"
#include "base/hash.h"

#define ZIP_END 22		/* bytes of the record at the end of a zip file, without its comment */
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

/* One packed file, without an archive around it? */
static bool is_packed(const char *format)
{
	static const char *const packers[] = { "gzip", "bzip2", "xz", "zstd", NULL };

	return g_strv_contains(packers, format);
}

static void support_archives(struct archive *a)
{
	archive_read_support_format_zip(a);
	archive_read_support_format_7zip(a);
	archive_read_support_format_rar(a);
	archive_read_support_format_rar5(a);
	archive_read_support_format_tar(a);
	archive_read_support_format_iso9660(a);
	archive_read_support_format_cab(a);
	archive_read_support_format_lha(a);
	archive_read_support_format_xar(a);
}

/* <archives>: what is packed may be one, else it is taken as it is. */
static struct archive *open_archive(const void *data, size_t len, const char *format, bool archives)
{
	struct archive *a = archive_read_new();

	if (!a)
		return NULL;
	archive_read_support_filter_gzip(a);
	archive_read_support_filter_bzip2(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_zstd(a);
	if (archives)
		support_archives(a);
	if (is_packed(format))
		archive_read_support_format_raw(a);
	if (archive_read_open_memory(a, data, len) == ARCHIVE_OK)
		return a;
	archive_read_free(a);
	return NULL;
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

/* ---- documents ---- */

static bool is_file(struct archive_entry *e)
{
	return archive_entry_filetype(e) == AE_IFREG || archive_entry_filetype(e) == 0;
}

static bool next_entry(struct archive *a, struct archive_entry **e_r, int *rc_r)
{
	*rc_r = archive_read_next_header(a, e_r);
	return *rc_r == ARCHIVE_OK || *rc_r == ARCHIVE_WARN;
}

/* What the zip file is by the names of its members, in whatever order they come. */
static enum vtm_document document_kind(const void *data, size_t len)
{
	enum vtm_document kind = VTM_DOCUMENT_NONE;
	struct archive *a = open_archive(data, len, "zip", true);
	struct archive_entry *e;
	char head[64];
	int rc;

	/* one whose size is not known yet has to be unpacked to come to the next */
	while (a && kind == VTM_DOCUMENT_NONE && next_entry(a, &e, &rc) && archive_entry_size_is_set(e)) {
		const char *path = entry_path(e);
		la_ssize_t n;

		if (!path || !is_file(e))
			continue;
		kind = vtm_document_marked(path);
		if (strcmp(path, "mimetype"))
			continue;
		n = archive_read_data(a, head, sizeof(head));
		kind = n > 0 ? vtm_document_typed(head, (size_t)n) : kind;
	}
	if (a)
		archive_read_free(a);
	return kind;
}

/* ---- members ---- */

struct walk {
	struct archive *a;
	const char *format;
	enum vtm_document document;
	struct vtm_archive_limits *limits;
	uint64_t ratio_left;
	unsigned lists_left;
	bool capped;			/* a list was too large to be given */
	bool entered;			/* there was an entry of any kind */
	vtm_archive_each *each;
	void *arg;
};

struct member_read {
	struct vtm_sha256 *sha;
	GByteArray *kept;
	int64_t size;
};

/* Reads one member's bytes; ARCHIVE_OK at its end, else libarchive's word, or ARCHIVE_RETRY when a limit was hit. */
static int read_member(struct walk *w, struct member_read *r)
{
	char buffer[CHUNK];
	la_ssize_t n;

	while ((n = archive_read_data(w->a, buffer, sizeof(buffer))) > 0) {
		if ((uint64_t)n > w->limits->bytes || (uint64_t)n > w->ratio_left)
			return ARCHIVE_RETRY;
		w->limits->bytes -= (uint64_t)n;
		w->ratio_left -= (uint64_t)n;
		vtm_sha256_add(r->sha, buffer, (size_t)n);
		r->size += n;
		if (r->kept && (uint64_t)r->size > w->limits->keep)
			g_clear_pointer(&r->kept, g_byte_array_unref);
		if (r->kept)
			g_byte_array_append(r->kept, (const guint8 *)buffer, (guint)n);
	}
	return n < 0 ? (int)n : ARCHIVE_OK;
}

/* Is there room for one more? */
static bool count(unsigned *left)
{
	if (!*left)
		return false;
	--*left;
	return true;
}

/* <list>: it is known for its links only. */
static int take_member(struct walk *w, struct archive_entry *e, bool list)
{
	struct member_read r = { vtm_sha256_new(), g_byte_array_new(), 0 };
	char *name = base_name(entry_path(e));
	struct vtm_member m = { .name = name, .format = w->format, .links_only = list };
	uint8_t digest[VTM_SHA256_LEN];
	int rc = read_member(w, &r);

	if (rc == ARCHIVE_OK && list && !r.kept) {
		w->capped = true;
	} else if (rc == ARCHIVE_OK && r.size > 0) {
		vtm_sha256_end(r.sha, digest);
		vtm_hex(digest, m.sha256);
		m.size = r.size;
		m.content = r.kept ? (const char *)r.kept->data : NULL;
		m.content_len = r.kept ? r.kept->len : 0;
		w->each(&m, w->arg);
	}
	if (r.kept)
		g_byte_array_unref(r.kept);
	vtm_sha256_free(r.sha);
	g_free(name);
	return rc;
}

static enum vtm_archive_result walk_entries(struct walk *w)
{
	enum vtm_archive_result result = VTM_ARCHIVE_READ;
	struct archive_entry *e;
	int rc;

	while (next_entry(w->a, &e, &rc)) {
		bool list = vtm_document_links(w->document, entry_path(e));

		w->entered = true;
		if (!is_file(e) || (!list && vtm_document_part(w->document, entry_path(e))))
			continue;
		if (archive_entry_is_encrypted(e)) {
			result = VTM_ARCHIVE_ENCRYPTED;
			continue;
		}
		if (!count(list ? &w->lists_left : &w->limits->members))
			return VTM_ARCHIVE_CAPPED;
		rc = take_member(w, e, list);
		if (rc == ARCHIVE_RETRY)
			return VTM_ARCHIVE_CAPPED;
		if (rc != ARCHIVE_OK)
			result = archive_read_has_encrypted_entries(w->a) > 0 ? VTM_ARCHIVE_ENCRYPTED :
										VTM_ARCHIVE_BROKEN;
		if (rc == ARCHIVE_FATAL)
			return result;
	}
	if (rc != ARCHIVE_EOF)
		return archive_read_has_encrypted_entries(w->a) > 0 ? VTM_ARCHIVE_ENCRYPTED : VTM_ARCHIVE_BROKEN;
	return result;
}

static enum vtm_archive_result walk(struct walk *w, const void *data, size_t len, bool archives)
{
	enum vtm_archive_result result;

	w->a = open_archive(data, len, w->format, archives);
	if (!w->a)
		return VTM_ARCHIVE_BROKEN;
	result = walk_entries(w);
	archive_read_free(w->a);
	return result;
}

static uint32_t le(const uint8_t *p, size_t bytes)
{
	uint32_t n = 0;

	for (size_t i = 0; i < bytes; i++)
		n |= (uint32_t)p[i] << (8 * i);
	return n;
}

/* Is this zip file one that all programs read alike: from its first byte to its last, with the list of members right
 * before the record at the end (APPNOTE.TXT section 4.3.6)?  Where several are joined, or something precedes or follows,
 * some programs read the first and some the last. */
static bool is_plain_zip(const uint8_t *data, size_t len)
{
	size_t end, list, size;

	if (len < ZIP_END || memcmp(data, "PK\003\004", 4) != 0)
		return len >= ZIP_END && !memcmp(data, "PK\005\006", 4);
	for (end = len - ZIP_END; memcmp(data + end, "PK\005\006", 4) != 0; end--)
		if (end == 0 || len - end > ZIP_END + 0xffff)
			return false;
	if (end + ZIP_END + le(data + end + 20, 2) != len)
		return false;
	size = le(data + end + 12, 4);
	list = le(data + end + 16, 4);
	if (list == UINT32_MAX || size == UINT32_MAX || le(data + end + 10, 2) == 0xffff)
		return true;	/* zip64: its own record tells */
	return list + size == end && (size == 0 || !memcmp(data + list, "PK\001\002", 4));
}

enum vtm_archive_result vtm_archive_walk(const void *data, size_t len, struct vtm_archive_limits *limits,
					 vtm_archive_each *each, void *arg)
{
	struct walk w = {
		.format = vtm_archive_format(data, len), .limits = limits, .each = each, .arg = arg,
		.ratio_left = (uint64_t)len * VTM_ARCHIVE_RATIO + 1024 * 1024, .lists_left = VTM_ARCHIVE_LISTS,
	};
	enum vtm_archive_result result;

	if (!w.format)
		return VTM_ARCHIVE_NONE;
	if (!strcmp(w.format, "zip"))
		w.document = document_kind(data, len);
	result = walk(&w, data, len, true);
	/* a file that begins with zeros passes for a tar archive of nothing */
	if (result == VTM_ARCHIVE_READ && !w.entered && is_packed(w.format))
		result = walk(&w, data, len, false);
	if (result == VTM_ARCHIVE_READ && !strcmp(w.format, "zip") && !is_plain_zip(data, len))
		result = VTM_ARCHIVE_BROKEN;
	return result == VTM_ARCHIVE_READ && w.capped ? VTM_ARCHIVE_CAPPED : result;
}
