/* SPDX-License-Identifier: BSD-2-Clause */
/* entries.c - text files with one entry a line. */
#include "scan/entries.h"

#include <string.h>

#include "base/error.h"

/* One line without its comment. */
static bool take_line(const char *line, size_t len, vtm_entry_each *each, void *arg, GError **error)
{
	char buf[VTM_ENTRY_BYTES + 1];

	if (len > VTM_ENTRY_BYTES) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "a line of more than %d bytes", VTM_ENTRY_BYTES);
		return false;
	}
	if (memchr(line, '\0', len)) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "a NUL byte: not a text file");
		return false;
	}
	memcpy(buf, line, len);
	buf[len] = '\0';
	for (char *p = buf; (p = strchr(p, '#')); p++) {
		if (p == buf || g_ascii_isspace(p[-1])) {
			*p = '\0';
			break;
		}
	}
	return !*g_strstrip(buf) || each(buf, arg, error);
}

int vtm_entries_read(const char *path, vtm_entry_each *each, void *arg, GError **error)
{
	char *text = NULL;
	const char *p, *end;
	gsize len;
	int rc = 0;
	GError *why = NULL;

	if (!g_file_get_contents(path, &text, &len, &why)) {
		/* GLib's text names the file */
		g_set_error_literal(error, VTM_ERROR, VTM_ERROR_CONFIG, why->message);
		g_error_free(why);
		return -1;
	}
	p = text;
	end = text + len;
	if (g_str_has_prefix(text, "\xef\xbb\xbf"))
		p += 3;
	for (unsigned line = 1; !rc && p < end; line++) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((eol ? eol : end) - p);

		if (!take_line(p, n, each, arg, &why)) {
			g_propagate_prefixed_error(error, why, "%s:%u: ", path, line);
			rc = -1;
		}
		p += n + 1;
	}
	g_free(text);
	return rc;
}
