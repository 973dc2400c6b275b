/* SPDX-License-Identifier: BSD-2-Clause */
/* rtf.h - the RTF body of a TNEF message: unpacked, and as text to be searched for links.
 *
 * Sources: [MS-OXRTFCP] for the compression, the RTF 1.9.1 specification for the text.
 */
#ifndef VTM_RTF_H
#define VTM_RTF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

#define VTM_RTF_GROWTH 9			/* unpacked bytes are fewer than packed ones times this */
#define VTM_RTF_MAX (16u * 1024 * 1024)		/* unpacked bytes */

/* Unpacks <data> to the end of <rtf>.  false: it is no compressed RTF, it is damaged or larger than VTM_RTF_MAX, or there
 * is no memory (rtf->refused); what was unpacked until then is in <rtf>. */
bool vtm_rtf_unpack(const uint8_t *data, size_t len, struct vtm_buffer *rtf);

/* Adds the text of <rtf>, without groups and control words and with its escapes undone, to the end of <text>.  Linear;
 * never longer than <rtf>, but for characters that UTF-8 writes in three bytes. */
void vtm_rtf_text(const char *rtf, size_t len, struct vtm_buffer *text);

#endif
