/* SPDX-License-Identifier: BSD-2-Clause */
/* linkify.c - URLs in text, cut as mail programs cut them. */
#include "url/linkify.h"

#include <string.h>

#include "url/linkify-parts.h"

#define ANGLE_MAX 8192	/* bytes between brackets or quotes that are searched for the closing one */
#define FAR_MAX 2048	/* bytes that a URL may go on after what ends it for most programs */

struct scan {
	const char *begin, *end;	/* of the text */
	const struct vtm_linkify_options *options;
	vtm_linkify_found *found;
	void *arg;
	bool quoted;			/* the line began with '>' */
};

/* ---- characters ----------------------------------------------------------- */

/* The character at <p>, its length in *n_r; 0 for a byte that is none. */
static gunichar character(const char *p, const char *end, size_t *n_r)
{
	gunichar c;

	*n_r = 1;
	if ((signed char)*p >= 0)
		return (guchar)*p;
	c = g_utf8_get_char_validated(p, end - p);
	if (c & 0x80000000u)
		return 0;
	*n_r = (size_t)g_unichar_to_utf8(c, NULL);
	return c;
}

/* Scripts written without blanks, in which a URL may end between two letters. */
static bool is_unspaced(gunichar c)
{
	return (c >= 0xe00 && c <= 0xeff) || (c >= 0x1000 && c <= 0x109f) || (c >= 0x1780 && c <= 0x17ff) ||
	       c >= 0x2e80;
}

/* Never inside a URL: blanks, controls, brackets and quotes that stand around one, the punctuation of other scripts. */
static bool ends_url(gunichar c)
{
	if (c < 0x80)
		return c <= ' ' || c == 0x7f || strchr("<>\"`\\^", (int)c);
	if (c == 0xad || (c >= 0x200b && c <= 0x200d) || c == 0x2060 || c == 0xfeff)
		return false;	/* invisible: in host names they are mapped to nothing */
	switch (g_unichar_type(c)) {
	case G_UNICODE_CONTROL:
	case G_UNICODE_SURROGATE:
	case G_UNICODE_UNASSIGNED:
	case G_UNICODE_PRIVATE_USE:
	case G_UNICODE_SPACE_SEPARATOR:
	case G_UNICODE_LINE_SEPARATOR:
	case G_UNICODE_PARAGRAPH_SEPARATOR:
	case G_UNICODE_OPEN_PUNCTUATION:
	case G_UNICODE_CLOSE_PUNCTUATION:
	case G_UNICODE_INITIAL_PUNCTUATION:
	case G_UNICODE_FINAL_PUNCTUATION:
		return true;
	default:
		return c == 0x2026 || c == 0x3001 || c == 0xff0c || c == 0xff1a || c == 0xff1b || c == 0xff01;
	}
}

static bool is_word(char c)
{
	return g_ascii_isalnum(c) || (signed char)c < 0;
}

/* Is the character before <p> a letter or digit that a word may go on after?  Not one of a script without blanks. */
static bool in_word(const char *begin, const char *p)
{
	const char *before;
	size_t n;
	gunichar c;

	if (p == begin)
		return false;
	if ((signed char)p[-1] >= 0)
		return g_ascii_isalnum(p[-1]);
	before = g_utf8_find_prev_char(begin, p);
	c = before ? character(before, p, &n) : 0;
	return c && g_unichar_isalnum(c) && !is_unspaced(c);
}

static bool is_slash(char c)
{
	return c == '/' || c == '\\';
}

/* Is there a dot in the host that begins at <p>? */
static bool dot_follows(const char *p, const char *end)
{
	for (; p < end && (is_word(*p) || strchr("-_@%:", *p)); p++)
		if (end - p > 1 && p[1] == '.')
			return true;
	return false;
}

/* Length of "http://" or "https://" at <p>, 0 if neither is there.  Programs also take other slashes, one, or none:
 * then a host with a dot must follow. */
static size_t scheme_at(const char *p, const char *end)
{
	size_t n = 4, slashes = 0;

	if (end - p < 6 || g_ascii_strncasecmp(p, "http", 4))
		return 0;
	n += p[4] == 's' || p[4] == 'S';
	if (p[n++] != ':')
		return 0;
	if (end - p >= (ptrdiff_t)n + 2 && p[n] == '/' && p[n + 1] == '/')
		return n + 2;
	while (p + n + slashes < end && slashes < 3 && is_slash(p[n + slashes]))
		slashes++;
	n += slashes;
	return p + n < end && is_word(p[n]) && dot_follows(p + n, end) ? n : 0;
}

