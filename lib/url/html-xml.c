/* SPDX-License-Identifier: BSD-2-Clause */
/* html-xml.c - XML as text in which URLs can be found. */
#include "url/html-parts.h"

#include "url/html.h"

static const char *local_name(const char *name)
{
	const char *colon = strchr(name, ':');

	return colon ? colon + 1 : name;
}

/* Attributes whose value is a URL that names something and that nobody follows. */
static bool is_name_only(const char *element, const char *attribute)
{
	static const struct {
		const char *element;		/* NULL: any */
		const char *attribute;
	} table[] = {
		{ NULL, "schemalocation" }, { NULL, "nonamespaceschemalocation" },
		{ NULL, "transformation" },	/* GRDDL, in OpenDocument */
		{ "relationship", "type" },	/* the target is another attribute */
		{ "graphicdata", "uri" },
	};

	if (!strncmp(attribute, "xmlns", 5))
		return true;
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
		if (!strcmp(local_name(attribute), table[i].attribute) &&
		    (!table[i].element || !strcmp(local_name(element), table[i].element)))
			return true;
	return false;
}

/* Copies a name in lower case, cut; what is behind it. */
static const char *copy_name(char name[VTM_HTML_NAME + 1], struct vtm_bytes b)
{
	size_t n = 0;

	for (; b.at < b.end && !is_space(*b.at) && !strchr("/>=\"'", *b.at); b.at++)
		if (n < VTM_HTML_NAME)
			name[n++] = g_ascii_tolower(*b.at);
	name[n] = '\0';
	return b.at;
}

/* "<NAME" or "<?NAME" is at b.at: appends the values of its attributes, a line each; what is behind its '>'. */
static const char *read_tag(struct vtm_buffer *out, struct vtm_bytes b)
{
	char element[VTM_HTML_NAME + 1], name[VTM_HTML_NAME + 1] = "";

	b.at += b.end - b.at > 1 && b.at[1] == '?' ? 2 : 1;
	b.at = copy_name(element, b);
	while (b.at < b.end && *b.at != '>') {
		const char *end;

		if (*b.at != '"' && *b.at != '\'') {
			end = copy_name(name, b);
			b.at = end > b.at ? end : b.at + 1;
			b = skip_space(b);
			if (b.at < b.end && *b.at == '=')
				b.at++;
			b = skip_space(b);
			continue;
		}
		end = memchr(b.at + 1, *b.at, (size_t)(b.end - b.at - 1));
		if (!end)
			return b.end;
		if (!is_name_only(element, name)) {
			vtm_html_decode(out, (struct vtm_bytes){ b.at + 1, end }, false);
			vtm_buffer_add_char(out, '\n');
		}
		name[0] = '\0';
		b.at = end + 1;
	}
	vtm_buffer_add_char(out, '\n');
	return b.at < b.end ? b.at + 1 : b.end;
}

/* "<!DOCTYPE" is at b.at; what is behind it and what it declares. */
static const char *skip_doctype(struct vtm_bytes b)
{
	while (b.at < b.end && *b.at != '>' && *b.at != '[')
		b.at++;
	if (b.at < b.end && *b.at == '[')
		b.at = behind(b, ']');
	return behind(b, '>');
}

void vtm_html_xml(struct vtm_buffer *out, const char *xml, size_t len)
{
	struct vtm_bytes b = { xml, xml + len };

	vtm_buffer_make_room(out, len);
	while (b.at < b.end) {
		const char *lt = memchr(b.at, '<', (size_t)(b.end - b.at)), *end;

		vtm_html_decode(out, (struct vtm_bytes){ b.at, lt ? lt : b.end }, false);
		if (!lt)
			break;
		b.at = lt;
		if (starts_with(b, "<![cdata[")) {
			end = memmem(b.at, (size_t)(b.end - b.at), "]]>", 3);
			vtm_buffer_add(out, b.at + 9, (size_t)((end ? end : b.end) - b.at) - 9);
			b.at = end ? end + 3 : b.end;
		} else if (starts_with(b, "<!doctype")) {
			b.at = skip_doctype(b);
		} else if (starts_with(b, "<!--")) {
			b.at += 4;	/* and what the comment says is text */
		} else {
			b.at = read_tag(out, b);
		}
	}
}
