/* SPDX-License-Identifier: BSD-2-Clause */
/* json-check.h - is a text JSON, and how large would its tree be?  RFC 8259, and the numbers NaN and Infinity, which Python
 * writes.
 *
 * Any thread; allocates nothing; one pass, so the time is linear in the text's length.
 *
 * json-c's own strict mode is not used: its rules change from version to version, and that of 0.18 refuses every byte
 * above 127.  Without it json-c takes comments, 'single quotes' and a comma before a closing bracket.
 */
#ifndef VTM_JSON_CHECK_H
#define VTM_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#define VTM_JSON_DEPTH_MAX 32	/* objects and arrays inside each other; seen in replies: 12 */

struct vtm_json_size {
	size_t objects, arrays;
	size_t members;		/* of all objects; a name that occurs twice counts twice */
	size_t commas;
};

/* True if the <len> bytes are exactly one JSON value, with white space around it or none: *size_r is set.  Bytes above
 * 127 are allowed inside strings, valid UTF-8 or not; NUL and other control characters are not. */
bool vtm_json_check(const char *text, size_t len, struct vtm_json_size *size_r);

#endif
