/* SPDX-License-Identifier: BSD-2-Clause */
/* archive-parts.h - documents that are zip files inside, by the paths of their members.  Only archive*.c include it. */
#ifndef VTM_ARCHIVE_PARTS_H
#define VTM_ARCHIVE_PARTS_H

#include <stdbool.h>
#include <stddef.h>

enum vtm_document {
	VTM_DOCUMENT_NONE,	/* a plain archive */
	VTM_DOCUMENT_OFFICE,	/* Open Packaging Conventions, ECMA-376 part 2: .docx, .xlsx, .pptx, .xps ... */
	VTM_DOCUMENT_OPEN,	/* OpenDocument and EPUB: a member "mimetype" that says so */
	VTM_DOCUMENT_JAVA	/* .jar, .apk */
};

/* What a member <path> makes of the archive around it. */
enum vtm_document vtm_document_marked(const char *path);
/* The same of what a member "mimetype" holds. */
enum vtm_document vtm_document_typed(const char *mimetype, size_t len);

/* Is a member <path> (NULL: it has none) what such a document is made of?  Nobody opens it by itself, so that its hash
 * says nothing.  What runs, and anything that is not known here, is no part. */
bool vtm_document_part(enum vtm_document kind, const char *path);

/* May a member hold links of the document?  Then it is XML. */
bool vtm_document_links(enum vtm_document kind, const char *path);

#endif
