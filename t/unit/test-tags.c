/* SPDX-License-Identifier: BSD-2-Clause */
/* test-tags.c - verdicts to tags, and headers that no sender can bend. */
#include <string.h>

#include "model/tags.h"
#include "tap.h"

#define HASH "2a1b402420ef46577471cdc7409b0fa2c6a204db316e59ade2d805435489a067"
#define URL "http://example.com/"	/* whose SHA-256 is HASH */

static struct vtm_item *item(enum vtm_kind kind, enum vtm_verdict verdict, enum vtm_reason reason)
{
	struct vtm_item *i = vtm_item_new(kind, kind == VTM_URL ? URL : HASH);

	i->report.verdict = verdict;
	i->report.reason = reason;
	return i;
}

static void is_tags(uint32_t got, const char *want, const char *what)
{
	char *text = vtm_tags_text(got);

	is_str(text, want, "tags: %s", what);
	g_free(text);
}

static void names(void)
{
	for (int t = 0; t < VTM_TAGS; t++) {
		const char *name = vtm_tag_name((enum vtm_tag)t);
		char *upper = g_ascii_strup(name + 3, -1);
		enum vtm_tag back = VTM_TAG_BAD, again = VTM_TAG_BAD;

		ok(vtm_tag_parse(name, &back) && (int)back == t && vtm_tag_parse(upper, &again) && (int)again == t,
		   "%s reads back, with and without VT_, in any case", name);
		g_free(upper);
	}
	ok(!vtm_tag_parse("VT_Badly", &(enum vtm_tag){ 0 }) && !vtm_tag_parse("", &(enum vtm_tag){ 0 }) &&
	   !vtm_tag_parse("VT_", &(enum vtm_tag){ 0 }) && !vtm_tag_parse("VT_VT_Bad", &(enum vtm_tag){ 0 }),
	   "no other word is a tag");
	is_tags((1u << VTM_TAGS) - 1,
		"VT_Bad VT_Hash_not_found VT_URL_not_found VT_Bypassed VT_Pending VT_Ignored VT_Scanned",
		"all, in the order of the headers");
	is_tags(0, "", "none");
}

/* Every verdict with every reason, of both kinds: the table in the manual, once more and by hand. */
static void one_item(void)
{
	for (int kind = VTM_ATTACHMENT; kind <= VTM_URL; kind++)
		for (int reason = 0; reason < VTM_REASONS; reason++)
			for (int v = 0; v < VTM_VERDICTS; v++) {
				struct vtm_item *i = item((enum vtm_kind)kind, (enum vtm_verdict)v,
							  (enum vtm_reason)reason);
				char *got = vtm_tags_text(vtm_tags_of_list(&i, 1));
				const char *want = NULL;

				if (v == VTM_BAD)
					want = "VT_Bad";
				else if (v == VTM_CLEAN)
					want = "VT_Scanned";
				else if (v == VTM_UNKNOWN)
					want = kind == VTM_URL ? "VT_URL_not_found" : "VT_Hash_not_found";
				else if (v == VTM_IGNORED)
					want = "VT_Ignored";
				else if (v == VTM_PENDING)
					want = "VT_Bypassed VT_Pending";
				else
					want = reason == VTM_WHY_DISABLED ? "" : "VT_Bypassed";
				if (g_strcmp0(got, want))
					ok(false, "%s %s %s: got '%s', want '%s'", vtm_kind_name((enum vtm_kind)kind),
					   vtm_verdict_name((enum vtm_verdict)v),
					   vtm_reason_name((enum vtm_reason)reason), got, want);
				g_free(got);
				vtm_item_free(i);
			}
	ok(true, "every verdict with every reason has its tags");
}

struct want {
	const char *what;
	struct {
		enum vtm_kind kind;
		enum vtm_verdict verdict;
		unsigned group;
		bool wrapper;
		enum vtm_match match;
	} items[4];
	unsigned n;
	const char *tags;
};

