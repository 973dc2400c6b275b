/* SPDX-License-Identifier: BSD-2-Clause */
/* lookup.c - look-ups and their keys. */
#include "model/lookup.h"

#include <string.h>

#include "base/hash.h"

#define SUBJECT_MAX 8192

static const char *const kind_names[VTM_LOOKUP_KINDS] = {
	[VTM_LOOKUP_FILE] = "file",
	[VTM_LOOKUP_URL] = "url",
	[VTM_LOOKUP_HOST] = "host",
};

static bool subject_ok(const char *subject)
{
	size_t n = 0;

	for (const char *p = subject; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f || ++n > SUBJECT_MAX)
			return false;
	return n > 0;
}

struct vtm_lookup *vtm_lookup_new(enum vtm_lookup_kind kind, const char *subject)
{
	struct vtm_lookup l = { .key.kind = (uint8_t)kind };

	if (kind == VTM_LOOKUP_FILE) {
		if (vtm_unhex(subject, l.key.id) < 0)
			return NULL;
		l.subject = g_ascii_strdown(subject, -1);
	} else {
		if (!subject_ok(subject))
			return NULL;
		vtm_sha256(subject, strlen(subject), l.key.id);
		l.subject = g_strdup(subject);
	}
	return g_memdup2(&l, sizeof(l));
}

struct vtm_lookup *vtm_lookup_copy(const struct vtm_lookup *l)
{
	struct vtm_lookup *copy = g_memdup2(l, sizeof(*l));

	copy->subject = g_strdup(l->subject);
	return copy;
}

void vtm_lookup_free(struct vtm_lookup *l)
{
	if (!l)
		return;
	g_free(l->subject);
	g_free(l);
}

const char *vtm_lookup_kind_name(enum vtm_lookup_kind kind)
{
	g_return_val_if_fail((unsigned)kind < VTM_LOOKUP_KINDS, "file");
	return kind_names[kind];
}

bool vtm_lookup_kind_parse(const char *word, enum vtm_lookup_kind *kind_r)
{
	for (int i = 0; i < VTM_LOOKUP_KINDS; i++)
		if (!strcmp(kind_names[i], word)) {
			*kind_r = (enum vtm_lookup_kind)i;
			return true;
		}
	return false;
}

guint vtm_key_hash(gconstpointer key)
{
	const struct vtm_key *k = key;
	guint32 h;

	memcpy(&h, k->id, sizeof(h));	/* a digest is its own hash */
	return h ^ k->kind;
}

gboolean vtm_key_equal(gconstpointer a, gconstpointer b)
{
	const struct vtm_key *x = a, *y = b;

	return x->kind == y->kind && !memcmp(x->id, y->id, sizeof(x->id));
}

void vtm_key_hex(const struct vtm_key *key, char hex[65])
{
	vtm_hex(key->id, hex);
}
