/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-tnef.c - winmail.dat: files lie inside the input, bodies can be read, names are UTF-8, embedded messages are read too. */
#include "fuzz.h"

#include "decode/tnef.h"

#define DEPTH 4

struct level { const char *data; size_t len; unsigned depth, parts, sum; };

static void each(const struct vtm_tnef_part *p, void *arg)
{
	struct level *l = arg;

	l->parts++;
	FUZZ_CHECK(!p->name || (g_utf8_validate(p->name, -1, NULL) && strlen(p->name) <= VTM_TNEF_NAME_MAX));
	if (p->kind == VTM_TNEF_FILE || p->kind == VTM_TNEF_MESSAGE)
		FUZZ_CHECK(!p->len || (p->data >= l->data && p->data + p->len <= l->data + l->len));
	for (size_t i = 0; i < p->len; i++)	/* a body may have been decoded: the sanitizer sees a byte that is not there */
		l->sum += (unsigned char)p->data[i];
	if (p->kind == VTM_TNEF_MESSAGE && l->depth < DEPTH) {
		struct level inner = { p->data, p->len, l->depth + 1, 0, 0 };

		vtm_tnef_walk(p->data, p->len, each, &inner);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct level l = { (const char *)data, size, 0, 0, 0 };

	if (!size)
		return 0;
	vtm_tnef_walk(l.data, l.len, each, &l);
	FUZZ_CHECK(l.parts <= VTM_TNEF_FILES_MAX + 2);
	return 0;
}
