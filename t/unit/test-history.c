/* SPDX-License-Identifier: BSD-2-Clause */
/* test-history.c - records of what was seen: names, changes, bytes. */
#include <string.h>

#include "base/hash.h"
#include "risk/history.h"
#include "tap.h"

#define HOUR0 (24u * 20000)	/* midnight of day 20000 */

static void hmac(void)
{
	/* RFC 4231, test cases 1 and 2 */
	uint8_t key[20], digest[VTM_SHA256_LEN];
	char hex[VTM_SHA256_HEX];

	memset(key, 0x0b, sizeof(key));
	vtm_hmac_sha256(key, sizeof(key), "Hi There", 8, digest);
	vtm_hex(digest, hex);
	is_str(hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7", "HMAC: RFC 4231's first case");
	vtm_hmac_sha256((const uint8_t *)"Jefe", 4, "what do ya want for nothing?", 28, digest);
	vtm_hex(digest, hex);
	is_str(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", "its second");
}

static void names(void)
{
	uint8_t secret[VTM_HISTORY_SECRET] = { 1 }, other[VTM_HISTORY_SECRET] = { 2 };
	struct vtm_history_key a = vtm_history_key_of(secret, VTM_HISTORY_LINK, "example.com");
	struct vtm_history_key b = vtm_history_key_of(secret, VTM_HISTORY_FROM, "example.com");
	char longest[VTM_HISTORY_NAME + 2];

	is_int((int)(a.id >> 60), 0, "an id leaves four bits for the kind");
	ok(a.id == vtm_history_key_of(secret, VTM_HISTORY_LINK, "example.com").id, "a name has one key");
	ok(a.id != b.id && a.kind != b.kind, "another one as a sender");
	ok(a.id != vtm_history_key_of(other, VTM_HISTORY_LINK, "example.com").id, "another one by another secret");
	ok(a.id != vtm_history_key_of(secret, VTM_HISTORY_LINK, "example.org").id, "as has another name");
	memset(longest, 'a', sizeof(longest));
	longest[VTM_HISTORY_NAME + 1] = '\0';
	b = vtm_history_key_of(secret, VTM_HISTORY_LINK, longest);
	longest[VTM_HISTORY_NAME] = '\0';
	ok(b.id == vtm_history_key_of(secret, VTM_HISTORY_LINK, longest).id, "%d bytes of a name count",
	   VTM_HISTORY_NAME);
	ok(vtm_history_sender(&(struct vtm_history_key){ .id = UINT64_C(7) << 32 }) != 0, "a sender is never 0");
}

static struct vtm_sighting seen(uint32_t hour, uint32_t sender)
{
	return (struct vtm_sighting){ .hour = hour, .messages = 1, .sender = sender };
}

static void answer(struct vtm_history *h, uint32_t hour, enum vtm_history_answer a)
{
	vtm_history_note(h, &(struct vtm_sighting){ .hour = hour, .answer = (uint8_t)a });
}

static void changes(void)
{
	struct vtm_history h = { 0 };
	struct vtm_sighting s = seen(HOUR0 + 5, 11);

	vtm_history_note(&h, &s);
	ok(h.found && h.first_hour == HOUR0 + 5 && h.last_day == 20000 && h.days == 1 && h.messages == 1,
	   "the first sighting begins a record");
	s.hour += 10;
	vtm_history_note(&h, &s);
	ok(h.days == 1 && h.messages == 2 && h.n_senders == 1, "the same sender on the same day");
	s = seen(HOUR0 + 24, 12);
	vtm_history_note(&h, &s);
	ok(h.days == 2 && h.last_day == 20001 && h.n_senders == 2, "another one on the next day");
	s = seen(HOUR0 - 24, 0);
	vtm_history_note(&h, &s);
	ok(h.first_hour == HOUR0 - 24 && h.last_day == 20001 && h.days == 3 && h.n_senders == 2,
	   "older mail that is learned later makes a record older, and never younger");
	for (uint32_t i = 0; i < 3; i++) {
		s = seen(HOUR0 + 24, 20 + i);
		vtm_history_note(&h, &s);
	}
	is_int(h.n_senders, VTM_HISTORY_SENDERS, "%d senders are told apart", VTM_HISTORY_SENDERS);
	s.messages = 65535;
	vtm_history_note(&h, &s);
	is_int(h.messages, VTM_HISTORY_MESSAGES, "messages are counted up to %d", VTM_HISTORY_MESSAGES);
	h.days = VTM_HISTORY_MESSAGES;
	s.hour += 24;
	vtm_history_note(&h, &s);
	is_int(h.days, VTM_HISTORY_MESSAGES, "and days");
}

static void answers(void)
{
	struct vtm_history h = { 0 };
	struct vtm_sighting s;

	answer(&h, HOUR0, VTM_HISTORY_UNKNOWN);
	ok(h.found && h.messages == 0 && h.answer == VTM_HISTORY_UNKNOWN, "an answer begins a record, too");
	s = seen(HOUR0 + 30, 1);
	vtm_history_note(&h, &s);
	ok(h.days == 1 && h.first_hour == HOUR0 + 30, "which is first seen by its first message");
	answer(&h, HOUR0 + 1, VTM_HISTORY_CLEAN);
	is_int(h.answer, VTM_HISTORY_UNKNOWN, "the worst answer of a day counts");
	answer(&h, HOUR0 + 24, VTM_HISTORY_CLEAN);
	is_int(h.answer, VTM_HISTORY_CLEAN, "that of a later day comes in its place");
	answer(&h, HOUR0, VTM_HISTORY_UNKNOWN);
	is_int(h.answer, VTM_HISTORY_CLEAN, "that of an earlier one does not");
	answer(&h, HOUR0 + 48, VTM_HISTORY_BAD);
	answer(&h, HOUR0 + 48 + 24 * VTM_HISTORY_BAD_DAYS, VTM_HISTORY_CLEAN);
	ok(h.answer == VTM_HISTORY_BAD && h.answer_hour == HOUR0 + 48, "a bad one stays for %d days",
	   VTM_HISTORY_BAD_DAYS);
	answer(&h, HOUR0 + 48 + 24 * (VTM_HISTORY_BAD_DAYS + 1), VTM_HISTORY_CLEAN);
	is_int(h.answer, VTM_HISTORY_CLEAN, "and no longer");
	answer(&h, HOUR0 + 48 + 24, VTM_HISTORY_BAD);
	is_int(h.answer, VTM_HISTORY_BAD, "a bad one that comes late covers a clean one that it would have covered");
	answer(&h, HOUR0, VTM_HISTORY_BAD);
	is_int((int)h.answer_hour, HOUR0 + 48 + 24, "an older bad one does not make it older");
}

static void known(void)
{
	struct vtm_history h = { .found = true, .messages = 10, .days = 2, .n_senders = 2,
				 .answer = VTM_HISTORY_CLEAN };
	struct vtm_history most = h, few = h, day = h, one = h, never = h, worst = h;

	most.answer = VTM_HISTORY_UNKNOWN;
	few.messages = 9;
	day.days = 1;
	one.n_senders = 1;
	never.answer = VTM_HISTORY_NONE;
	worst.answer = VTM_HISTORY_BAD;
	ok(vtm_history_known(&h) && vtm_history_known(&most), "ten messages, two days, two senders, not bad: known");
	ok(!vtm_history_known(&few) && !vtm_history_known(&day) && !vtm_history_known(&one),
	   "one message, day or sender less: not known");
	ok(!vtm_history_known(&never), "a domain that was never answered is not known");
	ok(!vtm_history_known(&worst), "nor is one that is bad");
	ok(!vtm_history_known(&(struct vtm_history){ 0 }), "nor what was never seen");
}

static void reach(void)
{
	struct vtm_history_day days[] = { { 20000, 5, 0 }, { 19999, 0, 3 }, { 19998, 1, 0 }, { 20001, 9, 0 } };

	is_int(vtm_history_reach(days, 4, 20001), 2, "days with mail before today are counted");
	is_int(vtm_history_reach(days, 0, 20001), 0, "a new store has none");
}

static void packed(void)
{
	struct vtm_history h = { .found = true, .first_hour = 0x01020304, .last_day = 65535, .days = 513,
				 .messages = 65535, .n_senders = 4, .senders = { 1, 0xffffffff, 3, 0x80000000 },
				 .answer = VTM_HISTORY_BAD, .answer_hour = 0xfffffffe }, back;
	uint8_t bytes[VTM_HISTORY_PACKED], again[VTM_HISTORY_PACKED];
	size_t len = vtm_history_pack(&h, bytes), refused = 0;

	ok(len <= VTM_HISTORY_PACKED && vtm_history_unpack(bytes, len, h.last_day, &back) &&
	   back.last_day == 65535 && back.senders[3] == 0x80000000 && back.answer_hour == 0xfffffffe &&
	   vtm_history_pack(&back, again) == len && !memcmp(bytes, again, len), "every number comes back");
	for (size_t n = 0; n < len; n++)
		refused += !vtm_history_unpack(bytes, n, 1, &back) && !back.found;
	is_int((int)refused, (int)len, "no shorter bytes are taken");
	bytes[9] = VTM_HISTORY_BAD + 1;
	ok(!vtm_history_unpack(bytes, len, 1, &back), "nor an answer that is none");
	bytes[9] = VTM_HISTORY_BAD;
	bytes[10] = VTM_HISTORY_SENDERS + 1;
	ok(!vtm_history_unpack(bytes, len + 4, 1, &back), "nor too many senders");
	bytes[10] = VTM_HISTORY_SENDERS;
	bytes[0]++;
	ok(!vtm_history_unpack(bytes, len, 1, &back), "nor another form");
	ok(!vtm_history_unpack(NULL, 0, 1, &back), "nor nothing");
}

int main(void)
{
	hmac();
	names();
	changes();
	answers();
	known();
	reach();
	packed();
	return done_testing();
}
