/* SPDX-License-Identifier: BSD-2-Clause */
/* pdf.c - the objects of a document, from the trailer on, breadth first. */
#include "decode/pdf.h"

#include <glib.h>
#include <string.h>

#include "build-config.h"

#define HEADER_WITHIN 1024	/* where readers look for %PDF- */

bool vtm_pdf_is(const void *data, size_t len)
{
	return len && g_strstr_len(data, (gssize)MIN(len, HEADER_WITHIN), "%PDF-");
}

#ifdef HAVE_QPDF
#include <qpdf/qpdf-c.h>

#define DEPTH_MAX 32		/* arrays and dictionaries in each other, in one object */

struct walk {
	vtm_pdf_each *each;
	void *arg;
	qpdf_data q;
	GHashTable *seen;	/* object numbers, generation included */
	GQueue todo;		/* of qpdf_oh: objects to look at */
	unsigned objects, found;
	size_t bytes;
	bool broken, capped;
};

/* What holds no links, is large, or leads back. */
static const char *const passed_by[] = {
	"/Encrypt", "/FontDescriptor", "/ID", "/Info", "/Metadata", "/OutputIntents", "/P", "/Parent", "/Prev", "/Resources",
	"/StructTreeRoot", "/Thumb",
};

/* Keys of strings that are references. */
static const char *const references[] = { "/F", "/UF", "/URI" };

static bool listed(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* qpdf keeps its last error until it is asked for; whatever it was, something could not be read. */
static bool failed(struct walk *w)
{
	if (!qpdf_has_error(w->q))
		return false;
	qpdf_get_error(w->q);
	w->broken = true;
	return true;
}

static void give(struct walk *w, enum vtm_pdf_kind kind, const char *text, size_t len)
{
	struct vtm_pdf_found found = { kind, text, len };

	if (w->found >= VTM_PDF_FOUND_MAX || len > VTM_PDF_BYTES_MAX - w->bytes) {
		w->capped = true;
		return;
	}
	w->found++;
	w->bytes += len;
	w->each(&found, w->arg);
}

static void take_string(struct walk *w, qpdf_oh oh, const char *key)
{
	size_t len = 0;
	const char *raw = qpdf_oh_get_binary_utf8_value(w->q, oh, &len);
	bool file, reference = key && listed(references, G_N_ELEMENTS(references), key);
	char *text;

	if (failed(w) || !raw || !len)
		return;
	if (len > VTM_PDF_TEXT_MAX / 3) {	/* mending UTF-8 makes three bytes of one */
		w->capped = true;
		return;
	}
	text = g_utf8_make_valid(raw, (gssize)len);
	/* a file is mostly one on the reader's disk; a URL has a scheme */
	file = reference && strcmp(key, "/URI") != 0;
	if (reference && (!file || strstr(text, "://")))
		give(w, VTM_PDF_LINK, text, strlen(text));
	else if (strstr(text, "://") || strstr(text, "www.") || strstr(text, "WWW."))
		give(w, VTM_PDF_TEXT, text, strlen(text));
	g_free(text);
}

/* Remembers an object of its own to be looked at, once. */
static void queue(struct walk *w, qpdf_oh oh)
{
	gint64 *id = g_new(gint64, 1);

	*id = ((gint64)qpdf_oh_get_object_id(w->q, oh) << 32) | (guint32)qpdf_oh_get_generation(w->q, oh);
	if (!g_hash_table_add(w->seen, id)) {
		qpdf_oh_release(w->q, oh);
		return;
	}
	if (w->objects >= VTM_PDF_OBJECTS_MAX) {
		w->capped = true;
		qpdf_oh_release(w->q, oh);
		return;
	}
	w->objects++;
	g_queue_push_tail(&w->todo, GUINT_TO_POINTER(oh));
}

static void look(struct walk *w, qpdf_oh oh, const char *key, unsigned depth);

/* Takes <oh>: what stands directly in an object is looked at, others later. */
static void step(struct walk *w, qpdf_oh oh, const char *key, unsigned depth)
{
	bool own = qpdf_oh_is_indirect(w->q, oh);

	/* a string does not know what it is for, so it is taken where it is named */
	if (own && !qpdf_oh_is_string(w->q, oh)) {
		queue(w, oh);
		return;
	}
	if (depth >= DEPTH_MAX)
		w->capped = true;
	else
		look(w, oh, key, depth + 1);
	qpdf_oh_release(w->q, oh);
}

static void look_array(struct walk *w, qpdf_oh oh, unsigned depth)
{
	int n = qpdf_oh_get_array_n_items(w->q, oh);

	for (int i = 0; i < n && !w->capped && !failed(w); i++)
		step(w, qpdf_oh_get_array_item(w->q, oh, i), NULL, depth);
}

static void look_dictionary(struct walk *w, qpdf_oh oh, unsigned depth)
{
	GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);

	qpdf_oh_begin_dict_key_iter(w->q, oh);
	while (qpdf_oh_dict_more_keys(w->q))
		g_ptr_array_add(keys, g_strdup(qpdf_oh_dict_next_key(w->q)));
	for (guint i = 0; i < keys->len && !w->capped; i++) {
		const char *key = keys->pdata[i];

		if (!listed(passed_by, G_N_ELEMENTS(passed_by), key) && !failed(w))
			step(w, qpdf_oh_get_key(w->q, oh, key), key, depth);
	}
	g_ptr_array_unref(keys);
}

