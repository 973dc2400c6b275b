/* SPDX-License-Identifier: BSD-2-Clause */
/* test-pdf.c - links in PDF, of documents written here object by object. */
#include "decode/pdf.h"

#include <gio/gio.h>
#include <string.h>

#include "build-config.h"
#include "tap.h"

#ifdef HAVE_QPDF
#include <qpdf/qpdf-c.h>

/* A document whose objects 1, 2 ... are <objects>, NULL at the end; 1 is the catalog. */
static GString *document(const char *const *objects)
{
	GString *d = g_string_new("%PDF-1.7\n");
	GArray *at = g_array_new(FALSE, FALSE, sizeof(gsize));
	gsize start;

	for (guint i = 0; objects[i]; i++) {
		g_array_append_val(at, d->len);
		g_string_append_printf(d, "%u 0 obj\n%s\nendobj\n", i + 1, objects[i]);
	}
	start = d->len;
	g_string_append_printf(d, "xref\n0 %u\n0000000000 65535 f \n", at->len + 1);
	for (guint i = 0; i < at->len; i++)
		g_string_append_printf(d, "%010" G_GSIZE_FORMAT " 00000 n \n", g_array_index(at, gsize, i));
	g_string_append_printf(d, "trailer\n<</Size %u/Root 1 0 R>>\nstartxref\n%" G_GSIZE_FORMAT "\n%%%%EOF\n", at->len + 1,
			       start);
	g_array_free(at, TRUE);
	return d;
}

/* What is behind the catalog <extra> and one page with <annotations>. */
static GString *page(const char *extra, const char *annotations)
{
	char *catalog = g_strdup_printf("<</Type/Catalog/Pages 2 0 R%s>>", extra);
	char *leaf = g_strdup_printf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Annots[%s]>>", annotations);
	const char *const objects[] = { catalog, "<</Type/Pages/Kids[3 0 R]/Count 1>>", leaf, NULL };
	GString *d = document(objects);

	g_free(catalog);
	g_free(leaf);
	return d;
}

static void each(const struct vtm_pdf_found *f, void *arg)
{
	g_string_append_printf(arg, "%s %.60s\n", f->kind == VTM_PDF_LINK ? "link" : "text", f->text);
	if (strlen(f->text) != f->len || !g_utf8_validate(f->text, (gssize)f->len, NULL))
		g_string_append(arg, "out of contract\n");
}

static enum vtm_pdf_result walk(const char *data, size_t len, char **got_r)
{
	char *exact = g_memdup2(data, len);	/* so that a sanitizer sees the end */
	GString *got = g_string_new(NULL);
	enum vtm_pdf_result r = vtm_pdf_walk(exact, len, each, got);

	g_free(exact);
	*got_r = g_string_free(got, FALSE);
	return r;
}

static void check(GString *d, enum vtm_pdf_result want_result, const char *want, const char *what)
{
	char *got;

	is_int(walk(d->str, d->len, &got), want_result, "%s: result", what);
	is_str(got, want, "%s", what);
	g_free(got);
	g_string_free(d, TRUE);
}

#define LINK(action) "<</Type/Annot/Subtype/Link/Rect[0 0 1 1]/A<<" action ">>>>"

