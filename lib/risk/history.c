/* SPDX-License-Identifier: BSD-2-Clause */
/* history.c - names, changes and packs records of what was seen. */
#include "risk/history.h"

#include <string.h>

#include "base/hash.h"

#define FORM 1			/* of a packed record: its first byte */
#define HEAD 15			/* bytes before the senders */
#define ID_MASK ((UINT64_C(1) << 60) - 1)

/* ---- names ---- */

struct vtm_history_key vtm_history_key_of(const uint8_t secret[VTM_HISTORY_SECRET], enum vtm_history_kind kind,
					  const char *name)
{
	uint8_t text[1 + VTM_HISTORY_NAME], digest[VTM_SHA256_LEN];
	struct vtm_history_key key = { .kind = (uint8_t)kind };
	size_t len = strnlen(name, VTM_HISTORY_NAME);

	text[0] = (uint8_t)kind;
	memcpy(text + 1, name, len);
	vtm_hmac_sha256(secret, VTM_HISTORY_SECRET, text, 1 + len, digest);
	for (int i = 0; i < 8; i++)
		key.id = key.id << 8 | digest[i];
	key.id &= ID_MASK;
	return key;
}

uint32_t vtm_history_sender(const struct vtm_history_key *key)
{
	uint32_t hash = (uint32_t)key->id;

	return hash ? hash : 1;
}

/* ---- changes ---- */

static uint16_t add_up(uint16_t a, uint16_t b)
{
	return a > VTM_HISTORY_MESSAGES - b ? VTM_HISTORY_MESSAGES : (uint16_t)(a + b);
}

static void note_sender(struct vtm_history *h, uint32_t sender)
{
	if (!sender || h->n_senders == VTM_HISTORY_SENDERS)
		return;
	for (unsigned i = 0; i < h->n_senders; i++)
		if (h->senders[i] == sender)
			return;
	h->senders[h->n_senders++] = sender;
}

static void note_seen(struct vtm_history *h, const struct vtm_sighting *s)
{
	uint16_t day = vtm_history_day_of(s->hour);

	if (!h->days) {			/* only answers so far */
		h->first_hour = s->hour;
		h->last_day = day;
		h->days = 1;
	} else if (day != h->last_day) {
		h->days = add_up(h->days, 1);
	}
	if (s->hour < h->first_hour)
		h->first_hour = s->hour;
	if (day > h->last_day)
		h->last_day = day;
	h->messages = add_up(h->messages, s->messages);
	note_sender(h, s->sender);
}

/* Does the answer of <s> replace that of <h>? */
static bool replaces(const struct vtm_history *h, const struct vtm_sighting *s)
{
	int day = vtm_history_day_of(s->hour), before = vtm_history_day_of(h->answer_hour);

	if (h->answer == VTM_HISTORY_NONE)
		return true;
	if (h->answer == VTM_HISTORY_BAD && s->answer == VTM_HISTORY_BAD)
		return s->hour >= h->answer_hour;
	if (s->answer == VTM_HISTORY_BAD)
		return day + VTM_HISTORY_BAD_DAYS >= before;
	if (h->answer == VTM_HISTORY_BAD)
		return day > before + VTM_HISTORY_BAD_DAYS;
	return day > before || (day == before && s->answer >= h->answer);
}

static void note_answer(struct vtm_history *h, const struct vtm_sighting *s)
{
	if (!replaces(h, s))
		return;
	h->answer = s->answer;
	h->answer_hour = s->hour;
}

void vtm_history_note(struct vtm_history *h, const struct vtm_sighting *s)
{
	if (!h->found) {
		memset(h, 0, sizeof(*h));
		h->found = true;
		h->first_hour = s->hour;
		h->last_day = vtm_history_day_of(s->hour);
	}
	if (s->messages)
		note_seen(h, s);
	if (s->answer != VTM_HISTORY_NONE)
		note_answer(h, s);
}

/* ---- what a record says ---- */

bool vtm_history_known(const struct vtm_history *h)
{
	return h->found && h->messages >= VTM_HISTORY_KNOWN_MESSAGES && h->days >= VTM_HISTORY_KNOWN_DAYS &&
	       h->n_senders >= VTM_HISTORY_KNOWN_SENDERS &&
	       (h->answer == VTM_HISTORY_CLEAN || h->answer == VTM_HISTORY_UNKNOWN);
}

unsigned vtm_history_reach(const struct vtm_history_day *days, size_t n, uint16_t today)
{
	unsigned reach = 0;

	for (size_t i = 0; i < n; i++)
		reach += days[i].messages > 0 && days[i].day < today;
	return reach;
}

/* ---- as bytes: form, first hour, days, messages, answer and count of senders, answer's hour, senders ---- */

static void put(uint8_t *p, uint32_t n, int bytes)
{
	for (int i = 0; i < bytes; i++)
		p[i] = (uint8_t)(n >> 8 * i);
}

static uint32_t get(const uint8_t *p, int bytes)
{
	uint32_t n = 0;

	for (int i = 0; i < bytes; i++)
		n |= (uint32_t)p[i] << 8 * i;
	return n;
}

size_t vtm_history_pack(const struct vtm_history *h, uint8_t out[VTM_HISTORY_PACKED])
{
	out[0] = FORM;
	put(out + 1, h->first_hour, 4);
	put(out + 5, h->days, 2);
	put(out + 7, h->messages, 2);
	out[9] = h->answer;
	out[10] = h->n_senders;
	put(out + 11, h->answer_hour, 4);
	for (int i = 0; i < h->n_senders; i++)
		put(out + HEAD + 4 * i, h->senders[i], 4);
	return HEAD + 4 * (size_t)h->n_senders;
}

bool vtm_history_unpack(const void *data, size_t len, uint16_t last_day, struct vtm_history *h)
{
	const uint8_t *p = data;

	memset(h, 0, sizeof(*h));
	if (!p || len < HEAD || p[0] != FORM || p[9] > VTM_HISTORY_BAD || p[10] > VTM_HISTORY_SENDERS ||
	    len != HEAD + 4 * (size_t)p[10])
		return false;
	h->found = true;
	h->last_day = last_day;
	h->first_hour = get(p + 1, 4);
	h->days = (uint16_t)get(p + 5, 2);
	h->messages = (uint16_t)get(p + 7, 2);
	h->answer = p[9];
	h->n_senders = p[10];
	h->answer_hour = get(p + 11, 4);
	for (int i = 0; i < h->n_senders; i++)
		h->senders[i] = get(p + HEAD + 4 * i, 4);
	return true;
}