static void several(void)
{
	static const struct want cases[] = {
		{ "no items", { { 0 } }, 0, "" },
		{ "one of each",
		  { { VTM_ATTACHMENT, VTM_CLEAN, 0, 0, 0 },
		    { VTM_URL, VTM_BAD, 0, 0, 0 },
		    { VTM_URL, VTM_IGNORED, 0, 0, 0 },
		    { VTM_ATTACHMENT, VTM_UNKNOWN, 0, 0, 0 } },
		  4,
		  "VT_Bad VT_Hash_not_found VT_Ignored VT_Scanned" },
		{ "a wrapper alone", { { VTM_URL, VTM_BAD, 0, true, 0 } }, 1, "" },
		{ "a clean wrapper of an unknown target",
		  { { VTM_URL, VTM_CLEAN, 0, true, 0 }, { VTM_URL, VTM_UNKNOWN, 0, 0, 0 } },
		  2,
		  "VT_URL_not_found" },
		{ "all readings clean",
		  { { VTM_ATTACHMENT, VTM_CLEAN, 1, 0, 0 }, { VTM_ATTACHMENT, VTM_CLEAN, 1, 0, 0 } },
		  2,
		  "VT_Scanned" },
		{ "a reading unknown",
		  { { VTM_ATTACHMENT, VTM_CLEAN, 1, 0, 0 }, { VTM_ATTACHMENT, VTM_UNKNOWN, 1, 0, 0 } },
		  2,
		  "VT_Hash_not_found" },
		{ "a reading bypassed",
		  { { VTM_ATTACHMENT, VTM_CLEAN, 1, 0, 0 }, { VTM_ATTACHMENT, VTM_BYPASSED, 1, 0, 0 } },
		  2,
		  "VT_Bypassed" },
		{ "a reading pending",
		  { { VTM_ATTACHMENT, VTM_CLEAN, 1, 0, 0 }, { VTM_ATTACHMENT, VTM_PENDING, 1, 0, 0 } },
		  2,
		  "VT_Bypassed VT_Pending" },
		{ "a reading bad",
		  { { VTM_ATTACHMENT, VTM_BAD, 1, 0, 0 }, { VTM_ATTACHMENT, VTM_CLEAN, 1, 0, 0 } },
		  2,
		  "VT_Bad" },
		{ "a reading ignored",
		  { { VTM_ATTACHMENT, VTM_IGNORED, 1, 0, 0 }, { VTM_ATTACHMENT, VTM_CLEAN, 1, 0, 0 } },
		  2,
		  "VT_Ignored" },
		{ "another group's readings do not spoil it",
		  { { VTM_ATTACHMENT, VTM_UNKNOWN, 1, 0, 0 },
		    { VTM_ATTACHMENT, VTM_CLEAN, 1, 0, 0 },
		    { VTM_ATTACHMENT, VTM_CLEAN, 2, 0, 0 } },
		  3,
		  "VT_Hash_not_found VT_Scanned" },
		{ "nor a part of its own",
		  { { VTM_ATTACHMENT, VTM_UNKNOWN, 1, 0, 0 },
		    { VTM_ATTACHMENT, VTM_CLEAN, 1, 0, 0 },
		    { VTM_ATTACHMENT, VTM_CLEAN, 0, 0, 0 } },
		  3,
		  "VT_Hash_not_found VT_Scanned" },
		{ "a url known by its host",
		  { { VTM_URL, VTM_UNKNOWN, 0, 0, VTM_MATCH_HOST } },
		  1,
		  "VT_URL_not_found" },
		{ "a host that claims to be clean",
		  { { VTM_URL, VTM_CLEAN, 0, 0, VTM_MATCH_HOST } },
		  1,
		  "VT_URL_not_found" },
		{ "a bad host", { { VTM_URL, VTM_BAD, 0, 0, VTM_MATCH_HOST } }, 1, "VT_Bad" },
	};

	for (size_t c = 0; c < G_N_ELEMENTS(cases); c++) {
		struct vtm_item *list[4] = { NULL };

		for (unsigned i = 0; i < cases[c].n; i++) {
			list[i] = item(cases[c].items[i].kind, cases[c].items[i].verdict, VTM_WHY_NONE);
			list[i]->group = cases[c].items[i].group;
			list[i]->wrapper = cases[c].items[i].wrapper;
			list[i]->report.match = cases[c].items[i].match;
		}
		is_tags(vtm_tags_of_list(list, cases[c].n), cases[c].tags, cases[c].what);
		for (unsigned i = 0; i < cases[c].n; i++)
			vtm_item_free(list[i]);
	}
}