static bool www_at(const char *p, const char *end)
{
	return end - p > 4 && !g_ascii_strncasecmp(p, "www.", 4) && is_word(p[4]);
}

/* "www." at <p>, at the beginning of a word? */
static bool www_begins(const char *begin, const char *p, const char *end)
{
	return www_at(p, end) && !in_word(begin, p) && (p == begin || !strchr(".-_@/\\", p[-1]));
}

/* ---- the end of a URL -------------------------------------------------------- */

/* Length of the mark of punctuation, sign or invisible character, none of them ASCII, that ends at <end>; 0: none does. */
static size_t wide_mark_before(const char *begin, const char *end)
{
	const char *p = g_utf8_find_prev_char(begin, end);
	size_t n;
	gunichar c = p ? character(p, end, &n) : 0;

	return c >= 0x80 && !g_unichar_isalnum(c) && !g_unichar_ismark(c) ? (size_t)(end - p) : 0;
}

/* Takes off what belongs to the sentence: punctuation, and brackets that were opened before the URL. */
static size_t trim(const char *url, size_t len)
{
	int open[3] = { 0, 0, 0 };
	static const char opening[] = "([{", closing[] = ")]}";

	for (size_t i = 0; i < len; i++) {
		const char *o = strchr(opening, url[i]), *c = strchr(closing, url[i]);

		if (url[i] && o)
			open[o - opening]++;
		else if (url[i] && c)
			open[c - closing]--;
	}
	while (len) {
		char last = url[len - 1];
		const char *c = strchr(closing, last);

		if ((signed char)last < 0) {
			size_t n = wide_mark_before(url, url + len);

			if (!n)
				break;
			len -= n;
			continue;
		}

		if (last && c && open[c - closing] < 0)
			open[c - closing]++;
		else if (last && strchr("([{", last))
			open[strchr(opening, last) - opening]--;
		else if (!strchr(".,;:!?'|\"`^", last))
			break;
		len--;
	}
	return len;
}

/* "*http://example.com*", "_..._", "~...~": emphasis in plain text. */
static size_t trim_emphasis(const struct scan *s, const char *url, size_t len)
{
	if (len && url > s->begin && strchr("*_~", url[-1]) && url[len - 1] == url[-1])
		len--;
	return trim(url, len);
}

/* A URL in text may be followed by the next one: "http://a/,http://b/".  A tracker's ";;" holds its target. */
static bool next_url_behind(const char *p, const char *end, size_t n)
{
	if (n > 1)
		return scheme_at(p + n, end) > 0;
	if (!strchr(",;|)]}", *p) || (*p == ';' && p[-1] == ';'))
		return false;
	p++;
	return scheme_at(p, end) || (p < end && strchr("([", *p) && scheme_at(p + 1, end));
}

/* A page's markup that somebody sent as text: "http://a/&quot;&gt;". */
static bool markup_behind(const char *p, const char *end)
{
	static const char *const names[] = { "&quot;", "&gt;", "&lt;", "&nbsp;" };

	for (size_t i = 0; *p == '&' && i < G_N_ELEMENTS(names); i++)
		if ((size_t)(end - p) >= strlen(names[i]) && !memcmp(p, names[i], strlen(names[i])))
			return true;
	return false;
}

struct extent {
	const char *end;	/* of the longest reading, not trimmed */
	const char *ascii_end;	/* where a script without blanks begins, or a sign such as a dash or bullet; or end */
};

/* A character at which a host may end for some: not ASCII, and no letter of a script with blanks. */
static bool may_end_host(gunichar c)
{
	return c >= 0x80 && (is_unspaced(c) || (!g_unichar_isalnum(c) && !g_unichar_ismark(c)));
}

/* The URL that begins <prefix> bytes before <p>.  A bracket right before it, <open> ('\0': none), closes it. */
static struct extent url_extent(const char *p, const char *end, char open)
{
	char close = open == '(' ? ')' : open == '[' ? ']' : open == '{' ? '}' : '\0';
	struct extent e = { p, NULL };
	unsigned depth = 1;

