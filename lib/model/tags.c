/* SPDX-License-Identifier: BSD-2-Clause */
/* tags.c - see tags.h. */
#include "model/tags.h"

#include <string.h>

#include "base/hash.h"

#define LINE_MAX_BYTES 77	/* under 78 (RFC 5322 section 2.1.1), the tab counted */
#define FIELD_NAME "X-VT-Report: "
#define NAME_TAIL 16		/* of a long file name, so that its extension shows */
#define CUT "..."

static const char *const tag_names[VTM_TAGS] = {
	[VTM_TAG_BAD] = "VT_Bad",
	[VTM_TAG_HASH_NOT_FOUND] = "VT_Hash_not_found",
	[VTM_TAG_URL_NOT_FOUND] = "VT_URL_not_found",
	[VTM_TAG_BYPASSED] = "VT_Bypassed",
	[VTM_TAG_PENDING] = "VT_Pending",
	[VTM_TAG_IGNORED] = "VT_Ignored",
	[VTM_TAG_SCANNED] = "VT_Scanned",
};

const char *vtm_tag_name(enum vtm_tag t)
{
	g_return_val_if_fail((unsigned)t < VTM_TAGS, "VT_Bypassed");
	return tag_names[t];
}

bool vtm_tag_parse(const char *name, enum vtm_tag *tag_r)
{
	if (!g_ascii_strncasecmp(name, "VT_", 3))
		name += 3;
	for (int t = 0; t < VTM_TAGS; t++)
		if (!g_ascii_strcasecmp(tag_names[t] + 3, name)) {
			*tag_r = (enum vtm_tag)t;
			return true;
		}
	return false;
}

/* The verdict that counts.  A clean host does not make a URL clean, whatever a report claims. */
static enum vtm_verdict verdict_of(const struct vtm_item *item)
{
	if (item->report.verdict == VTM_CLEAN && item->report.match == VTM_MATCH_HOST)
		return VTM_UNKNOWN;
	return item->report.verdict;
}

/* Does the item count?  Not if it is a wrapper, or of a kind that the administrator turned off. */
static bool counts(const struct vtm_item *item)
{
	return !item->wrapper &&
	       !(item->report.verdict == VTM_BYPASSED && item->report.reason == VTM_WHY_DISABLED);
}

static uint32_t tags_of(const struct vtm_item *item)
{
	switch (verdict_of(item)) {
	case VTM_BAD:
		return VTM_TAG_BIT(VTM_TAG_BAD);
	case VTM_CLEAN:
		return VTM_TAG_BIT(VTM_TAG_SCANNED);
	case VTM_UNKNOWN:
		return VTM_TAG_BIT(item->kind == VTM_ATTACHMENT ? VTM_TAG_HASH_NOT_FOUND : VTM_TAG_URL_NOT_FOUND);
	case VTM_IGNORED:
		return VTM_TAG_BIT(VTM_TAG_IGNORED);
	case VTM_PENDING:	/* its message is delivered without the answer */
		return VTM_TAG_BIT(VTM_TAG_PENDING) | VTM_TAG_BIT(VTM_TAG_BYPASSED);
	case VTM_BYPASSED:
		return VTM_TAG_BIT(VTM_TAG_BYPASSED);
	}
	return VTM_TAG_BIT(VTM_TAG_BYPASSED);
}

/* The groups with a reading that is not clean, which a mail program may show.  NULL: there are none. */
static GHashTable *doubtful_groups(struct vtm_item *const *list, size_t n)
{
	GHashTable *groups = NULL;

	for (size_t i = 0; i < n; i++) {
		if (!list[i]->group || list[i]->wrapper || verdict_of(list[i]) == VTM_CLEAN)
			continue;
		if (!groups)
			groups = g_hash_table_new(NULL, NULL);
		g_hash_table_add(groups, GUINT_TO_POINTER(list[i]->group));
	}
	return groups;
}