/* An answer that comes later, for a message whose ambiguity the journal knows, and for one without. */
static void again(const struct vtm_items *items)
{
	struct vtm_item *const *list = (struct vtm_item *const *)items->list->pdata;
	uint32_t kept = vtm_tags_to_keep(items, vtm_tags_of(items));

	is_tags(vtm_tags_again(kept, list, items->list->len), "VT_Bypassed", "later, still nothing is called scanned");
	is_tags(vtm_tags_again(0, list, items->list->len), "VT_Scanned", "later, of a message that reads in one way");
}

static void flags(void)
{
	struct vtm_items *items = vtm_items_new();
	struct vtm_item *i = item(VTM_ATTACHMENT, VTM_BYPASSED, VTM_WHY_DISABLED);

	is_tags(vtm_tags_of(items), "", "a message without items");
	vtm_items_add(items, i);
	i->group = 1;
	is_tags(vtm_tags_of(items), "", "with an item of a kind that is turned off");
	vtm_items_add(items, item(VTM_URL, VTM_CLEAN, VTM_WHY_NONE));
	is_tags(vtm_tags_of(items), "VT_Scanned", "which spoils nothing");
	items->capped = true;
	is_tags(vtm_tags_of(items), "VT_Bypassed VT_Scanned", "capped");
	items->capped = false;
	items->partial = true;
	is_tags(vtm_tags_of(items), "VT_Bypassed VT_Scanned", "partial");
	items->partial = false;
	items->undecoded = true;
	is_tags(vtm_tags_of(items), "VT_Bypassed", "undecoded: nothing is called scanned");
	items->undecoded = false;
	items->unfinished = true;
	is_tags(vtm_tags_of(items), "VT_Bypassed", "unfinished: nothing is called scanned");
	items->unfinished = false;
	items->ambiguous = true;
	is_tags(vtm_tags_of(items), "VT_Bypassed", "ambiguous: nothing is called scanned");
	again(items);
	vtm_items_free(items);
	items = vtm_items_new();
	items->unparsable = true;
	is_tags(vtm_tags_of(items), "VT_Bypassed", "unparsable");
	vtm_items_free(items);
}

/* Checks what holds for every header value. */
static bool header_sound(const char *value)
{
	GStrv lines = g_strsplit(value, "\n", -1);
	bool sound = *value != '\0';

	for (unsigned i = 0; lines[i]; i++) {
		sound = sound && strlen(lines[i]) + (i ? 0 : strlen("X-VT-Report: ")) < 998;
		sound = sound && (!i || (lines[i][0] == '\t' && g_ascii_isgraph(lines[i][1])));
		for (const char *p = lines[i] + (i ? 1 : 0); *p; p++)
			sound = sound && *p >= ' ' && *p < 0x7f;
	}
	g_strfreev(lines);
	return sound;
}

static void headers(void)
{
	struct vtm_item *a = item(VTM_ATTACHMENT, VTM_BAD, VTM_WHY_NONE), *u = item(VTM_URL, VTM_CLEAN, VTM_WHY_NONE);
	char *h;

	a->name = g_strdup("invoice.exe");
	a->report.malicious = 41;
	a->report.engines = 72;
	h = vtm_report_header(a);
	is_str(h, "attachment; verdict=bad; detections=41/72;\n\tsha256=" HASH ";\n\tname=\"invoice.exe\"",
	       "an attachment");
	g_free(h);
	a->note = "encrypted";
	g_clear_pointer(&a->name, g_free);
	h = vtm_report_header(a);
	is_str(h, "attachment; verdict=bad; detections=41/72;\n\tsha256=" HASH ";\n\tnote=encrypted", "its note");
	g_free(h);
	u->host = g_strdup("www.example.com");
	u->report.engines = 95;
	h = vtm_report_header(u);
	is_str(h, "url; verdict=clean; detections=0/95; host=www.example.com;\n\tid=" HASH, "a url");
	g_free(h);
	u->report.match = VTM_MATCH_HOST;
	u->report.verdict = VTM_BAD;
	h = vtm_report_header(u);
	is_str(h, "url; verdict=bad; detections=0/95; match=host;\n\thost=www.example.com;\n\tid=" HASH,
	       "a url by its host");
	g_free(h);
	u->report.verdict = VTM_CLEAN;
	h = vtm_report_header(u);
	ok(g_str_has_prefix(h, "url; verdict=unknown;"), "which never reads clean");
	g_free(h);
	g_free(u->host);
	u->host = g_strdup("2001:db8::1");
	u->report.verdict = VTM_BYPASSED;
	u->report.reason = VTM_WHY_BUDGET;
	u->note = "two words";
	h = vtm_report_header(u);
	is_str(h, "url; verdict=bypassed; reason=budget; host=\"2001:db8::1\";\n\tid=" HASH ";\n\tnote=\"two words\"",
	       "one without an answer has a reason and no numbers");
	g_free(h);
	u->report.verdict = VTM_IGNORED;
	u->report.reason = VTM_WHY_NOT_ASKED;
	u->note = NULL;
	h = vtm_report_header(u);
	is_str(h, "url; verdict=ignored; host=\"2001:db8::1\";\n\tid=" HASH, "an ignored one needs none");
	g_free(h);
	vtm_item_free(a);
	vtm_item_free(u);
}