static void look(struct walk *w, qpdf_oh oh, const char *key, unsigned depth)
{
	switch (qpdf_oh_get_type_code(w->q, oh)) {
	case ot_string:
		take_string(w, oh, key);
		break;
	case ot_array:
		look_array(w, oh, depth);
		break;
	case ot_dictionary:
		look_dictionary(w, oh, depth);
		break;
	case ot_stream:
		step(w, qpdf_oh_get_dict(w->q, oh), NULL, depth);
		break;
	default:
		break;
	}
	failed(w);
}

static void walk_objects(struct walk *w)
{
	qpdf_oh oh;

	w->seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	g_queue_init(&w->todo);
	step(w, qpdf_get_trailer(w->q), NULL, 0);
	while ((oh = GPOINTER_TO_UINT(g_queue_pop_head(&w->todo)))) {
		look(w, oh, NULL, 0);
		qpdf_oh_release(w->q, oh);
	}
	g_hash_table_destroy(w->seen);
}

/* Why was it not opened? */
static enum vtm_pdf_result refused(qpdf_data q)
{
	qpdf_error e = qpdf_get_error(q);

	return e && qpdf_get_error_code(q, e) == qpdf_e_password ? VTM_PDF_ENCRYPTED : VTM_PDF_BROKEN;
}

enum vtm_pdf_result vtm_pdf_walk(const void *data, size_t len, vtm_pdf_each *each, void *arg)
{
	struct walk w = { .each = each, .arg = arg };
	enum vtm_pdf_result result;

	if (!vtm_pdf_is(data, len))
		return VTM_PDF_NONE;
	w.q = qpdf_init();
	qpdf_silence_errors(w.q);
	qpdf_set_suppress_warnings(w.q, QPDF_TRUE);
	if (qpdf_read_memory(w.q, "", data, len, NULL) & (QPDF_ERRORS)) {
		result = refused(w.q);
	} else {
		walk_objects(&w);
		/* A warning says that it was mended, and nobody knows what got lost: where qpdf has to find the objects
		 * itself, it passes over those in object streams without a word. */
		w.broken = w.broken || qpdf_more_warnings(w.q);
		result = w.capped ? VTM_PDF_CAPPED : w.broken ? VTM_PDF_BROKEN : VTM_PDF_READ;
	}
	qpdf_cleanup(&w.q);
	return result;
}

#else

enum vtm_pdf_result vtm_pdf_walk(const void *data, size_t len, vtm_pdf_each *each, void *arg)
{
	(void)each;
	(void)arg;
	return vtm_pdf_is(data, len) ? VTM_PDF_BROKEN : VTM_PDF_NONE;
}

#endif
