/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-archive.c - archives: members within the limits, names safe to print. */
#include "fuzz.h"

#include "decode/archive.h"
#include "base/hash.h"

static const struct vtm_archive_limits limits = { .members = 20, .bytes = 1 << 20, .keep = 1 << 16 };

struct seen { unsigned members, lists; };

static void each(const struct vtm_member *m, void *arg)
{
	struct seen *s = arg;
	uint8_t digest[VTM_SHA256_LEN];
	char hex[VTM_SHA256_HEX];

	if (m->links_only)
		s->lists++;
	else
		s->members++;
	FUZZ_CHECK(!m->links_only || m->content);
	FUZZ_CHECK(!m->name || (g_utf8_validate(m->name, -1, NULL) && !strchr(m->name, '/')));
	FUZZ_CHECK(m->format && m->size >= 0 && (uint64_t)m->size <= limits.bytes);
	if (!m->content)
		return;
	FUZZ_CHECK((uint64_t)m->size == m->content_len && m->content_len <= limits.keep);
	vtm_sha256(m->content, m->content_len, digest);
	vtm_hex(digest, hex);
	FUZZ_CHECK(!strcmp(hex, m->sha256));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vtm_archive_limits left = limits;
	struct seen s = { 0, 0 };
	enum vtm_archive_result r = vtm_archive_walk(data, size, &left, each, &s);

	FUZZ_CHECK(r <= VTM_ARCHIVE_CAPPED);
	FUZZ_CHECK(s.members <= limits.members && s.lists <= VTM_ARCHIVE_LISTS);
	FUZZ_CHECK(left.members <= limits.members && left.bytes <= limits.bytes);
	FUZZ_CHECK(r != VTM_ARCHIVE_NONE || (!s.members && !s.lists));
	return 0;
}
