/* SPDX-License-Identifier: BSD-2-Clause */
/* filetype.c - types by table. */
#include "mail/filetype.h"

#include <glib.h>
#include <string.h>

/* By file name extension. */
static const struct {
	const char *end, *type;
	enum vtm_filetype is;
	bool harmless;
} ends[] = {
	{ "bmp", "image/bmp", VTM_FILE_OTHER, true },
	{ "csv", "text/csv", VTM_FILE_TEXT, true },
	{ "eml", "message/rfc822", VTM_FILE_MESSAGE, false },
	{ "gif", "image/gif", VTM_FILE_OTHER, true },
	{ "heic", "image/heic", VTM_FILE_OTHER, true },
	{ "htm", "text/html", VTM_FILE_PAGE, false },
	{ "html", "text/html", VTM_FILE_PAGE, false },
	{ "ics", "text/calendar", VTM_FILE_TEXT, true },
	{ "jpeg", "image/jpeg", VTM_FILE_OTHER, true },
	{ "jpg", "image/jpeg", VTM_FILE_OTHER, true },
	{ "md", "text/markdown", VTM_FILE_TEXT, true },
	{ "mht", "multipart/related", VTM_FILE_MESSAGE, false },
	{ "mhtml", "multipart/related", VTM_FILE_MESSAGE, false },
	{ "mp3", "audio/mpeg", VTM_FILE_OTHER, true },
	{ "mp4", "video/mp4", VTM_FILE_OTHER, true },
	{ "p7m", "application/pkcs7-mime", VTM_FILE_SMIME, false },
	{ "pdf", "application/pdf", VTM_FILE_OTHER, false },
	{ "png", "image/png", VTM_FILE_OTHER, true },
	{ "shtml", "text/html", VTM_FILE_PAGE, false },
	{ "svg", "image/svg+xml", VTM_FILE_PAGE, false },
	{ "tif", "image/tiff", VTM_FILE_OTHER, true },
	{ "tiff", "image/tiff", VTM_FILE_OTHER, true },
	{ "txt", "text/plain", VTM_FILE_TEXT, true },
	{ "url", "application/internet-shortcut", VTM_FILE_TEXT, false },
	{ "vcf", "text/vcard", VTM_FILE_TEXT, true },
	{ "wav", "audio/wav", VTM_FILE_OTHER, true },
	{ "webloc", "application/x-webloc", VTM_FILE_TEXT, false },
	{ "webp", "image/webp", VTM_FILE_OTHER, true },
	{ "xht", "application/xhtml+xml", VTM_FILE_PAGE, false },
	{ "xhtml", "application/xhtml+xml", VTM_FILE_PAGE, false },
	{ "xml", "text/xml", VTM_FILE_TEXT, false },
	{ "zip", "application/zip", VTM_FILE_OTHER, false },
};

/* By declared type; one that ends with '/' stands for all of its kind.  The first that fits counts. */
static const struct {
	const char *type;
	enum vtm_filetype is;
	bool harmless;
} types[] = {
	{ "text/html", VTM_FILE_PAGE, false },
	{ "application/xhtml+xml", VTM_FILE_PAGE, false },
	{ "image/svg+xml", VTM_FILE_PAGE, false },
	{ "text/x-server-parsed-html", VTM_FILE_PAGE, false },
	{ "text/calendar", VTM_FILE_TEXT, true },
	{ "text/csv", VTM_FILE_TEXT, true },
	{ "text/plain", VTM_FILE_TEXT, true },
	{ "text/vcard", VTM_FILE_TEXT, true },
	{ "text/x-vcard", VTM_FILE_TEXT, true },
	{ "text/", VTM_FILE_TEXT, false },
	{ "application/internet-shortcut", VTM_FILE_TEXT, false },
	{ "application/x-url", VTM_FILE_TEXT, false },
	{ "application/x-mswinurl", VTM_FILE_TEXT, false },
	{ "application/x-webloc", VTM_FILE_TEXT, false },
	{ "application/ics", VTM_FILE_TEXT, true },
	{ "message/rfc822", VTM_FILE_MESSAGE, false },
	{ "application/pkcs7-mime", VTM_FILE_SMIME, false },
	{ "application/x-pkcs7-mime", VTM_FILE_SMIME, false },
	{ "image/", VTM_FILE_OTHER, true },
	{ "audio/", VTM_FILE_OTHER, true },
	{ "video/", VTM_FILE_OTHER, true },
	{ "font/", VTM_FILE_OTHER, true },
	{ "application/pgp-encrypted", VTM_FILE_OTHER, true },
};

/* Row of the extension; -1: the name has none, -2 if it is not in the table.  Windows drops dots and blanks at the
 * end. */
static int by_name(const char *name)
{
	const char *dot, *end = name + strlen(name);
	size_t n;

	while (end > name && (end[-1] == '.' || end[-1] == ' '))
		end--;
	dot = g_strrstr_len(name, end - name, ".");
	if (!dot)
		return -1;
	n = (size_t)(end - dot - 1);
	for (size_t i = 0; i < G_N_ELEMENTS(ends); i++)
		if (strlen(ends[i].end) == n && !g_ascii_strncasecmp(ends[i].end, dot + 1, n))
			return (int)i;
	return -2;
}

static int by_type(const char *type)
{
	for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
		size_t n = strlen(types[i].type);

		if (types[i].type[n - 1] == '/' ? g_str_has_prefix(type, types[i].type) : !strcmp(type, types[i].type))
			return (int)i;
	}
	return -1;
}

enum vtm_filetype vtm_filetype(const char *type, const char *name)
{
	int t = type ? by_type(type) : -1, n = name ? by_name(name) : -1;

	/* a page is a page to whoever goes by the name, whatever the type says, and the other way round */
	if (n >= 0 && (ends[n].is == VTM_FILE_PAGE || t < 0 || types[t].is == VTM_FILE_OTHER))
		return ends[n].is;
	return t < 0 ? VTM_FILE_OTHER : types[t].is;
}

bool vtm_filetype_risky(const char *type, const char *name)
{
	int t = type ? by_type(type) : -1, n = name ? by_name(name) : -1;

	if (t < 0 || !types[t].harmless)
		return true;
	return n == -2 || (n >= 0 && !ends[n].harmless);
}

const char *vtm_filetype_of_name(const char *name)
{
	int n = name ? by_name(name) : -1;

	return n < 0 ? "application/octet-stream" : ends[n].type;
}
