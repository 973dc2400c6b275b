/* SPDX-License-Identifier: BSD-2-Clause */
/* entries.h - text files with one entry a line, as the lists of domains are.  Leaf.
 *
 * A '#' at the start of a line or after a blank begins a comment; blanks around an entry and empty lines are left out; a
 * byte order mark at the start of the file is passed over.  A line has at most VTM_ENTRY_BYTES bytes.
 */
#ifndef VTM_ENTRIES_H
#define VTM_ENTRIES_H

#include <glib.h>
#include <stdbool.h>

#define VTM_ENTRY_BYTES 1024

/* Takes one entry, which it may change; false and VTM_ERROR_CONFIG or VTM_ERROR_LIMIT: it is not one. */
typedef bool vtm_entry_each(char *entry, void *arg, GError **error);

/* Gives every entry of <path> to <each>.  0; -1 and an error: the file cannot be read (VTM_ERROR_CONFIG), or a line is
 * wrong ("FILE:LINE: ..."). */
int vtm_entries_read(const char *path, vtm_entry_each *each, void *arg, GError **error);

#endif