uint32_t vtm_tags_of_list(struct vtm_item *const *list, size_t n)
{
	GHashTable *doubtful = doubtful_groups(list, n);
	uint32_t tags = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t t = counts(list[i]) ? tags_of(list[i]) : 0;

		if (doubtful && list[i]->group && g_hash_table_contains(doubtful, GUINT_TO_POINTER(list[i]->group)))
			t &= ~VTM_TAG_BIT(VTM_TAG_SCANNED);
		tags |= t;
	}
	if (doubtful)
		g_hash_table_destroy(doubtful);
	return tags;
}

/* May a mail program show something that is not among the items? */
static bool is_unsure(const struct vtm_items *items)
{
	return items->ambiguous || items->undecoded || items->no_memory || items->unfinished;
}

uint32_t vtm_tags_of(const struct vtm_items *items)
{
	uint32_t tags = vtm_tags_of_list((struct vtm_item *const *)items->list->pdata, items->list->len);

	if (items->capped || items->partial || items->unparsable)
		tags |= VTM_TAG_BIT(VTM_TAG_BYPASSED);
	if (is_unsure(items))
		tags = (tags | VTM_TAG_BIT(VTM_TAG_BYPASSED)) & ~VTM_TAG_BIT(VTM_TAG_SCANNED);
	return tags;
}

uint32_t vtm_tags_to_keep(const struct vtm_items *items, uint32_t tags)
{
	return is_unsure(items) ? tags | VTM_TAGS_UNSURE : tags;
}

uint32_t vtm_tags_again(uint32_t before, struct vtm_item *const *list, size_t n)
{
	/* an item that was bypassed at delivery stays so */
	uint32_t tags = vtm_tags_of_list(list, n) | (before & (VTM_TAG_BIT(VTM_TAG_BYPASSED) | VTM_TAGS_UNSURE));

	return tags & VTM_TAGS_UNSURE ? tags & ~VTM_TAG_BIT(VTM_TAG_SCANNED) : tags;
}

char *vtm_tags_text(uint32_t tags)
{
	GString *text = g_string_new(NULL);

	for (int t = 0; t < VTM_TAGS; t++)
		if (tags & VTM_TAG_BIT(t))
			g_string_append_printf(text, "%s%s", text->len ? " " : "", tag_names[t]);
	return g_string_free(text, FALSE);
}

/* ---- X-VT-Report ---- */

struct folded {
	GString *text;
	size_t line;	/* bytes in the current line */
};

/* Adds a parameter ("name=value"), on a new line if it does not fit into this one. */
static void add(struct folded *f, const char *parameter)
{
	size_t len = strlen(parameter);

	g_string_append_c(f->text, ';');
	f->line++;
	/* with the blank before it and the ';' that may follow */
	if (f->line + 1 + len + 1 > LINE_MAX_BYTES) {
		g_string_append(f->text, "\n\t");
		f->line = 1;
	} else {
		g_string_append_c(f->text, ' ');
		f->line++;
	}
	g_string_append(f->text, parameter);
	f->line += len;
}

