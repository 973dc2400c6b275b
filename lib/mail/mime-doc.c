/* SPDX-License-Identifier: BSD-2-Clause */
/* mime-doc.c - documents parsed by GMime; the only file that knows GMime. */
#include "mail/mime-doc.h"

#include <gmime/gmime.h>
#include <string.h>

#include "build-config.h"
#include "mail/mime-doubt.h"
#include "mail/mime-guard.h"
#include "mail/mime-header.h"

#define FIELDS_MAX 20000	/* header fields of one document */
#define HEADERS_MAX 16		/* Authentication-Results and List-Unsubscribe URLs that are kept */

static void init_once(void)
{
	static gsize once;

	if (g_once_init_enter(&once)) {
		g_mime_init();
		g_once_init_leave(&once, 1);
	}
}

static GMimeObject *object(const struct vtm_entity *e)
{
	return (GMimeObject *)(uintptr_t)e;
}

static struct vtm_entity *entity(GMimeObject *o)
{
	return (struct vtm_entity *)o;
}

/* ---- documents ---- */

void vtm_doc_free(gpointer p)
{
	struct vtm_doc *d = p;

	if (d->message)
		g_object_unref(d->message);
	if (d->stream)
		g_object_unref(d->stream);
	if (d->array) {
		g_byte_array_steal(d->array, NULL);	/* was only lent */
		g_byte_array_unref(d->array);
	}
	if (d->options)
		g_mime_parser_options_free(d->options);
	g_free(d->own);
	g_free(d->view);
	g_free(d);
}

/* Counts header fields.  GMime keeps 300 bytes for each: after the last one allowed the stream ends. */
static void count_field(GMimeParser *parser, const char *name, const char *value, gint64 offset, gpointer arg)
{
	struct vtm_doc *d = arg;

	(void)parser;
	(void)name;
	(void)value;
	(void)offset;
	if (++d->fields == FIELDS_MAX)
		g_mime_stream_set_bounds(d->stream, 0, g_mime_stream_tell(d->stream));
}

/* Mail programs read differently what GMime calls critical.  Conflicts about types, encodings and boundaries do not
 * count: all their readings are given. */
static bool is_doubt(GMimeParserWarning code, const char *item)
{
	switch (code) {
	case GMIME_CRIT_CONFLICTING_HEADER:	/* a second From or Subject does not change the parts */
		return item && !g_ascii_strcasecmp(item, "Content-Disposition");
	case GMIME_CRIT_CONFLICTING_PARAMETER:
		return item && !g_ascii_strcasecmp(item, "charset");
	case GMIME_CRIT_INVALID_HEADER_NAME:
	case GMIME_CRIT_NESTING_OVERFLOW:
	case GMIME_CRIT_PART_WITHOUT_HEADERS_OR_CONTENT:
		return true;
	default:
		return false;
	}
}

static void on_warning(gint64 offset, GMimeParserWarning code, const gchar *item, gpointer arg)
{
	struct vtm_doc *d = arg;

	(void)offset;
	d->ambiguous = d->ambiguous || is_doubt(code, item);
}

struct vtm_doc *vtm_doc_new(const char *bytes, size_t len, char *own)
{
	struct vtm_doc *d = g_new0(struct vtm_doc, 1);
	struct vtm_guard guard;
	GMimeParser *parser;

	init_once();
	d->bytes = bytes;
	d->len = len;
	d->own = own;
	vtm_guard_look(bytes, len, &guard);
	d->view = guard.view;
	d->altered = d->view != NULL;
	if (len > G_MAXINT32 || guard.refuse) {
		d->refused = true;
		d->no_memory = guard.no_memory;
		d->capped = !guard.no_memory;
		return d;
	}
	d->options = g_mime_parser_options_new();
#ifdef HAVE_GMIME_WARNING_NOTIFY
	g_mime_parser_options_set_warning_callback(d->options, on_warning, d, NULL);
#else
	g_mime_parser_options_set_warning_callback(d->options, on_warning, d);
#endif
	d->array = g_byte_array_new_take((guint8 *)(uintptr_t)(d->view ? d->view : bytes), len);
	d->stream = g_mime_stream_mem_new();
	g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(d->stream), d->array);
	parser = g_mime_parser_new_with_stream(d->stream);
	if (guard.colons >= FIELDS_MAX)	/* making the expression costs more than parsing a small message */
		g_mime_parser_set_header_regex(parser, "^", count_field, d);
	d->message = g_mime_parser_construct_message(parser, d->options);
	g_object_unref(parser);
	d->header = d->message;
	d->root = d->message ? entity(g_mime_message_get_mime_part(d->message)) : NULL;
	d->ambiguous = d->ambiguous || vtm_doubt_header(bytes, vtm_header_end(bytes, len, 0));
	d->capped = d->fields >= FIELDS_MAX;
	return d;
}

