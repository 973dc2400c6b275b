/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-mime-doubt.c - signs of ambiguity in any bytes: no byte outside of them is read, and nothing is found in nothing. */
#include "fuzz.h"

#include "mail/mime-doubt.h"

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

static void look(const char *text, size_t size, const char *const *boundaries)
{
	bool body = vtm_doubt_body(text, size), outside = vtm_doubt_outside(text, size);

	vtm_doubt_header(text, size);
	vtm_doubt_base64(text, size);
	if (vtm_doubt_leaf(text, size, boundaries))
		FUZZ_CHECK(size > 2 && *boundaries);
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