static void injection(void)
{
	char *long_name = g_strnfill(5000, 'x'), *quotes = g_strnfill(500, '"');
	char *cut = g_strconcat(long_name, ".pdf.exe", NULL);
	const char *cases[][2] = {
		{ "a\r\nX-VT-Tag: VT_Scanned", "name=\"aX-VT-Tag: VT_Scanned\"" },
		{ "a\n\n<html>", "name=\"a<html>\"" },
		{ "x\"; verdict=clean; y=\"", "name=\"x\\\"; verdict?clean; y?\\\"\"" },
		{ "x\\", "name=\"x\\\\\"" },
		{ "\\\"", "name=\"\\\\\\\"\"" },
		{ "verdict=bad", "name=\"verdict?bad\"" },
		{ "=?utf-8?q?=0aX?=", "name=\"??utf-8?q??0aX??\"" },
		{ "Größe.pdf", "name=\"Gr??e.pdf\"" },
		{ "a\xe2\x80\xae" "fdp.exe", "name=\"a?fdp.exe\"" },
		{ "a\xff\xfe", "name=\"a??\"" },
		{ "\xc2\x85" "a\x7f\x1b[2J\t", "name=\"a[2J\"" },
		{ "", "name=\"\"" },
		{ cut, "name=\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...xxxxxxxx.pdf.exe\"" },
		{ quotes, NULL },
		{ long_name, NULL },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct vtm_item *a = item(VTM_ATTACHMENT, VTM_UNKNOWN, VTM_WHY_NONE);
		char *h, *got;

		a->name = g_strdup(cases[i][0]);
		h = vtm_report_header(a);
		got = strstr(h, "name=");
		ok(header_sound(h), "name %zu: the header is sound", i);
		if (cases[i][1])
			is_str(got, cases[i][1], "name %zu: as it should be", i);
		ok(got && strlen(got) <= strlen("name=\"\"") + 2 * VTM_HEADER_NAME_MAX, "name %zu: short enough", i);
		g_free(h);
		vtm_item_free(a);
	}
	g_free(cut);
	g_free(long_name);
	g_free(quotes);
}

static void name_bound(void)
{
	for (int n = VTM_HEADER_NAME_MAX; n <= VTM_HEADER_NAME_MAX + 1; n++) {
		struct vtm_item *a = item(VTM_ATTACHMENT, VTM_UNKNOWN, VTM_WHY_NONE);
		char *h;

		a->name = g_strnfill((gsize)n, 'x');
		h = vtm_report_header(a);
		ok(!strstr(h, "...") == (n == VTM_HEADER_NAME_MAX), "a name of %d bytes", n);
		is_int((gint64)strlen(strstr(h, "name=") + 6) - 1, VTM_HEADER_NAME_MAX, "takes as many as it may");
		g_free(h);
		vtm_item_free(a);
	}
}

