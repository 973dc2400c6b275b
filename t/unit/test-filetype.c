/* SPDX-License-Identifier: BSD-2-Clause */
/* test-filetype.c - what types and names say. */
#include "mail/filetype.h"

#include "tap.h"

static const struct {
	const char *type, *name;
	enum vtm_filetype is;
	bool risky;
} cases[] = {
	{ NULL, NULL, VTM_FILE_OTHER, true },
	{ "image/png", NULL, VTM_FILE_OTHER, false },
	{ "image/png", "a.png", VTM_FILE_OTHER, false },
	{ "image/png", "a.exe", VTM_FILE_OTHER, true },
	{ "image/png", "a.exe. .", VTM_FILE_OTHER, true },
	{ "image/png", "a.PNG", VTM_FILE_OTHER, false },
	{ "image/svg+xml", "a.svg", VTM_FILE_PAGE, true },
	{ "image/png", "a.svg", VTM_FILE_PAGE, true },
	{ "application/octet-stream", "a.html", VTM_FILE_PAGE, true },
	{ "application/octet-stream", "a.png", VTM_FILE_OTHER, true },
	{ "text/html", NULL, VTM_FILE_PAGE, true },
	{ "text/plain", "a.htm", VTM_FILE_PAGE, true },
	{ "text/plain", NULL, VTM_FILE_TEXT, false },
	{ "text/calendar", "x.ics", VTM_FILE_TEXT, false },
	{ "text/x-python", "x.py", VTM_FILE_TEXT, true },
	{ "application/octet-stream", "x.url", VTM_FILE_TEXT, true },
	{ "message/rfc822", NULL, VTM_FILE_MESSAGE, true },
	{ "application/octet-stream", "x.eml", VTM_FILE_MESSAGE, true },
	{ "application/pkcs7-mime", "smime.p7m", VTM_FILE_SMIME, true },
	{ "application/pdf", "a.pdf", VTM_FILE_OTHER, true },
	{ NULL, "", VTM_FILE_OTHER, true },
	{ NULL, "...", VTM_FILE_OTHER, true },
};

int main(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *type = cases[i].type ? cases[i].type : "-", *name = cases[i].name ? cases[i].name : "-";

		is_int(vtm_filetype(cases[i].type, cases[i].name), cases[i].is, "%s, %s: what it is", type, name);
		ok(vtm_filetype_risky(cases[i].type, cases[i].name) == cases[i].risky, "%s, %s: %srisky", type, name,
		   cases[i].risky ? "" : "not ");
	}
	is_str(vtm_filetype_of_name("a.b.HTML"), "text/html", "a type by name");
	is_str(vtm_filetype_of_name("a"), "application/octet-stream", "a name that says nothing");
	is_str(vtm_filetype_of_name(NULL), "application/octet-stream", "no name");
	return done_testing();
}
