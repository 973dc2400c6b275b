/* SPDX-License-Identifier: BSD-2-Clause */
/* pack.h - archives for tests, made with libarchive. */
#ifndef VTM_TEST_PACK_H
#define VTM_TEST_PACK_H

#include <archive.h>
#include <glib.h>
#include <stddef.h>

struct member {
	const char *name;
	const void *content;
	size_t len;
};

/* <format>: archive_write_set_format_zip and the like; <password>: NULL, or of a zip file.  The caller unrefs. */
GByteArray *pack(int (*format)(struct archive *), const char *password, const struct member *members, size_t n);
/* A zip file of one member. */
GByteArray *pack_one(const char *password, const char *name, const void *content, size_t len);

#endif
