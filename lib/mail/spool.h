/* SPDX-License-Identifier: BSD-2-Clause */
/* spool.h - one message being collected: memory up to a bound, then an unlinked temporary file.  Leaf.
 *
 * One thread at a time.  Header lines and body are kept as one RFC 5322 message with CRLF line ends.
 */
#ifndef VTM_SPOOL_H
#define VTM_SPOOL_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define VTM_SPOOL_MEMORY (1024 * 1024)

struct vtm_spool;

/* <dir> is where a large message goes (O_TMPFILE, else an unlinked mkostemp file); copied. <max> bytes at most, 0: no
 * limit. */
struct vtm_spool *vtm_spool_new(const char *dir, uint64_t max);
void vtm_spool_free(struct vtm_spool *s);

/* Adds bytes.  -1 and an error when memory, the disk or <max> is full; from then on the spool is broken, keeps nothing
 * and every further call is a cheap -1. */
int vtm_spool_add(struct vtm_spool *s, const void *data, size_t len, GError **error);
/* Adds a message as a file has it, in the form in which an MTA would hand it over: a leading mbox "From " line goes,
 * bare LF becomes CRLF, the header ends at the first line that is neither a field nor a continuation, the last line
 * gets its end. */
int vtm_spool_add_mail(struct vtm_spool *s, const char *data, size_t len, GError **error);
bool vtm_spool_broken(const struct vtm_spool *s);
bool vtm_spool_too_large(const struct vtm_spool *s);	/* broken because of <max>: no fault of ours */
uint64_t vtm_spool_size(const struct vtm_spool *s);

/* Ends collecting; then exactly one of the two says where the message is: memory, or a file descriptor at offset 0 that
 * stays the spool's. -1: broken. */
int vtm_spool_finish(struct vtm_spool *s, const char **data_r, size_t *len_r, int *fd_r);

/* Bytes that all spools of the process hold now, in memory and in files (metrics). */
void vtm_spool_totals(uint64_t *memory_r, uint64_t *file_r);

#endif