static void links(void)
{
	static const struct { const char *extra, *annotations, *want, *what; } rows[] = {
		{ "", LINK("/S/URI/URI(https://a.example/1)") LINK("/S/URI/URI(http://b.example/)"),
		  "link https://a.example/1\nlink http://b.example/\n", "two links" },
		{ "/OpenAction<</S/URI/URI(https://open.example/)>>", "", "link https://open.example/\n", "on opening" },
		{ "", LINK("/S/GoTo/D(x)/Next[<</S/URI/URI(https://next.example/)>>]"), "link https://next.example/\n",
		  "the next action" },
		{ "", "<</Subtype/Widget/AA<</D<</S/URI/URI(https://down.example/)>>>>>>", "link https://down.example/\n",
		  "when a key goes down" },
		{ "", LINK("/S/SubmitForm/F<</FS/URL/F(https://form.example/post)>>"), "link https://form.example/post\n",
		  "where a form goes" },
		{ "", LINK("/S/GoToR/F<</Type/Filespec/F(other.pdf)/UF(other.pdf)>>/D[0/Fit]"), "", "another file" },
		{ "", LINK("/S/GoToR/F<</FS/URL/F(https://c.example/o.pdf)>>"), "link https://c.example/o.pdf\n",
		  "another file on the Web" },
		{ "", LINK("/S/#55RI/#55#52I(https://name.example/)"), "link https://name.example/\n", "names in escapes" },
		{ "", LINK("/S/URI/URI(https://e.example/\\\n\\141\\(1\\))"), "link https://e.example/a(1)\n",
		  "a string in escapes" },
		{ "", LINK("/S/URI/URI<68747470733a2f2f682e6578616d706c652f>"), "link https://h.example/\n", "a string in hex" },
		{ "", LINK("/S/URI/URI<feff0068007400740070003a002f002f0075002e006500780061006d0070006c0065002f>"),
		  "link http://u.example/\n", "UTF-16" },
		{ "", LINK("/S/URI/URI(www.w.example/x)"), "link www.w.example/x\n", "without a scheme" },
		{ "", "<</Subtype/Text/Contents(Pay at https://t.example/x now)>>", "text Pay at https://t.example/x now\n",
		  "the text of a note" },
		{ "/OpenAction<</S/JavaScript/JS(app.launchURL\\(\"https://js.example/\",true\\))>>", "",
		  "text app.launchURL(\"https://js.example/\",true)\n", "a script" },
		{ "/Outlines<</First<</Title(x)/A<</S/URI/URI(https://mark.example/)>>>>>>", "", "link https://mark.example/\n",
		  "a bookmark" },
		{ "", LINK("/S/URI/URI(mailto:a@example.com)"), "link mailto:a@example.com\n", "another scheme" },
		{ "/Lang(en)/X(y)", "", "", "no links" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		check(page(rows[i].extra, rows[i].annotations), VTM_PDF_READ, rows[i].want, rows[i].what);
}

/* Objects of their own: the action, its URI, a circle, an object nobody refers to. */
static void indirect(void)
{
	static const char *const objects[] = {
		"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/Annots 4 0 R>>", "[5 0 R 5 0 R]", "<</Subtype/Link/A 6 0 R/Popup 5 0 R>>",
		"<</S/URI/URI 7 0 R/Next 6 0 R>>", "(https://far.example/)", "<</S/URI/URI(https://lost.example/)>>", NULL
	};

	check(document(objects), VTM_PDF_READ, "link https://far.example/\n", "each object once");
}

/* Catalog and pages lie in an object stream, and the table of objects is a stream as well. */
static GString *packed_document(void)
{
	static const char *const inside[] = {
		"<</Type/Catalog/Pages 2 0 R/OpenAction 4 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/Annots[<</Subtype/Link/A<</S/URI/URI(https://in.example/)>>>>]>>",
		"<</S/URI/URI(https://deep.example/)>>",
	};
	GString *d = g_string_new("%PDF-1.5\n"), *head = g_string_new(NULL), *body = g_string_new(NULL);
	gsize stream_at, table_at;

	for (guint i = 0; i < G_N_ELEMENTS(inside); i++) {
		g_string_append_printf(head, "%u %" G_GSIZE_FORMAT " ", i + 1, body->len);
		g_string_append_printf(body, "%s ", inside[i]);
	}
	stream_at = d->len;
	g_string_append_printf(d, "5 0 obj\n<</Type/ObjStm/N 4/First %" G_GSIZE_FORMAT "/Length %" G_GSIZE_FORMAT
			       ">>\nstream\n%s%s\nendstream\nendobj\n", head->len, head->len + body->len, head->str, body->str);
	table_at = d->len;
	g_string_append(d, "6 0 obj\n<</Type/XRef/Size 7/W[1 2 1]/Root 1 0 R/Length 28>>\nstream\n");
	g_string_append_len(d, "\0\0\0\377", 4);
	for (guint i = 0; i < 4; i++) {
		const char entry[] = { 2, 0, 5, (char)i };

		g_string_append_len(d, entry, 4);
	}
	for (guint i = 0; i < 2; i++) {
		gsize at = i ? table_at : stream_at;
		const char entry[] = { 1, (char)(at >> 8), (char)at, 0 };

		g_string_append_len(d, entry, 4);
	}
	g_string_append_printf(d, "\nendstream\nendobj\nstartxref\n%" G_GSIZE_FORMAT "\n%%%%EOF\n", table_at);
	g_string_free(head, TRUE);
	g_string_free(body, TRUE);
	return d;
}

/* qpdf does not look into object streams when it has to find the objects itself, and warns of nothing but that: so what
 * it warned of is never called read, however good the rest looks. */
static void object_stream(void)
{
	GString *d = packed_document();
	char *got;

	memcpy((char *)memmem(d->str, d->len, "startxref", 9) + 10, "000", 3);	/* NUL inside */
	is_int(walk(d->str, d->len, &got), VTM_PDF_BROKEN, "object streams behind a table that is not there");
	diag("found: %s", *got ? got : "nothing");
	g_free(got);
	g_string_free(d, TRUE);
	check(packed_document(), VTM_PDF_READ, "link https://deep.example/\nlink https://in.example/\n", "object streams");
}

/* The same document behind a password. */
static GString *locked(const char *user, const char *owner)
{
	GString *d = page("", LINK("/S/URI/URI(https://locked.example/)"));
	qpdf_data q = qpdf_init();

	qpdf_read_memory(q, "", d->str, d->len, NULL);
	qpdf_init_write_memory(q);
	qpdf_set_r6_encryption_parameters2(q, user, owner, 1, 1, 1, 1, 1, 1, qpdf_r3p_full, 1);
	qpdf_write(q);
	g_string_truncate(d, 0);
	g_string_append_len(d, (const char *)qpdf_get_buffer(q), (gssize)qpdf_get_buffer_length(q));
	qpdf_cleanup(&q);
	return d;
}

static void not_read(void)
{
	GString *d = page("", LINK("/S/URI/URI(https://a.example/1)")), *cut;

	check(g_string_new("x%PDE-1.7\n"), VTM_PDF_NONE, "", "no PDF");
	check(g_string_new(""), VTM_PDF_NONE, "", "nothing");
	check(g_string_new("%PDF-1.7\n"), VTM_PDF_BROKEN, "", "a header alone");
	cut = g_string_new_len(d->str, (gssize)(g_strstr_len(d->str, -1, "xref") - d->str));
	check(cut, VTM_PDF_BROKEN, "", "cut before its table");
	/* a reader mends this as well */
	cut = g_string_new(d->str);
	memcpy(g_strstr_len(cut->str, -1, "startxref") + 10, "000", 3);
	check(cut, VTM_PDF_BROKEN, "link https://a.example/1\n", "a table that is not there");
	g_string_prepend(d, "junk in front\n");
	check(d, VTM_PDF_READ, "link https://a.example/1\n", "what comes before the header is passed over");
	check(locked("secret", "o"), VTM_PDF_ENCRYPTED, "", "a password to open it");
	check(locked("", "o"), VTM_PDF_READ, "link https://locked.example/\n", "a password to change it");
}

static void bounds(void)
{
	GString *many = g_string_new(NULL), *long_text = g_string_new(NULL), *deep = g_string_new(NULL);
	GPtrArray *objects = g_ptr_array_new_with_free_func(g_free);
	GString *d;
	char *got;

	for (guint i = 0; i <= VTM_PDF_FOUND_MAX; i++)
		g_string_append(many, LINK("/S/URI/URI(https://m.example/)"));
	d = page("", many->str);
	is_int(walk(d->str, d->len, &got), VTM_PDF_CAPPED, "one link too many");
	is_int((int)strlen(got), VTM_PDF_FOUND_MAX * (int)strlen("link https://m.example/\n"), "the others are given");
	g_free(got);
	g_string_free(d, TRUE);
	g_string_truncate(many, many->len - strlen(LINK("/S/URI/URI(https://m.example/)")));
	d = page("", many->str);
	is_int(walk(d->str, d->len, &got), VTM_PDF_READ, "as many as there may be");
	g_free(got);
	g_string_free(d, TRUE);

	g_string_append(long_text, "<</Contents(https://l.example/");
	while (long_text->len <= VTM_PDF_TEXT_MAX / 3 + 30)
		g_string_append_c(long_text, 'x');
	g_string_append(long_text, ")>>");
	check(page("", long_text->str), VTM_PDF_CAPPED, "", "too long a string");

	for (guint i = 0; i < 100; i++)
		g_string_append_c(deep, '[');
	g_string_append(deep, "(https://d.example/)");
	for (guint i = 0; i < 100; i++)
		g_string_append_c(deep, ']');
	check(page("", deep->str), VTM_PDF_CAPPED, "", "arrays in arrays");

	/* qpdf 12 wants pages, which come first */
	g_ptr_array_add(objects, g_strdup("<</Type/Catalog/Pages 2 0 R/X 3 0 R>>"));
	g_ptr_array_add(objects, g_strdup("<</Type/Pages/Kids[]/Count 0>>"));
	for (guint i = 3; i <= VTM_PDF_OBJECTS_MAX + 1; i++)
		g_ptr_array_add(objects, g_strdup_printf("[%u 0 R]", i + 1));
	g_ptr_array_add(objects, g_strdup("[(https://end.example/)]"));
	g_ptr_array_add(objects, NULL);
	check(document((const char *const *)objects->pdata), VTM_PDF_CAPPED, "", "a chain of too many objects");
	g_ptr_array_unref(objects);
	g_string_free(many, TRUE);
	g_string_free(long_text, TRUE);
	g_string_free(deep, TRUE);
}

int main(void)
{
	links();
	indirect();
	object_stream();
	not_read();
	bounds();
	return done_testing();
}

#else

static void never(const struct vtm_pdf_found *f, void *arg)
{
	(void)f;
	(void)arg;
}

int main(void)
{
	is_int(vtm_pdf_walk("%PDF-1.7\n", 9, never, NULL), VTM_PDF_BROKEN, "not built in: not read, and said so");
	return done_testing();
}

#endif
