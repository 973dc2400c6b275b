/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-html.c - HTML and CSS in any charset: what comes out is UTF-8 of a bounded length. */
#include "fuzz.h"

#include "base/charset.h"
#include "url/html.h"

struct seen { size_t text, script, refs; };

static void ref(const char *reference, enum vtm_role role, const char *const *bases, void *arg)
{
	struct seen *s = arg;

	FUZZ_CHECK(reference && g_utf8_validate(reference, -1, NULL));
	for (unsigned i = 0; bases[i]; i++)
		FUZZ_CHECK(i < VTM_HTML_BASES && g_utf8_validate(bases[i], -1, NULL));
	FUZZ_CHECK(role == VTM_ROLE_LINK || role == VTM_ROLE_RESOURCE || role == VTM_ROLE_NESTED);
	s->refs++;
}

static void text(const char *t, size_t len, void *arg)
{
	struct seen *s = arg;

	FUZZ_CHECK(g_utf8_validate_len(t, len, NULL));
	s->text += len;
}

static void script(const char *t, size_t len, void *arg)
{
	struct seen *s = arg;

	FUZZ_CHECK(t || !len);
	s->script += len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const charsets[] = { NULL, "utf-8", "utf-16", "iso-2022-jp", "windows-1252", "utf-7", "" };
	struct seen s = { 0, 0, 0 };
	struct vtm_html_handler h = { .ref = ref, .text = text, .arg = &s, .script = script };
	const char *charset;
	char *utf8;
	struct vtm_buffer xml = { .data = NULL };
	size_t len;

	if (!size)
		return 0;
	charset = charsets[data[0] % G_N_ELEMENTS(charsets)];
	if (data[0] & 0x80)
		h.script = NULL;
	vtm_html_read((const char *)data + 1, size - 1, charset, &h);
	FUZZ_CHECK(s.text <= 6 * (16 * size + 4096));
	FUZZ_CHECK(s.refs <= 6 * (4 * size + 64));
	utf8 = vtm_charset_utf8((const char *)data + 1, size - 1, charset ? vtm_charset_encoding(charset) : NULL, &len);
	vtm_html_xml(&xml, utf8, len);
	FUZZ_CHECK(g_utf8_validate_len(vtm_buffer_text(&xml), xml.len, NULL) && xml.len <= 2 * len + 2);
	vtm_buffer_clear(&xml);
	g_free(utf8);
	return 0;
}
