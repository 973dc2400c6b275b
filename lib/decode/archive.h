/* SPDX-License-Identifier: BSD-2-Clause */
/* archive.h - the members of an archive, within bounds.  Leaf; the only file that knows libarchive.
 *
 * zip, 7z, rar, tar, iso, cab, lha, xar and what gzip, bzip2, xz or zstd packed.  Everything happens in memory: no
 * member is ever written, under its own name or another.  Of documents that are zip files inside (OOXML, OpenDocument,
 * EPUB, jar), what people and VirusTotal know is the document.  Of theirs only two kinds of members are given: XML that
 * holds their links (relationships of OOXML, content and styles of OpenDocument), and what is no part of such a
 * document, as anybody may name an archive's members like a document's.  Any thread, one archive a call.
 */
#ifndef VTM_ARCHIVE_H
#define VTM_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VTM_ARCHIVE_RATIO 200	/* unpacked bytes per packed byte, on top of 1 MiB */
#define VTM_ARCHIVE_LISTS 1000	/* members of one document that are given for their links; not in limits->members */

struct vtm_archive_limits {	/* what is left of them is kept up to date by the walk */
	unsigned members;	/* of one message */
	uint64_t bytes;		/* unpacked, of one message */
	uint64_t keep;		/* bytes of a member that are handed out to be looked into */
};

struct vtm_member {		/* lives during the callback */
	const char *name;	/* UTF-8, without directories; NULL: none */
	const char *format;	/* "zip" ... */
	int64_t size;
	char sha256[65];
	const char *content;	/* NULL if larger than limits->keep */
	size_t content_len;
	bool links_only;	/* XML of a document that holds its links: no file that anybody opens; it has content */
};

enum vtm_archive_result {
	VTM_ARCHIVE_NONE,	/* no archive */
	VTM_ARCHIVE_READ,	/* all members were given */
	VTM_ARCHIVE_ENCRYPTED,	/* some were not: a password is needed */
	VTM_ARCHIVE_BROKEN,	/* some were not: it is damaged or of a kind nobody here can read */
	VTM_ARCHIVE_CAPPED	/* some were not: a limit was hit */
};

typedef void vtm_archive_each(const struct vtm_member *m, void *arg);

/* The kind of archive that <data>, or its first 33 KiB, looks like: "zip" ...; NULL: it is not an archive. */
const char *vtm_archive_format(const void *data, size_t len);

enum vtm_archive_result vtm_archive_walk(const void *data, size_t len, struct vtm_archive_limits *limits,
					 vtm_archive_each *each, void *arg);

#endif
