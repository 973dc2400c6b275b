/* SPDX-License-Identifier: BSD-2-Clause */
/* spool.h - one message being collected: in memory as long as its share lasts, then in an unlinked temporary file.
 *
 * One thread at a time.  Header lines and body are kept as one RFC 5322 message with CRLF line ends.
 */
#ifndef VTM_SPOOL_H
#define VTM_SPOOL_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/share.h"

#define VTM_SPOOL_MEMORY (1024 * 1024)	/* of one without a share */

struct vtm_spool;

/* <dir> is where a large message goes (O_TMPFILE, else an unlinked mkostemp file); copied. <max> bytes at most, 0: no
 * limit. */
struct vtm_spool *vtm_spool_new(const char *dir, uint64_t max);
void vtm_spool_free(struct vtm_spool *s);
/* Memory is taken from <share> in the name of <user> (copied; share.h), 64 KiB at a time, and the message goes to a file
 * when there is none left.  Before the first byte. */
void vtm_spool_share(struct vtm_spool *s, struct vtm_share *share, const char *user);

/* Adds bytes.  -1 and an error when memory, the disk or <max> is full; from then on the spool is broken, keeps nothing
 * and every further call is a cheap -1. */
int vtm_spool_add(struct vtm_spool *s, const void *data, size_t len, GError **error);
bool vtm_spool_broken(const struct vtm_spool *s);
bool vtm_spool_too_large(const struct vtm_spool *s);	/* broken because of <max>: no fault of ours */
bool vtm_spool_no_memory(const struct vtm_spool *s);	/* broken because there was none to read it back */
uint64_t vtm_spool_size(const struct vtm_spool *s);

/* Ends collecting; then the message is in memory, which stays the spool's.  A file is read, never mapped: an error of
 * the disk is an error here and no signal.  Memory for that is not taken from the share but is the caller's concern.
 * -1: broken, or cannot be read back. */
int vtm_spool_finish(struct vtm_spool *s, const char **data_r, size_t *len_r);

/* Bytes that all spools of the process hold now, in memory and in files (metrics). */
void vtm_spool_totals(uint64_t *memory_r, uint64_t *file_r);

#endif
