/* SPDX-License-Identifier: BSD-2-Clause */
/* codec.c - values as bytes that a store keeps. */
#include "store/codec.h"

#include <string.h>

#define VERSION 1

/* kind, subject, name, type, size, host, role, from, via, depth, group, note, flags, key, why */
#define ITEM_NEW "(y^aym^aym^ayxm^ayym^ay^aayuum^ayu@aym^ay)"
#define ITEM_TYPE "(yaymaymayxmayymayaayuumayuaymay)"
/* host, queue id, message id, sender, recipients, client, time, size, tags delivered */
#define MESSAGE_NEW "(m^aym^aym^aym^aym^aaym^ayxxu)"
#define MESSAGE_TYPE "(maymaymaymaymaaymayxxu)"
/* kind, subject, op, class, since, not before, attempts, analysis, host */
#define QUEUED_NEW "(y^ayiixxim^aym^ay)"
#define QUEUED_TYPE "(yayiixximaymay)"

enum { PERSONAL = 1, IGNORED = 2, WRAPPER = 4, RISKY = 8, UNASKED = 16, HOST_ONLY = 32 };

static GBytes *bytes_of(GVariant *floating)
{
	GVariant *v = g_variant_ref_sink(floating);
	GByteArray *out = g_byte_array_new();
	guint8 version = VERSION;

	if (G_BYTE_ORDER == G_BIG_ENDIAN) {
		GVariant *swapped = g_variant_byteswap(v);

		g_variant_unref(v);
		v = swapped;
	}
	g_byte_array_append(out, &version, 1);
	g_byte_array_append(out, g_variant_get_data(v), (guint)g_variant_get_size(v));
	g_variant_unref(v);
	return g_byte_array_free_to_bytes(out);
}

static GVariant *variant_of(const char *type, const void *data, size_t len)
{
	const uint8_t *p = data;
	GBytes *bytes;
	GVariant *v;

	if (!p || len < 1 || p[0] != VERSION)
		return NULL;
	bytes = g_bytes_new(p + 1, len - 1);
	v = g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(type), bytes, FALSE));
	g_bytes_unref(bytes);
	if (!g_variant_is_normal_form(v)) {
		g_variant_unref(v);
		return NULL;
	}
	if (G_BYTE_ORDER == G_BIG_ENDIAN) {
		GVariant *swapped = g_variant_byteswap(v);

		g_variant_unref(v);
		v = swapped;
	}
	return v;
}

/* The static text that <text> names.  Interned texts are never freed, so a store full of nonsense gets few of them. */
static const char *static_text(char *text)
{
	static int texts;
	const char *found = NULL;

	if (!text)
		return NULL;
	if (g_quark_try_string(text) || (strlen(text) <= 128 && g_atomic_int_add(&texts, 1) < VTM_STORE_TEXTS))
		found = g_intern_string(text);
	g_free(text);
	return found ? found : "other";
}

void vtm_pack_key(const struct vtm_key *k, uint8_t out[VTM_PACKED_KEY])
{
	out[0] = k->kind;
	memcpy(out + 1, k->id, sizeof(k->id));
}

bool vtm_unpack_key(const void *data, size_t len, struct vtm_key *k)
{
	const uint8_t *p = data;

	if (!p || len != VTM_PACKED_KEY || p[0] >= VTM_LOOKUP_KINDS)
		return false;
	k->kind = p[0];
	memcpy(k->id, p + 1, sizeof(k->id));
	return true;
}

static void put32(uint8_t *p, uint32_t n)
{
	n = GUINT32_TO_LE(n);
	memcpy(p, &n, sizeof(n));
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t n;

	memcpy(&n, p, sizeof(n));
	return GUINT32_FROM_LE(n);
}

void vtm_pack_report(const struct vtm_report *r, uint8_t out[VTM_PACKED_REPORT])
{
	out[0] = VERSION;
	out[1] = (uint8_t)r->verdict;
	out[2] = (uint8_t)r->reason;
	out[3] = (uint8_t)r->match;
	put32(out + 4, r->malicious);
	put32(out + 8, r->suspicious);
	put32(out + 12, r->harmless);
	put32(out + 16, r->undetected);
	put32(out + 20, r->engines);
	put32(out + 24, (uint32_t)r->analysed);
	put32(out + 28, (uint32_t)((uint64_t)r->analysed >> 32));
}

bool vtm_unpack_report(const void *data, size_t len, struct vtm_report *r)
{
	const uint8_t *p = data;

	if (!p || len != VTM_PACKED_REPORT || p[0] != VERSION || p[1] >= VTM_VERDICTS || p[2] >= VTM_REASONS ||
	    p[3] > VTM_MATCH_HOST)
		return false;
	*r = (struct vtm_report){
		.verdict = (enum vtm_verdict)p[1],
		.reason = (enum vtm_reason)p[2],
		.match = (enum vtm_match)p[3],
		.malicious = get32(p + 4),
		.suspicious = get32(p + 8),
		.harmless = get32(p + 12),
		.undetected = get32(p + 16),
		.engines = get32(p + 20),
		.analysed = (int64_t)((uint64_t)get32(p + 28) << 32 | get32(p + 24)),
	};
	return true;
}

static GVariant *key_variant(const struct vtm_journal_item *j)
{
	uint8_t key[VTM_PACKED_KEY];

	vtm_pack_key(&j->key, key);
	return g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, key, j->has_key ? sizeof(key) : 0, 1);
}

#define POINTS "points "		/* and eight hexadecimal digits, in the place of a sentence */