static void odd_items(void)
{
	struct vtm_item *a = vtm_item_new(VTM_ATTACHMENT, "x\r\nX-VT-Tag: VT_Scanned"),
			*u = vtm_item_new(VTM_URL, "http://a/\n");
	char *h = vtm_report_header(a);

	ok(header_sound(h) && !strstr(h, "sha256") && !strstr(h, "X-VT"), "a subject that is no hash is not written");
	g_free(h);
	u->host = g_strdup("a\r\nb\xff;=\"");
	u->note = "n\r\no";
	h = vtm_report_header(u);
	ok(header_sound(h) && strstr(h, "host=\"ab?;?\\\"\""), "nor a host that is none, raw");
	g_free(h);
	g_free(u->host);
	u->host = g_strdup("");
	h = vtm_report_header(u);
	ok(header_sound(h), "an empty host");
	g_free(h);
	u->report.malicious = u->report.engines = G_MAXUINT32;
	u->report.verdict = VTM_BAD;
	g_free(u->host);
	u->host = g_strnfill(255, 'h');
	h = vtm_report_header(u);
	ok(header_sound(h) && strstr(h, "detections=4294967295/4294967295;"), "the largest numbers and host");
	g_free(h);
	vtm_item_free(a);
	vtm_item_free(u);
}

static struct vtm_item *numbered(struct vtm_items *items, int i, enum vtm_kind kind, enum vtm_verdict v)
{
	char *subject = kind == VTM_URL ? g_strdup_printf("http://%d.example/", i) :
					  g_strdup_printf("%064x", (unsigned)i);
	struct vtm_item *it = vtm_item_new(kind, subject);

	it->report.verdict = v;
	it->report.reason = VTM_WHY_NONE;
	it->name = kind == VTM_ATTACHMENT ? g_strdup_printf("f%d", i) : NULL;
	it->host = kind == VTM_URL ? g_strdup_printf("h%d", i) : NULL;
	g_free(subject);
	return vtm_items_add(items, it);
}

static void order(void)
{
	static const enum vtm_verdict verdicts[] = {
		VTM_CLEAN, VTM_IGNORED, VTM_PENDING, VTM_BYPASSED, VTM_UNKNOWN, VTM_BAD, VTM_BAD,
	};
	static const char *const want[] = {
		"url; verdict=bad; detections=9/0; host=h6", "url; verdict=bad; detections=0/0; host=h5",
		"attachment; verdict=unknown", "url; verdict=unknown", "url; verdict=pending; host=h2",
		"url; verdict=bypassed; host=h3", "url; verdict=ignored", "url; verdict=clean",
	};
	struct vtm_items *items = vtm_items_new();
	GPtrArray *h;

	for (int i = 0; i < (int)G_N_ELEMENTS(verdicts); i++)
		numbered(items, i, VTM_URL, verdicts[i]);
	((struct vtm_item *)g_ptr_array_index(items->list, 6))->report.malicious = 9;
	numbered(items, 7, VTM_ATTACHMENT, VTM_UNKNOWN);
	numbered(items, 8, VTM_URL, VTM_BAD)->wrapper = true;
	numbered(items, 9, VTM_ATTACHMENT, VTM_BYPASSED)->report.reason = VTM_WHY_DISABLED;
	h = vtm_report_headers(items);
	is_int(h->len, G_N_ELEMENTS(want), "wrappers and what is turned off have no header");
	for (guint i = 0; i < MIN(h->len, G_N_ELEMENTS(want)); i++)
		ok(g_str_has_prefix(g_ptr_array_index(h, i), want[i]), "worst first: %s", want[i]);
	g_ptr_array_free(h, TRUE);
	for (int i = 0; i < 30; i++)
		numbered(items, 100 + i, VTM_URL, VTM_CLEAN);
	numbered(items, 200, VTM_ATTACHMENT, VTM_BAD);
	h = vtm_report_headers(items);
	is_int(h->len, VTM_REPORT_HEADERS_MAX, "20 headers and no more");
	ok(strstr(g_ptr_array_index(h, 2), "name=\"f200\"") != NULL, "the last item is among them, since it is bad");
	g_ptr_array_free(h, TRUE);
	vtm_items_free(items);
}

int main(void)
{
	names();
	one_item();
	several();
	flags();
	headers();
	injection();
	name_bound();
	odd_items();
	order();
	return done_testing();
}
