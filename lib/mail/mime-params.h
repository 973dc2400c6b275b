/* SPDX-License-Identifier: BSD-2-Clause */
/* mime-params.h - MIME header fields and their parameters in every way that mail programs read them.  Part of mime; no
 * GMime here.
 *
 * GMime drops what follows a parameter that it cannot read ("; x; filename=a.exe"), and sees only the beginning of long
 * fields (mime-guard.h).  Mail programs go on, and differ in which of several values they take.  So all values count.
 */
#ifndef VTM_MIME_PARAMS_H
#define VTM_MIME_PARAMS_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define VTM_VALUES_MAX 8	/* different values of one parameter that are kept */

/* The values of the fields <name> in a header's bytes, unfolded, each once (without regard to case), in order, at most
 * <max>.  *more_r is set when there are more, or when a value is longer than VTM_HEADER_MAX; else it is left alone.
 * Of char *, owned. */
GPtrArray *vtm_header_fields(const char *header, size_t len, const char *name, guint max, bool *more_r);

/* Every value that the parameter <name> has in a field's value, each once, at most <max>: plain, quoted, in a quote
 * without end, in RFC 2231's forms (percent-decoded, whatever their charset); one with a comma also up to that.  Of
 * char *, owned. */
GPtrArray *vtm_header_params(const char *value, const char *name, guint max);

/* What the header of an entity says about it. */
struct vtm_fields {
	GPtrArray *types;	/* Content-Type: values, unfolded */
	GPtrArray *names;	/* file names, as written; with encoded words as they are */
	GPtrArray *charsets;
	GPtrArray *links;	/* URLs that a program fetches or opens in place of the content */
	GPtrArray *bases;	/* Content-Base and Content-Location: what relative links may be relative to */
	bool attachment;	/* a disposition other than inline; RFC 2183 section 2.8 */
	bool flowed, delsp;	/* some reading has format=flowed, delsp=yes (RFC 3676) */
	bool more;		/* there are more values than were kept */
};

/* Reads a header's bytes.  All lists are of char *, owned by <f>.  Linear. */
void vtm_fields_read(struct vtm_fields *f, const char *header, size_t len);
void vtm_fields_clear(struct vtm_fields *f);

/* The values of Content-Base and Content-Location alone.  Of char *, owned. */
GPtrArray *vtm_header_bases(const char *header, size_t len);

/* Is this the value of a Content-Type that every program reads alike: "type/subtype", then nothing but parameters? */
bool vtm_type_is_plain(const char *value);

#endif
