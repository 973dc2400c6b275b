/* SPDX-License-Identifier: BSD-2-Clause */
/* pdf.h - links in PDF documents (ISO 32000).  Leaf; the only file that knows qpdf.
 *
 * Found are the URIs of actions (of annotations, of the outline, on opening ...), files named by URL, where forms are
 * sent, and the text strings of the document that spell out a URL: of annotations, form fields, scripts, bookmarks.
 * Not found: what pages show (text is drawn in codes of its fonts), scripts in streams, the document's properties and
 * metadata, files inside of it, and references relative to the document's base.
 *
 * What pages show would take poppler: t/bench/BENCHMARKS says what that would find and cost, and why it is not used.
 *
 * Hostile input: work is bounded by the numbers below, but qpdf itself unpacks object streams without a bound on
 * memory, and what it makes of 1 MiB may take 1 GiB.  So it is called where memory and processor time are limited
 * (decode.h).  No exception comes out, nothing is written to standard error.  Any thread, one document a call.
 */
#ifndef VTM_PDF_H
#define VTM_PDF_H

#include <stdbool.h>
#include <stddef.h>

#define VTM_PDF_OBJECTS_MAX 10000	/* that are looked at */
#define VTM_PDF_FOUND_MAX 10000
#define VTM_PDF_BYTES_MAX (4 * 1024 * 1024)	/* of all that is found */
#define VTM_PDF_TEXT_MAX (1024 * 1024)	/* bytes of one string; a longer one is left out */

enum vtm_pdf_result {
	VTM_PDF_NONE,		/* no PDF */
	VTM_PDF_READ,		/* everything was given */
	VTM_PDF_ENCRYPTED,	/* a password is needed: nothing was given */
	VTM_PDF_BROKEN,		/* it is damaged: something may be missing */
	VTM_PDF_CAPPED		/* a limit was hit: something is missing */
};

enum vtm_pdf_kind {
	VTM_PDF_LINK,		/* a reference as written */
	VTM_PDF_TEXT		/* text with something like a URL in it */
};

struct vtm_pdf_found {		/* lives during the callback */
	enum vtm_pdf_kind kind;
	const char *text;	/* UTF-8 */
	size_t len;		/* 1 to VTM_PDF_TEXT_MAX */
};

typedef void vtm_pdf_each(const struct vtm_pdf_found *found, void *arg);

/* Is there a PDF header in the first KiB of <data>, as readers demand? */
bool vtm_pdf_is(const void *data, size_t len);
/* Built without qpdf, it calls every PDF VTM_PDF_BROKEN. */
enum vtm_pdf_result vtm_pdf_walk(const void *data, size_t len, vtm_pdf_each *each, void *arg);

#endif
