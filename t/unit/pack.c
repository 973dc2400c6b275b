/* SPDX-License-Identifier: BSD-2-Clause */
/* pack.c - see pack.h. */
#include "pack.h"

#include <archive_entry.h>

#define OVERHEAD 4096		/* bytes of a member's entries, at most */
#define FRAME (1024 * 1024)	/* of the archive's own: an ISO 9660 image has hundreds of KiB */

static void add(struct archive *a, const struct member *m)
{
	struct archive_entry *e = archive_entry_new();

	archive_entry_set_pathname(e, m->name);
	archive_entry_set_size(e, (la_int64_t)m->len);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0644);
	archive_write_header(a, e);
	archive_write_data(a, m->content, m->len);
	archive_entry_free(e);
}

GByteArray *pack(int (*format)(struct archive *), const char *password, const struct member *members, size_t n)
{
	GByteArray *out = g_byte_array_new();
	struct archive *a = archive_write_new();
	size_t room = FRAME, used = 0;

	for (size_t i = 0; i < n; i++)
		room += members[i].len + OVERHEAD;
	g_byte_array_set_size(out, (guint)room);
	format(a);
	if (password) {
		archive_write_set_options(a, "zip:encryption=traditional");
		archive_write_set_passphrase(a, password);
	}
	archive_write_open_memory(a, out->data, room, &used);
	for (size_t i = 0; i < n; i++)
		add(a, &members[i]);
	archive_write_close(a);
	archive_write_free(a);
	g_byte_array_set_size(out, (guint)used);
	return out;
}

GByteArray *pack_one(const char *password, const char *name, const void *content, size_t len)
{
	const struct member m = { name, content, len };

	return pack(archive_write_set_format_zip, password, &m, 1);
}
