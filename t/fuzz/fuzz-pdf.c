/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-pdf.c - PDF: what is found is UTF-8 and within bounds, and nothing is found in what is none. */
#include "fuzz.h"

#include "decode/pdf.h"

static void each(const struct vtm_pdf_found *f, void *arg)
{
	unsigned *found = arg;

	(*found)++;
	FUZZ_CHECK(f->len > 0 && f->len <= VTM_PDF_TEXT_MAX);
	FUZZ_CHECK(g_utf8_validate(f->text, (gssize)f->len, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned found = 0;
	enum vtm_pdf_result result = vtm_pdf_walk(data, size, each, &found);

	FUZZ_CHECK(found <= VTM_PDF_FOUND_MAX);
	FUZZ_CHECK(!found || (result != VTM_PDF_NONE && result != VTM_PDF_ENCRYPTED));
	FUZZ_CHECK((result == VTM_PDF_NONE) == !vtm_pdf_is(data, size));
	return 0;
}
