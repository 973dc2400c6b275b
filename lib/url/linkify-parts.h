/* SPDX-License-Identifier: BSD-2-Clause */
/* linkify-parts.h - what the files of linkify share.  Only linkify*.c include it. */
#ifndef VTM_LINKIFY_PARTS_H
#define VTM_LINKIFY_PARTS_H

#include "base/buffer.h"
#include "url/linkify.h"

/* Appends <text> with its soft line breaks joined, as format=flowed has them. */
void vtm_linkify_unflow(struct vtm_buffer *out, const char *text, size_t len);
/* Appends <text> with the folds of a calendar or card undone. */
void vtm_linkify_unfold(struct vtm_buffer *out, const char *text, size_t len);

#endif
