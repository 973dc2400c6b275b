/* SPDX-License-Identifier: BSD-2-Clause */
/* decode-wire.c - see decode-wire.h. */
#include "decode/decode-wire.h"

#include <string.h>

#include "decode/decode.h"
#include "decode/rtf.h"

void vtm_found_free(void *found)
{
	struct vtm_found *f = found;

	if (!f)
		return;
	g_free(f->name);
	g_free(f->content);
	g_free(f);
}

void vtm_reply_clear(struct vtm_reply *r)
{
	if (r->found)
		g_ptr_array_free(r->found, TRUE);
	memset(r, 0, sizeof(*r));
}

/* ---- what may be answered ---- */

static unsigned max_result(uint32_t decoder)
{
	static const unsigned results[VTM_DECODERS] = {
		[VTM_DECODER_ARCHIVE] = VTM_ARCHIVE_CAPPED, [VTM_DECODER_TNEF] = 1,
		[VTM_DECODER_SMIME] = VTM_SMIME_BROKEN, [VTM_DECODER_PDF] = VTM_PDF_CAPPED,
	};
	return results[decoder];
}

static unsigned max_kind(uint32_t decoder)
{
	return decoder == VTM_DECODER_TNEF ? VTM_TNEF_HTML : decoder == VTM_DECODER_PDF ? VTM_PDF_TEXT :
	       decoder == VTM_DECODER_ARCHIVE ? VTM_WIRE_LINKS : 0;
}

static bool is_list(const struct vtm_request *q, unsigned kind)
{
	return q->decoder == VTM_DECODER_ARCHIVE && kind == VTM_WIRE_LINKS;
}

/* How many of a kind may be found, and how much together. */
static uint64_t max_found(const struct vtm_request *q, unsigned kind)
{
	switch ((enum vtm_decoder)q->decoder) {
	case VTM_DECODER_ARCHIVE:
		return is_list(q, kind) ? VTM_ARCHIVE_LISTS : MIN(q->members, VTM_WIRE_FOUND_MAX);
	case VTM_DECODER_TNEF:
		return VTM_WIRE_FOUND_MAX;
	case VTM_DECODER_SMIME:
		return 1;
	case VTM_DECODER_PDF:
		return VTM_PDF_FOUND_MAX;
	}
	return 0;
}

static uint64_t max_bytes(const struct vtm_request *q)
{
	/* an RTF body is unpacked, and given twice; UTF-16 grows by half in UTF-8 */
	if (q->decoder == VTM_DECODER_TNEF)
		return 2 * q->len + 2 * VTM_RTF_MAX;
	/* what a PDF has may be packed */
	if (q->decoder == VTM_DECODER_PDF)
		return VTM_PDF_BYTES_MAX;
	return q->decoder == VTM_DECODER_ARCHIVE ? q->bytes : q->len;
}

bool vtm_wire_good_request(const struct vtm_request *q)
{
	return q->magic == VTM_WIRE_REQUEST && q->decoder < VTM_DECODERS && q->len <= VTM_DECODE_INPUT_MAX;
}

/* ---- reading ---- */

static bool good_found(const struct vtm_request *q, const struct vtm_reply *r, const struct vtm_frame *f)
{
	uint64_t found = is_list(q, f->what) ? r->lists : r->found->len - r->lists;

	if (f->what > max_kind(q->decoder) || found >= max_found(q, f->what) || f->size == 0 || f->size > r->bytes)
		return false;
	if (f->named > 1 || f->kept > 1 || f->name_len > VTM_WIRE_NAME_MAX || (!f->named && f->name_len))
		return false;
	/* all of it, unless an archive's member is too large to be kept */
	if (is_list(q, f->what) && !f->kept)
		return false;
	return f->kept ? q->decoder != VTM_DECODER_ARCHIVE || f->size <= q->keep : q->decoder == VTM_DECODER_ARCHIVE;
}

static bool read_found(const struct vtm_request *q, const struct vtm_frame *f, vtm_wire_take *take, void *arg,
		       struct vtm_reply *r)
{
	struct vtm_found *found;