	while (e.end < end) {
		size_t n;
		gunichar c = character(e.end, end, &n);

		if (!c || ends_url(c))
			break;
		if (!e.ascii_end && may_end_host(c))
			e.ascii_end = e.end;
		if (next_url_behind(e.end, end, n) || markup_behind(e.end, end))
			break;
		if (close && c == (guchar)open)
			depth++;
		else if (close && c == (guchar)close && !--depth)
			break;
		e.end += n;
	}
	if (!e.ascii_end)
		e.ascii_end = e.end;
	return e;
}

/* The last '@' from <p> on before what ends a user name, NULL: none. */
static const char *last_at(const char *p, const char *end)
{
	const char *at = NULL;

	for (; p < end && (unsigned char)*p > ' ' && !strchr("<>/\\?#", *p); p++)
		if (*p == '@')
			at = p;
	return at;
}

static bool in_authority(const char *host, const char *end)
{
	while (host < end && !strchr("/\\?#", *host))
		host++;
	return host == end;
}

/* How far the URL goes for programs that end it at blanks and at <>"` only: a quote, caret or back slash may be part of
 * the user name, the path or the query.  <host>: behind its scheme; <end>: where others end it. */
static const char *far_end(const struct scan *s, const char *host, const char *end)
{
	const char *limit = s->end - end > FAR_MAX ? end + FAR_MAX : s->end, *at = NULL, *p = end;
	size_t n;

	if (in_authority(host, end))
		at = last_at(end, limit);
	while (p < limit) {
		gunichar c = character(p, s->end, &n);

		if (!c || c <= ' ' || c == 0x7f || c == '<' || c == '>' || g_unichar_isspace(c) || g_unichar_iscntrl(c))
			break;
		if (c < 0x80 && strchr("\"`{}()[]", (int)c) && (!at || p > at))
			break;
		if (scheme_at(p, s->end) || www_begins(s->begin, p, s->end))
			break;
		if (next_url_behind(p, s->end, n) || markup_behind(p, s->end))
			break;
		p += n;
	}
	return p;
}

/* ---- what is found -------------------------------------------------------------- */

static void tell(const struct scan *s, const char *url, size_t len, size_t prefix, bool bare)
{
	if (len > prefix)
		s->found(url, len, bare, s->arg);
}

/* Is there a dot in it?  Without one, what stands before a letter of another script is half a name. */
static bool stands_alone(const char *url, size_t len, size_t prefix)
{
	const char *dot = memchr(url + prefix, '.', len - prefix);

	return dot && dot + 1 < url + len;
}

/* A mail address is no URL: "www.example@example.com". */
static bool is_address(const char *url, size_t len)
{
	size_t i = 0;

	while (i < len && url[i] != '/' && url[i] != '?' && url[i] != '#')
		if (url[i++] == '@')
			return true;
	return false;
}

/* A URL begins at <url>, its host after <prefix> bytes; where to go on. */
static const char *take(const struct scan *s, const char *url, size_t prefix, bool has_scheme, bool bare)
{
	size_t scheme = has_scheme ? prefix : 0;
	struct extent e = url_extent(url + scheme, s->end, url > s->begin ? url[-1] : '\0');
	size_t len = trim_emphasis(s, url, (size_t)(e.end - url));
	size_t ascii = trim_emphasis(s, url, (size_t)(e.ascii_end - url));
	size_t far;

	if (bare && is_address(url, len))
		return e.end;
	tell(s, url, len, prefix, bare);
	if (ascii < len && ascii > prefix && stands_alone(url, ascii, prefix))
		tell(s, url, ascii, prefix, bare);
	if (!bare && e.end < s->end && (unsigned char)*e.end > ' ' && *e.end != '<' && *e.end != '>') {
		far = trim_emphasis(s, url, (size_t)(far_end(s, url + scheme, e.end) - url));
		if (far > len)
			tell(s, url, far, prefix, false);
	}
	return e.end > url ? e.end : url + 1;
}

/* A line end at <p>, after blanks: what is behind it, the quote marks of the next line and blanks.  <p> if there is
 * none. */
static const char *behind_line_end(const struct scan *s, const char *p, const char *limit)
{
	const char *q = p;

	while (q < limit && (*q == ' ' || *q == '\t' || *q == '\r'))
		q++;
	if (q == limit || *q != '\n')
		return p;
	while (q < limit && (*q == ' ' || *q == '\t' || *q == '\r' || *q == '\n' || (*q == '>' && s->quoted)))
		q++;
	return q;
}

