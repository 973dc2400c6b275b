/* SPDX-License-Identifier: BSD-2-Clause */
/* test-verdict.c - verdict, item, lookup and hash. */
#include <string.h>

#include "base/hash.h"
#include "model/item.h"
#include "model/lookup.h"
#include "tap.h"
#include "model/verdict.h"

static void judge(void)
{
	static const struct {
		const char *what;
		struct vtm_report r;
		uint32_t threshold;
		enum vtm_verdict want;
	} cases[] = {
		{ "no numbers at all", { 0 }, 2, VTM_UNKNOWN },
		{ "nobody looked but time-outs", { .engines = 70 }, 2, VTM_UNKNOWN },
		{ "harmless", { .harmless = 1 }, 2, VTM_CLEAN },
		{ "undetected", { .undetected = 60 }, 2, VTM_CLEAN },
		{ "below the threshold", { .malicious = 1, .undetected = 60 }, 2, VTM_CLEAN },
		{ "below the threshold, nobody else", { .malicious = 1 }, 2, VTM_UNKNOWN },
		{ "at the threshold", { .malicious = 2, .undetected = 60 }, 2, VTM_BAD },
		{ "a threshold of 0 counts as 1", { .undetected = 60 }, 0, VTM_CLEAN },
		{ "a host is never clean", { .match = VTM_MATCH_HOST, .harmless = 90 }, 2, VTM_UNKNOWN },
		{ "a host can be bad", { .match = VTM_MATCH_HOST, .malicious = 5 }, 2, VTM_BAD },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct vtm_report r = cases[i].r;

		vtm_report_judge(&r, cases[i].threshold);
		is_str(vtm_verdict_name(r.verdict), vtm_verdict_name(cases[i].want), "judged: %s", cases[i].what);
	}
	for (int v = 0; v < VTM_VERDICTS; v++) {
		enum vtm_verdict back = VTM_BAD;

		ok(vtm_verdict_parse(vtm_verdict_name((enum vtm_verdict)v), &back) && (int)back == v,
		   "verdict %d has a name that reads back", v);
	}
	for (int w = 0; w < VTM_REASONS; w++) {
		enum vtm_reason back = VTM_WHY_NONE;

		ok(vtm_reason_parse(vtm_reason_name((enum vtm_reason)w), &back) && (int)back == w,
		   "reason %d has a name that reads back", w);
	}
}

static void lookups(void)
{
	struct vtm_lookup *l, *c;
	char hex[65];

	l = vtm_lookup_new(VTM_LOOKUP_URL, "http://example.com/");
	vtm_key_hex(&l->key, hex);
	is_str(hex, "2a1b402420ef46577471cdc7409b0fa2c6a204db316e59ade2d805435489a067",
	       "a url's key is VirusTotal's id of it");
	c = vtm_lookup_copy(l);
	ok(vtm_key_equal(&c->key, &l->key) && vtm_key_hash(&c->key) == vtm_key_hash(&l->key), "a copy has the same key");
	c->key.kind = VTM_LOOKUP_HOST;
	ok(!vtm_key_equal(&c->key, &l->key), "the kind is part of the key");
	vtm_lookup_free(c);
	vtm_lookup_free(l);
	l = vtm_lookup_new(VTM_LOOKUP_FILE, "2A1B402420EF46577471CDC7409B0FA2C6A204DB316E59ADE2D805435489A067");
	is_str(l->subject, "2a1b402420ef46577471cdc7409b0fa2c6a204db316e59ade2d805435489a067", "hex in lower case");
	vtm_lookup_free(l);
	ok(!vtm_lookup_new(VTM_LOOKUP_FILE, "2a1b"), "a short hash is refused");
	ok(!vtm_lookup_new(VTM_LOOKUP_FILE, "http://example.com/"), "a url is no hash");
	ok(!vtm_lookup_new(VTM_LOOKUP_URL, ""), "an empty subject is refused");
	ok(!vtm_lookup_new(VTM_LOOKUP_URL, "http://a/\n"), "a control character is refused");

	char *most = g_strnfill(8192, 'a'), *more = g_strnfill(8193, 'a');

	l = vtm_lookup_new(VTM_LOOKUP_URL, most);
	ok(l != NULL, "8192 bytes are taken");
	ok(!vtm_lookup_new(VTM_LOOKUP_URL, more), "8193 are not");
	vtm_lookup_free(l);
	g_free(most);
	g_free(more);
}

static void items(void)
{
	struct vtm_items *list = vtm_items_new();
	struct vtm_item *a = vtm_item_new(VTM_URL, "http://a/"), *b = vtm_item_new(VTM_URL, "http://a/");
	struct vtm_item *c = vtm_item_new(VTM_ATTACHMENT, "00"), *d = vtm_item_new(VTM_ATTACHMENT, "00");

	a->role = VTM_ROLE_RESOURCE;
	a->wrapper = true;
	b->role = VTM_ROLE_LINK;
	d->group = 1;
	ok(vtm_items_add(list, a) == a, "the first is kept");
	ok(vtm_items_add(list, b) == a && list->list->len == 1, "the second of the same url is not");
	ok(a->role == VTM_ROLE_LINK, "the stronger role wins");
	ok(!a->wrapper, "a url that also stands alone is judged");
	is_str(vtm_verdict_name(a->report.verdict), "bypassed", "a fresh item says bypassed");
	vtm_items_add(list, c);
	vtm_items_add(list, d);
	is_int(list->list->len, 3, "readings of an ambiguous part are items of their own");
	vtm_items_free(list);
}

static void hash(void)
{
	static const char empty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	struct vtm_sha256 *s = vtm_sha256_new();
	uint8_t once[32], parts[32];
	char hex[VTM_SHA256_HEX];

	vtm_sha256_end(s, parts);
	vtm_hex(parts, hex);
	is_str(hex, empty, "SHA-256 of nothing");
	vtm_sha256_add(s, "a", 1);
	vtm_sha256_add(s, "bc", 2);
	vtm_sha256_end(s, parts);
	vtm_sha256("abc", 3, once);
	ok(!memcmp(once, parts, 32), "in parts as in one go");
	vtm_hex(once, hex);
	is_str(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "FIPS 180-2's example");
	ok(vtm_unhex(hex, parts) == 0 && !memcmp(once, parts, 32), "hex reads back");
	ok(vtm_unhex("zz", parts) < 0, "no hex is refused");
	hex[63] = '\0';
	ok(vtm_unhex(hex, parts) < 0, "63 digits are refused");
	vtm_sha256_free(s);
}

int main(void)
{
	judge();
	lookups();
	items();
	hash();
	return done_testing();
}
