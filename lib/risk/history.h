/* SPDX-License-Identifier: BSD-2-Clause */
/* history.h - what this site has seen before: link domains, From domains, client networks.
 *
 * A record is found by the keyed hash of a name, so that the store's file alone does not tell who writes to whom; the
 * secret lies in the store, too.  The store keeps the records (vtm_store_history_get(), vtm_store_history_note());
 * this module names them, changes them and packs them.  Pure: no clock, no I/O, no locks; any thread.
 * Hours and days are UTC, counted from 1970-01-01.
 */
#ifndef VTM_RISK_HISTORY_H
#define VTM_RISK_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VTM_HISTORY_SECRET 32		/* bytes */
#define VTM_HISTORY_NAME 255		/* bytes of a name that count; domains and networks are shorter */
#define VTM_HISTORY_SENDERS 4		/* sender domains that a record tells apart */
#define VTM_HISTORY_MESSAGES 65535	/* a record counts up to so many messages, and days */
#define VTM_HISTORY_PACKED 48		/* bytes of a packed record, at most */
#define VTM_HISTORY_DAYS_MAX 366	/* days of mail that the store counts */
#define VTM_HISTORY_BAD_DAYS 7		/* so long no later answer covers a bad one */
/* When a domain is known: seen so often, on so many days, from so many sender domains; see vtm_history_known(). */
#define VTM_HISTORY_KNOWN_MESSAGES 10
#define VTM_HISTORY_KNOWN_DAYS 2
#define VTM_HISTORY_KNOWN_SENDERS 2

/* Stores keep these numbers. */
enum vtm_history_kind {
	VTM_HISTORY_LINK, VTM_HISTORY_FROM, VTM_HISTORY_NETWORK,
	VTM_HISTORY_MESSAGE	/* a message that was learned, so that it is not learned again */
};
#define VTM_HISTORY_KINDS (VTM_HISTORY_MESSAGE + 1)

/* A plain value. */
struct vtm_history_key {
	uint8_t kind;			/* enum vtm_history_kind */
	uint64_t id;			/* the start of a keyed hash of the name, below 2^60 */
};

/* From harmless to bad; stores keep these numbers. */
enum vtm_history_answer { VTM_HISTORY_NONE, VTM_HISTORY_CLEAN, VTM_HISTORY_UNKNOWN, VTM_HISTORY_BAD };

struct vtm_history {
	bool found;
	uint32_t first_hour;		/* seen, by the oldest mail that the memory has */
	uint16_t last_day;		/* seen */
	uint16_t days;			/* different days on which it was seen, saturating */
	uint16_t messages;		/* saturating */
	uint8_t n_senders;		/* links: different From domains, at most VTM_HISTORY_SENDERS */
	uint32_t senders[VTM_HISTORY_SENDERS];	/* keyed hashes of them, see vtm_history_sender() */
	uint8_t answer;			/* enum vtm_history_answer: the last one; the worst of its day; a bad one stays
					 * for VTM_HISTORY_BAD_DAYS */
	uint32_t answer_hour;
};

/* That a name was seen in messages, or that an answer came for it. */
struct vtm_sighting {
	struct vtm_history_key key;
	uint32_t hour;
	uint16_t messages;		/* 0: an answer only */
	uint32_t sender;		/* vtm_history_sender() of the message's From domain; 0: none */
	uint8_t answer;			/* enum vtm_history_answer */
};

/* One day's mail. */
struct vtm_history_day {
	uint16_t day;
	uint32_t messages;		/* seen or learned, saturating */
	uint32_t wanted;		/* look-ups that they wanted and that had no answer yet, saturating */
};

static inline uint16_t vtm_history_day_of(uint32_t hour)
{
	return (uint16_t)(hour / 24);
}

static inline uint32_t vtm_history_hour_of(int64_t utc_ms)
{
	return utc_ms > 0 ? (uint32_t)(utc_ms / (3600 * 1000)) : 0;
}

/* The key of <name>: a domain in A-labels, lower case, or a network as vtm_net_of() writes it. */
struct vtm_history_key vtm_history_key_of(const uint8_t secret[VTM_HISTORY_SECRET], enum vtm_history_kind kind,
					  const char *name);
/* How records of links name the From domain that has <key>; never 0. */
uint32_t vtm_history_sender(const struct vtm_history_key *key);

/* Changes <h> by <s>.  An older sighting may come later (vtmilterctl learn): it never makes a record younger.  A day
 * between first and last is counted once more when it is noted out of order. */
void vtm_history_note(struct vtm_history *h, const struct vtm_sighting *s);

/* Is the link domain known: several sender domains, several days, several messages, and the last answer was not bad? */
bool vtm_history_known(const struct vtm_history *h);

/* How many days before <today> had mail: how far the memory reaches.  <days> in any order. */
unsigned vtm_history_reach(const struct vtm_history_day *days, size_t n, uint16_t today);

/* All but last_day, which stores keep beside it, as bytes; returns how many, at most VTM_HISTORY_PACKED. */
size_t vtm_history_pack(const struct vtm_history *h, uint8_t out[VTM_HISTORY_PACKED]);
/* Fills <h>, found included.  false: not of this form; then <h> is as of a name never seen. */
bool vtm_history_unpack(const void *data, size_t len, uint16_t last_day, struct vtm_history *h);

#endif
