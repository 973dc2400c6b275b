/* SPDX-License-Identifier: BSD-2-Clause */
/* html.h - references and visible text of HTML and SVG.  Leaf. */
#ifndef VTM_HTML_H
#define VTM_HTML_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/work.h"
#include "model/item.h"

#define VTM_HTML_BASES 4	/* different <base href> of a document that are told */

/* Calls <ref> for every reference as written (entities decoded): role link, resource or nested (originalsrc and the
 * like).  <bases> are the document's base hrefs, wherever they stand, NULL at the end: programs differ in which counts
 * for which link.  Calls <text> with runs of visible text; a run ends where a browser would break a line or a cell, and
 * at an anchor.  <script> gets scripts and event handlers as text in which a URL may be spelled out: escapes undone,
 * strings joined, quotes as line ends, base64 that begins like a URL decoded.  All get bytes that live during the call.
 * Broken markup is read as far as it goes, and where programs read it in several ways, in each of them: the same thing
 * may be told more than once. */
typedef void vtm_html_ref(const char *reference, enum vtm_role role, const char *const *bases, void *arg);
typedef void vtm_html_text(const char *text, size_t len, void *arg);

struct vtm_html_handler {
	vtm_html_ref *ref;
	vtm_html_text *text;
	void *arg;
	vtm_html_text *script;	/* NULL: not read; mail programs run no scripts, browsers do in an attachment */
	struct vtm_work *work;	/* when it ends, reading ends; the caller asks vtm_work_over(); NULL: no bound */
};

enum vtm_html_lack {		/* why not everything was told */
	VTM_HTML_NO_MEMORY = 1,
	VTM_HTML_CUT = 2	/* more bases, documents in documents or SVG in HTML than are read, or a file in a data: URL */
};

/* <html> is in <charset> (NULL: what the document declares, else windows-1252/UTF-8). Linear in <len> (at most six
 * times through it); stack use does not depend on nesting. HTML inside a data: URL or srcdoc is read too, two deep.
 * Returns 0, or of enum vtm_html_lack.  Any thread, one document a call. */
unsigned vtm_html_read(const char *html, size_t len, const char *charset, const struct vtm_html_handler *handler);

/* The charsets that <meta> tags or an XML declaration near the start name, in order, at most <max>.  Of char *, owned;
 * ends with NULL.  Linear. */
GPtrArray *vtm_html_charsets(const char *html, size_t len, guint max);

/* XML as text to be searched for URLs: elements and the values of attributes on lines of their own, entities decoded,
 * without what only names something (namespaces, schemas, document types).  <out> is empty before.  Linear in <len>;
 * not nested.  UTF-8. */
void vtm_html_xml(struct vtm_buffer *out, const char *xml, size_t len);

#endif