/* ---- the message's own header ---- */

/* The domain of a mailbox as A-labels; NULL if it has none. */
static char *mailbox_domain(InternetAddress *address)
{
	const char *text, *at;
	char *domain, *lower;

	if (!INTERNET_ADDRESS_IS_MAILBOX(address))
		return NULL;
	text = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address));
	at = text ? strrchr(text, '@') : NULL;
	domain = at && at[1] ? g_hostname_to_ascii(at + 1) : NULL;
	lower = domain ? g_ascii_strdown(domain, -1) : NULL;
	g_free(domain);
	return lower;
}

/* Several From fields have no domain, several addresses only if it is the same: programs differ in which they show. */
static char *from_domain(GMimeMessage *message, unsigned froms)
{
	InternetAddressList *list = g_mime_message_get_from(message);
	int n = list ? internet_address_list_length(list) : 0;
	char *domain = n > 0 && froms == 1 ? mailbox_domain(internet_address_list_get_address(list, 0)) : NULL;

	for (int i = 1; domain && i < n; i++) {
		char *other = mailbox_domain(internet_address_list_get_address(list, i));

		if (g_strcmp0(domain, other))
			g_clear_pointer(&domain, g_free);
		g_free(other);
	}
	return domain;
}

/* The URLs between angle brackets (RFC 2369). */
static void list_urls(const char *value, GPtrArray *urls)
{
	const char *p = value;

	while ((p = strchr(p, '<'))) {
		size_t n = strcspn(++p, "<>");

		if (p[n] == '>' && !g_ascii_strncasecmp(p, "http", 4) && urls->len < HEADERS_MAX)
			g_ptr_array_add(urls, g_strndup(p, n));
		p += n;
	}
}

void vtm_doc_read_header(const struct vtm_doc *d, struct vtm_mime_summary *s)
{
	const struct vtm_entity *message = d->message;
	const char *id = g_mime_message_get_message_id(d->message), *name, *raw;
	unsigned froms = 0;

	s->message_id = id ? g_strdup_printf("<%s>", id) : NULL;
	for (int i = 0; vtm_entity_field_at(message, i, &name, &raw); i++) {
		bool auth, list;

		if (!name || !raw)
			continue;
		froms += !g_ascii_strcasecmp(name, "From");
		auth = !g_ascii_strcasecmp(name, "Authentication-Results") && s->auth_results->len < HEADERS_MAX;
		list = !g_ascii_strcasecmp(name, "List-Unsubscribe");
		if (auth || list) {
			char *value = vtm_header_unfold(raw);

			if (list)
				list_urls(value, s->list_unsubscribe);
			if (auth)
				g_ptr_array_add(s->auth_results, g_steal_pointer(&value));
			g_free(value);
		}
	}
	if (!d->altered)	/* else From may have more addresses than GMime saw */
		s->from_domain = from_domain(d->message, froms);
}

/* ---- any entity ---- */

enum vtm_entity_kind vtm_entity_kind(const struct vtm_entity *e)
{
	if (GMIME_IS_MULTIPART(object(e)))
		return VTM_ENTITY_MULTIPART;
	if (GMIME_IS_MESSAGE_PART(object(e)))
		return VTM_ENTITY_MESSAGE;
	return GMIME_IS_PART(object(e)) ? VTM_ENTITY_LEAF : VTM_ENTITY_NONE;
}

char *vtm_entity_type(const struct vtm_entity *e)
{
	GMimeContentType *type = g_mime_object_get_content_type(object(e));
	char *text = type ? g_mime_content_type_get_mime_type(type) : NULL, *valid, *lower;

	if (!text)
		return g_strdup("text/plain");
	valid = g_utf8_make_valid(text, -1);
	lower = g_ascii_strdown(valid, -1);
	g_free(valid);
	g_free(text);
	return lower;
}

