/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-decode.c - what a decoder that was taken over may answer: whatever it is, what is read keeps within the request.
 *
 * The input's first byte chooses the request, the rest is the answer; and what is written is read as it was meant.
 */
#include "fuzz.h"

#include "decode/decode-wire.h"
#include "decode/decode.h"

struct source { const uint8_t *p; size_t left; };

static bool take(void *arg, void *to, size_t n)
{
	struct source *s = arg;

	if (n > s->left)
		return false;
	memcpy(to, s->p, n);
	s->p += n;
	s->left -= n;
	return true;
}

static bool put(void *arg, const void *from, size_t n)
{
	g_byte_array_append(arg, from, (guint)n);
	return true;
}

static uint64_t check_found(const struct vtm_request *q, const struct vtm_reply *r)
{
	uint64_t bytes = 0;

	for (guint i = 0; i < r->found->len; i++) {
		const struct vtm_found *f = r->found->pdata[i];

		FUZZ_CHECK(f->size > 0);
		FUZZ_CHECK(!f->name || (g_utf8_validate(f->name, -1, NULL) && strlen(f->name) <= VTM_WIRE_NAME_MAX));
		FUZZ_CHECK(f->kind <= (q->decoder == VTM_DECODER_TNEF ? (int)VTM_TNEF_HTML :
				       q->decoder == VTM_DECODER_PDF ? (int)VTM_PDF_TEXT :
				       q->decoder == VTM_DECODER_ARCHIVE ? (int)VTM_WIRE_LINKS : 0));
		FUZZ_CHECK(q->decoder != VTM_DECODER_ARCHIVE || f->kind != VTM_WIRE_LINKS || f->content);
		FUZZ_CHECK(f->content ? f->content[f->size] == '\0' : q->decoder == VTM_DECODER_ARCHIVE);
		FUZZ_CHECK(!f->content || q->decoder != VTM_DECODER_ARCHIVE || f->size <= q->keep);
		bytes += f->size;
	}
	return bytes;
}

static void check(const struct vtm_request *q, const struct vtm_reply *r, bool whole)
{
	uint64_t bytes = check_found(q, r);

	FUZZ_CHECK(bytes <= (q->decoder == VTM_DECODER_ARCHIVE ? q->bytes :
			     q->decoder == VTM_DECODER_PDF ? VTM_PDF_BYTES_MAX : q->len));
	if (q->decoder != VTM_DECODER_ARCHIVE)
		return;
	FUZZ_CHECK(r->lists <= VTM_ARCHIVE_LISTS && r->lists <= r->found->len);
	FUZZ_CHECK(r->found->len - r->lists <= q->members && r->members <= q->members - (r->found->len - r->lists));
	FUZZ_CHECK(r->bytes <= q->bytes - bytes);
	FUZZ_CHECK(!whole || r->result <= VTM_ARCHIVE_CAPPED);
}

/* The reply as this program's own decoder would write it, read again. */
static void again(const struct vtm_request *q, const struct vtm_reply *r)
{
	GByteArray *wire = g_byte_array_new();
	struct vtm_reply back;
	struct source s;

	for (guint i = 0; i < r->found->len; i++) {
		const struct vtm_found *f = r->found->pdata[i];

		vtm_wire_write_found(f->kind, f->name, f->content, f->size, f->sha256, put, wire);
	}
	vtm_wire_write_end(r->result, r->members, r->bytes, put, wire);
	s = (struct source){ wire->data, wire->len };
	FUZZ_CHECK(vtm_wire_read_reply(q, take, &s, &back));
	FUZZ_CHECK(s.left == 0 && back.found->len == r->found->len && back.result == r->result);
	for (guint i = 0; i < r->found->len; i++) {
		const struct vtm_found *f = r->found->pdata[i], *g = back.found->pdata[i];

		FUZZ_CHECK(!g_strcmp0(f->name, g->name) && f->size == g->size && !f->content == !g->content);
		FUZZ_CHECK(!f->content || !memcmp(f->content, g->content, f->size));
	}
	vtm_reply_clear(&back);
	g_byte_array_unref(wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vtm_request q = {
		.magic = VTM_WIRE_REQUEST, .len = 4096, .members = 10, .bytes = 8192, .keep = 1024,
	};
	struct source s = { data, size };
	struct vtm_reply r;
	uint8_t first;
	int32_t pid;
	bool whole;

	if (!take(&s, &first, 1))
		return 0;
	q.decoder = first % VTM_DECODERS;
	if (first & 0x80)
		FUZZ_CHECK(!vtm_wire_read_hello(take, &s, &pid) || pid > 1);
	whole = vtm_wire_read_reply(&q, take, &s, &r);
	check(&q, &r, whole);
	if (whole)
		again(&q, &r);
	vtm_reply_clear(&r);
	return 0;
}