static void add_format(struct folded *f, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void add_format(struct folded *f, const char *format, ...)
{
	va_list args;
	char *parameter;

	va_start(args, format);
	parameter = g_strdup_vprintf(format, args);
	va_end(args);
	add(f, parameter);
	g_free(parameter);
}

/* The sender's text as printable ASCII, without control characters.  All other characters become '?', and so does '=':
 * a filter that searches for "verdict=bad" must not find it in a file name. */
static GString *plain(const char *name)
{
	GString *out = g_string_new(NULL);
	char *valid = g_utf8_make_valid(name, -1);

	for (const char *p = valid; *p; p += g_utf8_skip[(unsigned char)*p]) {
		gunichar c = g_utf8_get_char(p);

		if (g_unichar_iscntrl(c))
			continue;
		g_string_append_c(out, c >= ' ' && c < 0x7f && c != '=' ? (char)c : '?');
	}
	g_free(valid);
	if (out->len > VTM_HEADER_NAME_MAX) {
		gssize gap = (gssize)(out->len - VTM_HEADER_NAME_MAX + strlen(CUT));
		gssize head = VTM_HEADER_NAME_MAX - NAME_TAIL - (gssize)strlen(CUT);

		g_string_erase(out, head, gap);
		g_string_insert(out, head, CUT);
	}
	return out;
}

static void add_quoted(struct folded *f, const char *parameter, const char *text)
{
	GString *safe = plain(text);
	GString *out = g_string_new(parameter);

	g_string_append(out, "=\"");
	for (const char *p = safe->str; *p; p++) {
		if (*p == '"' || *p == '\\')
			g_string_append_c(out, '\\');
		g_string_append_c(out, *p);
	}
	g_string_append_c(out, '"');
	add(f, out->str);
	g_string_free(out, TRUE);
	g_string_free(safe, TRUE);
}

/* Adds a value, quoted unless it is a token (RFC 2045 section 5.1). */
static void add_value(struct folded *f, const char *parameter, const char *text)
{
	const char *p = text;

	while (g_ascii_isalnum(*p) || (*p && strchr("-._", *p)))
		p++;
	if (*p || p == text)
		add_quoted(f, parameter, text);
	else
		add_format(f, "%s=%s", parameter, text);
}

static void add_id(struct folded *f, const struct vtm_item *item)
{
	uint8_t digest[VTM_SHA256_LEN];
	char hex[VTM_SHA256_HEX];

	if (item->kind == VTM_URL)
		vtm_sha256(item->subject, strlen(item->subject), digest);
	else if (vtm_unhex(item->subject, digest) < 0)
		return;
	vtm_hex(digest, hex);
	add_format(f, "%s=%s", item->kind == VTM_URL ? "id" : "sha256", hex);
}

char *vtm_report_header(const struct vtm_item *item)
{
	const struct vtm_report *r = &item->report;
	enum vtm_verdict verdict = verdict_of(item);
	struct folded f = { .text = g_string_new(vtm_kind_name(item->kind)) };

	f.line = strlen(FIELD_NAME) + f.text->len;
	add_format(&f, "verdict=%s", vtm_verdict_name(verdict));
	if (vtm_verdict_is_answer(verdict))
		add_format(&f, "detections=%u/%u", r->malicious, r->engines);
	else if (r->reason != VTM_WHY_NONE && (verdict != VTM_IGNORED || r->reason == VTM_WHY_PRIVATE))
		add_format(&f, "reason=%s", vtm_reason_name(r->reason));
	if (vtm_verdict_is_answer(verdict) && r->match == VTM_MATCH_HOST)
		add(&f, "match=host");
	if (item->kind == VTM_URL && item->host)
		add_value(&f, "host", item->host);
	add_id(&f, item);
	if (item->kind == VTM_ATTACHMENT && item->name)
		add_quoted(&f, "name", item->name);
	if (item->note)
		add_value(&f, "note", item->note);
	return g_string_free(f.text, FALSE);
}

/* The item's place in the order of severity: that of its first tag. */
static int rank(const struct vtm_item *item)
{
	return g_bit_nth_lsf(tags_of(item), -1);
}

static gint worse_first(gconstpointer a, gconstpointer b)
{
	const struct vtm_item *const *x = a, *const *y = b;
	int by_tag = rank(*x) - rank(*y);

	if (by_tag)
		return by_tag;
	return ((*x)->report.malicious < (*y)->report.malicious) - ((*x)->report.malicious > (*y)->report.malicious);
}

GPtrArray *vtm_report_headers(const struct vtm_items *items)
{
	GPtrArray *headers = g_ptr_array_new_with_free_func(g_free), *order = g_ptr_array_new();

	for (guint i = 0; i < items->list->len; i++)
		if (counts(g_ptr_array_index(items->list, i)))
			g_ptr_array_add(order, g_ptr_array_index(items->list, i));
	g_ptr_array_sort(order, worse_first);	/* stable */
	for (guint i = 0; i < order->len && i < VTM_REPORT_HEADERS_MAX; i++)
		g_ptr_array_add(headers, vtm_report_header(g_ptr_array_index(order, i)));
	g_ptr_array_free(order, TRUE);
	return headers;
}