/* Behind '<' a URL goes on over line ends up to '>' (RFC 3986, appendix C), behind '"' up to the next one; mail programs
 * drop blanks inside.  What is behind it; NULL if it does not end so.  Not all of them do: what others take is told as
 * well. */
static const char *take_enclosed(const struct scan *s, const char *p, char close)
{
	const char *limit = s->end - p > ANGLE_MAX ? p + ANGLE_MAX : s->end, *next;
	const char *begin;
	GString *joined;
	size_t prefix, n;
	bool blanks = false;

	if (limit - p > 4 && !g_ascii_strncasecmp(p, "URL:", 4))
		p += 4;
	prefix = scheme_at(p, limit);
	if (!prefix)
		return NULL;
	begin = p;
	joined = g_string_new(NULL);
	while (p < limit && !strchr("<>\"", *p)) {
		next = behind_line_end(s, p, limit);
		if (next == p && (*p == ' ' || *p == '\t'))
			next++;
		blanks |= next > p;
		if (next == p) {
			if (!character(p, limit, &n) || (unsigned char)*p < ' ' || *p == 0x7f)
				break;
			g_string_append_len(joined, p, (gssize)n);
			next += n;
		}
		p = next;
	}
	next = NULL;
	if (blanks && p < limit && *p == close && joined->len > prefix) {
		s->found(joined->str, joined->len, false, s->arg);
		take(s, begin, prefix, true, false);
		next = p + 1;
	}
	g_string_free(joined, TRUE);
	return next;
}

/* A word begins at <p>: is it a domain?  What is behind the name, NULL if it is none. */
static const char *bare_end(const char *p, const char *end)
{
	const char *label = p, *last = NULL;

	for (; p < end && (is_word(*p) || *p == '-' || *p == '.'); p++) {
		if (*p != '.')
			continue;
		if (p == label || p + 1 == end || !is_word(p[1]))
			break;
		last = label = p + 1;
	}
	if (!last || g_ascii_isdigit(*last) || p - last < 2)
		return NULL;
	return p;
}

static bool word_begins(const struct scan *s, const char *p)
{
	return p == s->begin || !(is_word(p[-1]) || strchr(".-_@/\\:=&?#%$+", p[-1]));
}

static const char *take_bare(const struct scan *s, const char *p)
{
	const char *end = bare_end(p, s->end);
	bool port = end && s->end - end > 1 && *end == ':' && g_ascii_isdigit(end[1]);

	if (!end || (end < s->end && strchr("@_(:\\=", *end) && !port))
		return NULL;
	return take(s, p, 0, false, true);
}

static void scan_text(struct scan *s)
{
	const char *p = s->begin, *next;
	size_t prefix;

	while (p < s->end && !vtm_work_over(s->options->work)) {
		char c = *p;

		next = NULL;
		if (p == s->begin || p[-1] == '\n')
			s->quoted = c == '>';
		if (c == '<' || c == '"')
			next = take_enclosed(s, p + 1, c == '<' ? '>' : '"');
		else if ((c == 'h' || c == 'H') && (prefix = scheme_at(p, s->end)))
			next = take(s, p, prefix, true, false);
		else if ((c == 'w' || c == 'W') && www_begins(s->begin, p, s->end))
			next = take(s, p, 4, false, false);
		else if (s->options->bare && is_word(c) && word_begins(s, p))
			next = take_bare(s, p);
		p = next ? next : p + 1;
	}
}

bool vtm_linkify(const char *text, size_t len, const struct vtm_linkify_options *options, vtm_linkify_found *found,
		 void *arg)
{
	struct scan s = { .options = options, .found = found, .arg = arg };
	struct vtm_buffer joined = { .data = NULL };
	bool whole;

	if (options->folded)
		vtm_linkify_unfold(&joined, text, len);
	else if (options->flowed && options->delsp)
		vtm_linkify_unflow(&joined, text, len);
	s.begin = joined.data ? joined.data : text;
	s.end = s.begin + (joined.data ? joined.len : len);
	whole = !joined.refused;
	if (whole)
		scan_text(&s);
	vtm_buffer_clear(&joined);
	return whole;
}