	if (!good_found(q, r, f))
		return false;
	found = g_new0(struct vtm_found, 1);
	found->kind = f->what;
	found->size = f->size;
	memcpy(found->sha256, f->sha256, sizeof(found->sha256));
	found->name = f->named ? g_malloc0(f->name_len + 1) : NULL;
	found->content = f->kept ? g_try_malloc(f->size + 1) : NULL;
	r->no_memory = f->kept && !found->content;
	if (r->no_memory)
		goto bad;
	if (found->name &&
	    (!take(arg, found->name, f->name_len) || !g_utf8_validate_len(found->name, f->name_len, NULL)))
		goto bad;
	if (found->content) {
		found->content[f->size] = '\0';
		if (!take(arg, found->content, f->size))
			goto bad;
	}
	r->bytes -= f->size;
	r->lists += is_list(q, f->what);
	g_ptr_array_add(r->found, found);
	return true;
bad:
	vtm_found_free(found);
	return false;
}

/* What is left of the members can only be less than what was counted here. */
static uint64_t members_left(const struct vtm_request *q, const struct vtm_reply *r)
{
	return q->members - MIN(q->members, r->found->len - r->lists);
}

static bool read_end(const struct vtm_request *q, const struct vtm_frame *f, struct vtm_reply *r)
{
	if (f->what > max_result(q->decoder) || f->named || f->kept || f->name_len || f->size)
		return false;
	if (q->decoder == VTM_DECODER_SMIME && (f->what == VTM_SMIME_SIGNED) != (r->found->len == 1))
		return false;
	r->result = f->what;
	r->members = MIN(members_left(q, r), f->members);
	r->bytes = MIN(r->bytes, f->bytes);
	return true;
}

bool vtm_wire_read_reply(const struct vtm_request *q, vtm_wire_take *take, void *arg, struct vtm_reply *r)
{
	struct vtm_frame f;

	memset(r, 0, sizeof(*r));
	r->found = g_ptr_array_new_with_free_func(vtm_found_free);
	r->bytes = max_bytes(q);
	while (take(arg, &f, sizeof(f)) && f.magic == VTM_WIRE_FRAME) {
		if (f.type == VTM_FRAME_END && read_end(q, &f, r))
			return true;
		if (f.type != VTM_FRAME_FOUND || !read_found(q, &f, take, arg, r))
			break;
	}
	r->members = members_left(q, r);
	return false;
}

bool vtm_wire_read_hello(vtm_wire_take *take, void *arg, int32_t *pid_r)
{
	struct vtm_frame f;

	if (!take(arg, &f, sizeof(f)) || f.magic != VTM_WIRE_FRAME || f.type != VTM_FRAME_HELLO)
		return false;
	*pid_r = (int32_t)f.what;
	return *pid_r > 1;
}

/* ---- writing ---- */

bool vtm_wire_write_hello(int32_t pid, vtm_wire_put *put, void *arg)
{
	const struct vtm_frame f = { .magic = VTM_WIRE_FRAME, .type = VTM_FRAME_HELLO, .what = (uint32_t)pid };

	return put(arg, &f, sizeof(f));
}

/* At most VTM_WIRE_NAME_MAX bytes, whole characters. */
static size_t cut(const char *name)
{
	size_t len = strlen(name);

	if (len <= VTM_WIRE_NAME_MAX)
		return len;
	return (size_t)(g_utf8_find_prev_char(name, name + VTM_WIRE_NAME_MAX + 1) - name);
}

bool vtm_wire_write_found(unsigned kind, const char *name, const char *content, uint64_t size, const uint8_t *sha256,
			  vtm_wire_put *put, void *arg)
{
	struct vtm_frame f = {
		.magic = VTM_WIRE_FRAME, .type = VTM_FRAME_FOUND, .what = kind, .named = name != NULL,
		.name_len = name ? (uint32_t)cut(name) : 0, .kept = content != NULL, .size = size,
	};

	if (sha256)
		memcpy(f.sha256, sha256, sizeof(f.sha256));
	return put(arg, &f, sizeof(f)) && (!name || put(arg, name, f.name_len)) &&
	       (!content || put(arg, content, size));
}

bool vtm_wire_write_end(unsigned result, uint64_t members, uint64_t bytes, vtm_wire_put *put, void *arg)
{
	const struct vtm_frame f = {
		.magic = VTM_WIRE_FRAME, .type = VTM_FRAME_END, .what = result, .members = members, .bytes = bytes,
	};

	return put(arg, &f, sizeof(f));
}
