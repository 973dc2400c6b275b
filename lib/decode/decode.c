/* SPDX-License-Identifier: BSD-2-Clause */
/* decode.c - the leaves' functions at both ends: asked for by a message, and done by a decoder. */
#include "decode/decode-parts.h"

#include <string.h>
#include <unistd.h>

#include "base/charset.h"
#include "base/hash.h"

/* ---- for a message ---- */

bool vtm_decode_archive(struct vtm_decoding *d, const void *data, size_t len, struct vtm_archive_limits *limits,
			vtm_archive_each *each, void *arg, enum vtm_archive_result *result_r)
{
	struct vtm_request q = {
		.decoder = VTM_DECODER_ARCHIVE, .len = len, .members = limits->members, .bytes = limits->bytes,
		.keep = limits->keep,
	};
	struct vtm_reply r;
	bool whole;

	if (!d->decoders) {
		*result_r = vtm_archive_walk(data, len, limits, each, arg);
		return true;
	}
	whole = vtm_decoders_ask(d, &q, data, &r);
	*result_r = (enum vtm_archive_result)r.result;
	/* before <each>, which may decode within the same limits */
	limits->members = (unsigned)r.members;
	limits->bytes = r.bytes;
	for (guint i = 0; i < r.found->len; i++) {
		struct vtm_found *f = r.found->pdata[i];
		struct vtm_member m = {
			.name = f->name, .format = vtm_archive_format(data, len), .size = (int64_t)f->size,
			.content = f->content, .content_len = f->content ? f->size : 0,
			.links_only = f->kind == VTM_WIRE_LINKS,
		};

		vtm_hex(f->sha256, m.sha256);
		each(&m, arg);
		g_clear_pointer(&f->content, g_free);
	}
	vtm_reply_clear(&r);
	return whole;
}

bool vtm_decode_tnef(struct vtm_decoding *d, const char *data, size_t len, vtm_tnef_each *each, void *arg,
		     int *result_r)
{
	struct vtm_request q = { .decoder = VTM_DECODER_TNEF, .len = len };
	struct vtm_reply r;
	bool whole;

	if (!d->decoders) {
		*result_r = vtm_tnef_walk(data, len, each, arg);
		return true;
	}
	whole = vtm_decoders_ask(d, &q, data, &r);
	*result_r = r.result ? -1 : 0;
	for (guint i = 0; i < r.found->len; i++) {
		struct vtm_found *f = r.found->pdata[i];
		const struct vtm_tnef_part part = { (enum vtm_tnef_kind)f->kind, f->name, f->content, f->size };

		each(&part, arg);
		g_clear_pointer(&f->content, g_free);
	}
	vtm_reply_clear(&r);
	return whole;
}

bool vtm_decode_pdf(struct vtm_decoding *d, const void *data, size_t len, vtm_pdf_each *each, void *arg,
		    enum vtm_pdf_result *result_r)
{
	struct vtm_request q = { .decoder = VTM_DECODER_PDF, .len = len };
	struct vtm_reply r;
	bool whole;

	if (!d->decoders) {
		*result_r = vtm_pdf_walk(data, len, each, arg);
		return true;
	}
	whole = vtm_decoders_ask(d, &q, data, &r);
	*result_r = (enum vtm_pdf_result)r.result;
	for (guint i = 0; i < r.found->len; i++) {
		struct vtm_found *f = r.found->pdata[i];
		struct vtm_pdf_found found = { .kind = (enum vtm_pdf_kind)f->kind };
		char *text = vtm_charset_utf8(f->content, f->size, VTM_CHARSET_UTF8, &found.len);

		found.text = text;
		whole = whole && text;
		if (text && *text)
			each(&found, arg);
		g_free(text);
		g_clear_pointer(&f->content, g_free);
	}
	vtm_reply_clear(&r);
	return whole;
}

bool vtm_decode_smime(struct vtm_decoding *d, const void *data, size_t len, char **content_r, size_t *len_r,
		      enum vtm_smime *result_r)
{
	struct vtm_request q = { .decoder = VTM_DECODER_SMIME, .len = len };
	struct vtm_reply r;
	bool whole;

