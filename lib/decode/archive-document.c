/* SPDX-License-Identifier: BSD-2-Clause */
/* archive-document.c - what documents that are zip files are made of, by table. */
#include "decode/archive-parts.h"

#include <glib.h>
#include <string.h>

/* Text, pictures, sound and fonts: of all kinds of documents. */
static const char *const common[] = {
	"avi", "bmp", "css", "emf", "gif", "jpeg", "jpg", "m4a", "m4v", "mov", "mp3", "mp4", "mpg", "otf", "png", "rdf", "svm",
	"tif", "tiff", "ttf", "wav", "wdp", "webm", "webp", "wma", "wmf", "wmv", "woff", "xml", NULL
};
static const char *const office[] = {
	"fdoc", "fdseq", "fntdata", "fpage", "odttf", "psmdcp", "rels", "sigs", "vml", NULL
};
/* Anywhere below the directory of an Office program. */
static const char *const below[] = { "bin", "svg", NULL };
/* Documents in a document: in a directory "embeddings" there.  Elsewhere somebody may open them. */
static const char *const embedded[] = { "doc", "docx", "ppt", "pptx", "xls", "xlsb", "xlsx", NULL };
static const char *const open_document[] = { "ncx", "opf", "xlb", "xlc", NULL };
static const char *const java[] = {
	"arsc", "class", "dex", "dsa", "ec", "kotlin_module", "mf", "properties", "rsa", "sf", "so", NULL
};

static bool begins(const char *path, const char *with)
{
	return !g_ascii_strncasecmp(path, with, strlen(with));
}

static bool begins_with_any(const char *path, const char *const *directories)
{
	while (*directories && !begins(path, *directories))
		directories++;
	return *directories;
}

/* What stands behind the last dot of the name, in lower case, new; NULL: no dot. */
static char *ending_of(const char *path)
{
	const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');

	return dot ? g_ascii_strdown(dot + 1, -1) : NULL;
}

enum vtm_document vtm_document_marked(const char *path)
{
	if (!g_ascii_strcasecmp(path, "[Content_Types].xml"))
		return VTM_DOCUMENT_OFFICE;
	if (!strcmp(path, "META-INF/MANIFEST.MF") || !strcmp(path, "AndroidManifest.xml"))
		return VTM_DOCUMENT_JAVA;
	return VTM_DOCUMENT_NONE;
}

enum vtm_document vtm_document_typed(const char *mimetype, size_t len)
{
	static const char *const types[] = { "application/vnd.oasis.opendocument.", "application/epub+zip" };

	for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
		if (len >= strlen(types[i]) && !memcmp(mimetype, types[i], strlen(types[i])))
			return VTM_DOCUMENT_OPEN;
	return VTM_DOCUMENT_NONE;
}

static bool is_embedded(const char *path, const char *ending)
{
	static const char *const directories[] = { "word/", "xl/", "ppt/", "visio/", NULL };

	if (!begins_with_any(path, directories))
		return false;
	return g_strv_contains(below, ending) || (g_strv_contains(embedded, ending) && strstr(path, "/embeddings/"));
}

/* Members of OpenDocument whose names have no ending. */
static bool is_nameless(const char *path)
{
	static const char *const directories[] = { "ObjectReplacements/", "Thumbnails/", NULL };

	return !strcmp(path, "mimetype") || !strcmp(path, "layout-cache") || begins_with_any(path, directories);
}

bool vtm_document_part(enum vtm_document kind, const char *path)
{
	char *ending = path ? ending_of(path) : NULL;
	bool part = ending && kind != VTM_DOCUMENT_NONE && g_strv_contains(common, ending);

	switch (kind) {
	case VTM_DOCUMENT_NONE:
		break;
	case VTM_DOCUMENT_OFFICE:
		part = part || (ending && (g_strv_contains(office, ending) || is_embedded(path, ending)));
		break;
	case VTM_DOCUMENT_OPEN:
		part = part || (ending ? g_strv_contains(open_document, ending) : path && is_nameless(path));
		break;
	case VTM_DOCUMENT_JAVA:
		part = part || (ending && g_strv_contains(java, ending));
		break;
	}
	g_free(ending);
	return part;
}

bool vtm_document_links(enum vtm_document kind, const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL, *name = slash ? slash + 1 : path;

	switch (kind) {
	case VTM_DOCUMENT_OFFICE:
		return name && (g_str_has_suffix(name, ".rels") || g_str_has_suffix(name, ".fpage"));
	case VTM_DOCUMENT_OPEN:
		return name && (!strcmp(name, "content.xml") || !strcmp(name, "styles.xml"));
	case VTM_DOCUMENT_NONE:
	case VTM_DOCUMENT_JAVA:
		break;
	}
	return false;
}