GBytes *vtm_pack_item(const struct vtm_journal_item *j)
{
	const struct vtm_item *i = j->item;
	char points[sizeof(POINTS) + 8];
	uint32_t flags = (i->personal ? PERSONAL : 0) | (i->ignored ? IGNORED : 0) | (i->wrapper ? WRAPPER : 0) |
			 (i->risky ? RISKY : 0) | (i->unasked ? UNASKED : 0) | (i->host_only ? HOST_ONLY : 0);

	g_snprintf(points, sizeof(points), POINTS "%08x", j->points);
	return bytes_of(g_variant_new(ITEM_NEW, (guchar)i->kind, i->subject, i->name, i->type, i->size, i->host,
				      (guchar)i->role, i->from, i->via, (guint32)i->depth, (guint32)i->group, i->note,
				      flags, key_variant(j), j->points ? points : j->why));
}

static bool take_item(struct vtm_journal_item *j, guchar kind, guchar role, guint32 flags, GVariant *key)
{
	struct vtm_item *i = j->item;
	gsize n;
	const void *bytes = g_variant_get_fixed_array(key, &n, 1);

	j->has_key = n > 0;
	i->kind = kind == VTM_URL ? VTM_URL : VTM_ATTACHMENT;
	i->role = role <= VTM_ROLE_BARE ? (enum vtm_role)role : VTM_ROLE_LINK;
	i->personal = flags & PERSONAL;
	i->ignored = flags & IGNORED;
	i->wrapper = flags & WRAPPER;
	i->risky = flags & RISKY;
	i->unasked = flags & UNASKED;
	i->host_only = flags & HOST_ONLY;
	return kind <= VTM_URL && role <= VTM_ROLE_BARE && i->subject[0] &&
	       (!j->has_key || vtm_unpack_key(bytes, n, &j->key));
}

bool vtm_unpack_item(const void *data, size_t len, struct vtm_journal_item *j)
{
	GVariant *v = variant_of(ITEM_TYPE, data, len), *key;
	char *note, *why;
	guchar kind, role;
	guint32 depth, group, flags;
	gint64 size;
	struct vtm_item *i;
	bool good;

	if (!v)
		return false;
	memset(j, 0, sizeof(*j));
	i = j->item = vtm_item_new(VTM_ATTACHMENT, NULL);
	g_strfreev(i->via);
	g_variant_get(v, ITEM_NEW, &kind, &i->subject, &i->name, &i->type, &size, &i->host, &role, &i->from, &i->via,
		      &depth, &group, &note, &flags, &key, &why);
	i->size = size;
	i->depth = depth;
	i->group = group;
	i->note = static_text(note);
	j->points = why && g_str_has_prefix(why, POINTS) ?
		    (uint32_t)g_ascii_strtoull(why + strlen(POINTS), NULL, 16) : 0;
	if (j->points)
		g_clear_pointer(&why, g_free);
	j->why = static_text(why);
	good = take_item(j, kind, role, flags, key);
	g_variant_unref(key);
	g_variant_unref(v);
	if (!good) {
		vtm_item_free(i);
		j->item = NULL;
	}
	return good;
}

GBytes *vtm_pack_message(const struct vtm_journal_message *m)
{
	return bytes_of(g_variant_new(MESSAGE_NEW, m->host, m->queue_id, m->message_id, m->sender, m->recipients,
				      m->client, m->time_ms, m->size, m->tags_delivered));
}

bool vtm_unpack_message(const void *data, size_t len, struct vtm_journal_message *m)
{
	GVariant *v = variant_of(MESSAGE_TYPE, data, len);
	gint64 time, size;
	guint32 tags;

	if (!v)
		return false;
	memset(m, 0, sizeof(*m));
	g_variant_get(v, MESSAGE_NEW, &m->host, &m->queue_id, &m->message_id, &m->sender, &m->recipients, &m->client,
		      &time, &size, &tags);
	m->time_ms = time;
	m->size = size;
	m->tags_delivered = tags;
	g_variant_unref(v);
	return true;
}

GBytes *vtm_pack_strv(const char *const *list)
{
	return bytes_of(g_variant_new_bytestring_array(list, -1));
}

GStrv vtm_unpack_strv(const void *data, size_t len)
{
	GVariant *v = variant_of("aay", data, len);
	GStrv list;

	if (!v)
		return NULL;
	list = g_variant_dup_bytestring_array(v, NULL);
	g_variant_unref(v);
	return list;
}

GBytes *vtm_pack_queued(const struct vtm_queued *q, const char *host)
{
	return bytes_of(g_variant_new(QUEUED_NEW, (guchar)q->lookup->key.kind, q->lookup->subject, q->op, q->class,
				      q->since_ms, q->not_before_ms, q->attempts, q->analysis, host));
}

bool vtm_unpack_queued(const void *data, size_t len, struct vtm_queued *q)
{
	GVariant *v = variant_of(QUEUED_TYPE, data, len);
	char *subject;
	guchar kind;
	gint32 op, class, attempts;
	gint64 since, not_before;

	if (!v)
		return false;
	memset(q, 0, sizeof(*q));
	g_variant_get(v, QUEUED_NEW, &kind, &subject, &op, &class, &since, &not_before, &attempts, &q->analysis,
		      &q->host);
	g_variant_unref(v);
	q->op = op;
	q->class = class;
	q->since_ms = since;
	q->not_before_ms = not_before;
	q->attempts = attempts;
	if (kind < VTM_LOOKUP_KINDS)
		q->lookup = vtm_lookup_new((enum vtm_lookup_kind)kind, subject);
	g_free(subject);
	if (!q->lookup)
		vtm_queued_clear(q);
	return q->lookup != NULL;
}

void vtm_queued_clear(struct vtm_queued *q)
{
	vtm_lookup_free(q->lookup);
	g_free(q->analysis);
	g_free(q->host);
	memset(q, 0, sizeof(*q));
}