const char *vtm_entity_parameter(const struct vtm_entity *e, const char *name)
{
	GMimeContentType *type = g_mime_object_get_content_type(object(e));

	return type ? g_mime_content_type_get_parameter(type, name) : NULL;
}

const char *vtm_entity_disposition(const struct vtm_entity *e)
{
	return g_mime_object_get_disposition(object(e));
}

bool vtm_entity_field_at(const struct vtm_entity *e, int i, const char **name_r, const char **raw_r)
{
	GMimeHeaderList *headers = g_mime_object_get_header_list(object(e));
	GMimeHeader *h;

	if (!headers || i >= g_mime_header_list_get_count(headers))
		return false;
	h = g_mime_header_list_get_header_at(headers, i);
	*name_r = g_mime_header_get_name(h);
	*raw_r = g_mime_header_get_raw_value(h);
	return true;
}

struct vtm_slice vtm_entity_header(const struct vtm_doc *doc, const struct vtm_entity *e)
{
	GMimeHeaderList *headers = g_mime_object_get_header_list(object(e));
	GMimeHeader *h = headers && g_mime_header_list_get_count(headers) > 0 ?
			 g_mime_header_list_get_header_at(headers, 0) : NULL;
	gint64 at = h ? g_mime_header_get_offset(h) : -1;
	struct vtm_slice s = { NULL, 0 };

	if (at >= 0 && (size_t)at < doc->len) {
		s.data = doc->bytes + at;
		s.len = vtm_header_end(doc->bytes, doc->len, (size_t)at) - (size_t)at;
	}
	return s;
}

/* ---- one kind of entity ---- */

struct vtm_slice vtm_leaf_content(const struct vtm_doc *doc, const struct vtm_entity *e)
{
	GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(object(e)));
	GMimeStream *stream = content ? g_mime_data_wrapper_get_stream(content) : NULL;
	struct vtm_slice s = { "", 0 };

	if (!stream || stream->bound_start < 0 || stream->bound_end < stream->bound_start ||
	    (uint64_t)stream->bound_end > doc->len)
		return s;
	s.data = doc->bytes + stream->bound_start;
	s.len = (size_t)(stream->bound_end - stream->bound_start);
	/* GMime leaves a CR there when the delimiter after it is cut off by the end of the message. */
	if (s.len && s.data[s.len - 1] == '\r' && (uint64_t)stream->bound_end < doc->len && s.data[s.len] == '\n')
		s.len--;
	return s;
}

char *vtm_leaf_name(const struct vtm_entity *e)
{
	const char *name = g_mime_part_get_filename(GMIME_PART(object(e)));

	return name ? g_utf8_make_valid(name, -1) : NULL;
}

char *vtm_text_decoded(const char *text)
{
	char *decoded = g_mime_utils_header_decode_text(NULL, text), *valid = g_utf8_make_valid(decoded, -1);

	g_free(decoded);
	return valid;
}

int vtm_multipart_count(const struct vtm_entity *e)
{
	return g_mime_multipart_get_count(GMIME_MULTIPART(object(e)));
}

struct vtm_entity *vtm_multipart_part(const struct vtm_entity *e, int i)
{
	return entity(g_mime_multipart_get_part(GMIME_MULTIPART(object(e)), i));
}

const char *vtm_multipart_epilogue(const struct vtm_entity *e)
{
	return g_mime_multipart_get_epilogue(GMIME_MULTIPART(object(e)));
}

struct vtm_entity *vtm_message_header(const struct vtm_entity *e)
{
	return (struct vtm_entity *)g_mime_message_part_get_message(GMIME_MESSAGE_PART(object(e)));
}

struct vtm_entity *vtm_message_root(const struct vtm_entity *e)
{
	GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object(e)));

	return inner ? entity(g_mime_message_get_mime_part(inner)) : NULL;
}

/* ---- the library ---- */

char *vtm_mime_library(void)
{
	return g_strdup_printf("%u.%u.%u", gmime_major_version, gmime_minor_version, gmime_micro_version);
}

bool vtm_mime_library_older(unsigned major, unsigned minor, unsigned micro)
{
	return !g_mime_check_version(major, minor, micro);
}
