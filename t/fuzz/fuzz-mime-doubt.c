/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-mime-doubt.c - signs of ambiguity, header fields and signatures in any bytes. */
#include "fuzz.h"

#include "mail/mime-boundaries.h"
#include "mail/mime-doubt.h"
#include "mail/mime-params.h"
#include "mail/signature.h"

/* The first lines are boundaries, up to an empty one; the rest is looked through. */
static size_t take_boundaries(char *text, size_t size, const char **list, size_t max)
{
	char *at = text, *end = text + size, *lf;
	size_t n = 0;

	while (n < max - 1 && (lf = memchr(at, '\n', (size_t)(end - at))) && lf > at) {
		*lf = '\0';
		list[n++] = at;
		at = lf + 1;
	}
	list[n] = NULL;
	return (size_t)(at - text);
}

/* The same bytes as a header: its lists are bounded and valid UTF-8. */
static void look_at_fields(const char *text, size_t size)
{
	struct vtm_fields f;
	GPtrArray *lists[4];

	vtm_fields_read(&f, text, size);
	lists[0] = f.names;
	lists[1] = f.charsets;
	lists[2] = f.links;
	lists[3] = f.bases;
	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
		FUZZ_CHECK(lists[i]->len <= VTM_VALUES_MAX);
		for (guint k = 0; k < lists[i]->len; k++)
			FUZZ_CHECK(*(char *)lists[i]->pdata[k] && g_utf8_validate(lists[i]->pdata[k], -1, NULL));
	}
	for (guint k = 0; k < f.types->len; k++)
		vtm_type_is_plain(f.types->pdata[k]);
	vtm_fields_clear(&f);
	vtm_signature_is("application/pgp-signature", text, size);
	vtm_signature_is("application/pkcs7-signature", text, size);
}

static void look(const char *text, size_t size, const char *const *boundaries)
{
	bool body = vtm_doubt_body(text, size), outside = vtm_doubt_outside(text, size);
	struct vtm_boundaries *all = vtm_boundaries_new();

	vtm_doubt_header(text, size);
	for (int i = 0; boundaries[i]; i++)
		vtm_boundaries_add(all, boundaries[i]);
	if (vtm_boundaries_in(all, text, size, NULL))
		FUZZ_CHECK(size > 2 && *boundaries);
	vtm_boundaries_free(all);
	look_at_fields(text, size);
	FUZZ_CHECK(size || (!body && !outside));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *boundaries[8];
	char *copy = g_malloc(size + 1), *exact;
	size_t from;

	memcpy(copy, data, size);
	copy[size] = '\0';
	from = take_boundaries(copy, size, boundaries, G_N_ELEMENTS(boundaries));
	/* it ends where it ends: the sanitizer sees a read behind */
	exact = size > from ? g_memdup2(copy + from, size - from) : g_strdup("");
	look(exact, size - from, boundaries);
	g_free(exact);
	g_free(copy);
	return 0;
}