	if (!d->decoders) {
		*result_r = vtm_smime_open(data, len, content_r, len_r);
		return true;
	}
	whole = vtm_decoders_ask(d, &q, data, &r);
	*result_r = whole ? (enum vtm_smime)r.result : VTM_SMIME_NONE;
	*content_r = NULL;
	*len_r = 0;
	if (*result_r == VTM_SMIME_SIGNED) {
		struct vtm_found *f = r.found->pdata[0];

		*content_r = g_steal_pointer(&f->content);
		*len_r = f->size;
	}
	vtm_reply_clear(&r);
	return whole;
}

/* ---- by a decoder ---- */

struct answer {
	vtm_wire_put *put;
	void *arg;
	unsigned found;
	bool failed;		/* nobody listens */
	bool full;
};

static void tell(struct answer *a, unsigned kind, const char *name, const char *content, uint64_t size,
		 const char *sha256)
{
	uint8_t digest[VTM_SHA256_LEN];

	a->full = a->full || a->found >= VTM_WIRE_FOUND_MAX;
	if (a->failed || a->full)
		return;
	a->found++;
	a->failed = !vtm_wire_write_found(kind, name, content, size,
					  sha256 && !vtm_unhex(sha256, digest) ? digest : NULL, a->put, a->arg);
}

static void on_member(const struct vtm_member *m, void *arg)
{
	tell(arg, m->links_only ? VTM_WIRE_LINKS : VTM_WIRE_MEMBER, m->name, m->content, (uint64_t)m->size, m->sha256);
}

static void on_tnef(const struct vtm_tnef_part *t, void *arg)
{
	tell(arg, t->kind, t->name, t->data, t->len, NULL);
}

static void on_pdf(const struct vtm_pdf_found *f, void *arg)
{
	tell(arg, f->kind, NULL, f->text, f->len, NULL);
}

static unsigned answer_archive(const struct vtm_request *q, const char *data, struct vtm_archive_limits *left,
			       struct answer *a)
{
	enum vtm_archive_result result;

	*left = (struct vtm_archive_limits){ (unsigned)MIN(q->members, VTM_WIRE_FOUND_MAX), q->bytes, q->keep };
	result = vtm_archive_walk(data, q->len, left, on_member, a);
	return a->full ? VTM_ARCHIVE_CAPPED : result;
}

static unsigned answer_smime(const struct vtm_request *q, const char *data, struct answer *a)
{
	enum vtm_smime result;
	char *content;
	size_t len;

	result = vtm_smime_open(data, q->len, &content, &len);
	if (result == VTM_SMIME_SIGNED)
		tell(a, 0, NULL, content, len, NULL);
	g_free(content);
	return result;
}

bool vtm_decode_answer(const struct vtm_request *q, const char *data, vtm_wire_put *put, void *arg)
{
	struct answer a = { .put = put, .arg = arg };
	struct vtm_archive_limits left = { 0 };
	unsigned result = 0;

	switch ((enum vtm_decoder)q->decoder) {
	case VTM_DECODER_ARCHIVE:
		result = answer_archive(q, data, &left, &a);
		break;
	case VTM_DECODER_TNEF:
		result = vtm_tnef_walk(data, q->len, on_tnef, &a) < 0 || a.full;
		break;
	case VTM_DECODER_SMIME:
		result = answer_smime(q, data, &a);
		break;
	case VTM_DECODER_PDF:
		result = vtm_pdf_walk(data, q->len, on_pdf, &a);
		result = a.full ? VTM_PDF_CAPPED : result;
		break;
	}
	return !a.failed && vtm_wire_write_end(result, left.members, left.bytes, put, arg);
}

static void forget_link(const struct vtm_pdf_found *f, void *arg)
{
	(void)f;
	(void)arg;
}

static void forget_member(const struct vtm_member *m, void *arg)
{
	(void)m;
	(void)arg;
}

void vtm_decode_warm_up(void)
{
	struct vtm_archive_limits limits = { 1, 1, 1 };
	uint8_t digest[VTM_SHA256_LEN];
	enum vtm_smime smime;
	char *content;
	size_t len;

	vtm_sha256("", 0, digest);
	smime = vtm_smime_open("0", 1, &content, &len);
	if (smime == VTM_SMIME_SIGNED)
		g_free(content);
	g_free(g_convert("a\0", 2, "UTF-8", "UTF-16LE", NULL, NULL, NULL));
	vtm_pdf_walk("%PDF-1.7\n", 9, forget_link, NULL);
	vtm_archive_walk("PK\003\004", 4, &limits, forget_member, NULL);
}
