/* SPDX-License-Identifier: BSD-2-Clause */
/* signature.c - detached signatures, distinguished from other files. */
#include "mail/signature.h"

#include <glib.h>
#include <string.h>

#include "base/uu.h"

bool vtm_signature_type(const char *type)
{
	return !strcmp(type, "application/pgp-signature") || !strcmp(type, "application/pkcs7-signature") ||
	       !strcmp(type, "application/x-pkcs7-signature");
}

bool vtm_signature_name(const char *name)
{
	static const char *const ends[] = { ".asc", ".sig", ".p7s", ".pgp", ".gpg", NULL };
	const char *dot = name ? strrchr(name, '.') : NULL;

	for (size_t i = 0; dot && ends[i]; i++)
		if (!g_ascii_strcasecmp(dot, ends[i]))
			return true;
	return !name;
}

static bool is_line(const struct vtm_text_line *l, const char *text)
{
	return l->len == strlen(text) && !memcmp(l->text, text, l->len);
}

static bool is_blank(const struct vtm_text_line *l)
{
	for (size_t i = 0; i < l->len; i++)
		if (l->text[i] != ' ' && l->text[i] != '\t')
			return false;
	return true;
}

/* Only these characters: nothing that could be markup or a command of several words. */
static bool consists_of(const struct vtm_text_line *l, const char *others)
{
	for (size_t i = 0; i < l->len; i++)
		if (!g_ascii_isalnum(l->text[i]) && (!l->text[i] || !strchr(others, l->text[i])))
			return false;
	return true;
}

/* "Version: GnuPG v2", "Comment: ..." */
static bool is_armor_field(const struct vtm_text_line *l)
{
	const char *colon = memchr(l->text, ':', l->len);
	struct vtm_text_line key = { l->text, colon ? (size_t)(colon - l->text) : 0, 0 };

	return key.len && consists_of(&key, "-") && consists_of(l, " .,:;/()@+_-!'");
}

static bool is_armor(const char *text, size_t len)
{
	enum { BEFORE, FIELDS, DATA, AFTER } at = BEFORE;
	struct vtm_text_line l;

	for (size_t next = 0; vtm_text_line(text, len, next, &l); next = l.next) {
		switch (at) {
		case BEFORE:
			if (is_line(&l, "-----BEGIN PGP SIGNATURE-----"))
				at = FIELDS;
			else if (!is_blank(&l))
				return false;
			break;
		case FIELDS:
			if (is_blank(&l))
				at = DATA;
			else if (!is_armor_field(&l))
				return false;
			break;
		case DATA:
			if (is_line(&l, "-----END PGP SIGNATURE-----"))
				at = AFTER;
			else if (!consists_of(&l, "+/="))
				return false;
			break;
		case AFTER:
			if (!is_blank(&l))
				return false;
			break;
		}
	}
	return at == AFTER;
}

/* The length of a DER or BER element and where its content begins; false: it is not all of the bytes. */
static bool is_whole_element(const guint8 *p, size_t len, size_t *content_r)
{
	size_t bytes, n = 0;

	if (len < 2 || p[0] != 0x30)
		return false;
	if (p[1] == 0x80) {	/* indefinite: ends with two zeros */
		*content_r = 2;
		return len > 4 && !p[len - 1] && !p[len - 2];
	}
	bytes = p[1] & 0x80 ? p[1] & 0x7f : 0;
	if (bytes > 4 || len < 2 + bytes)
		return false;
	for (size_t i = 0; i < bytes; i++)
		n = n << 8 | p[2 + i];
	*content_r = 2 + bytes;
	return (bytes ? n : p[1]) == len - *content_r;
}

/* ContentInfo with the type id-signedData, and not a byte more. */
static bool is_cms(const char *text, size_t len)
{
	static const guint8 signed_data[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02 };
	const guint8 *p = (const guint8 *)text;
	size_t at = 0;

	return is_whole_element(p, len, &at) && len - at > sizeof(signed_data) &&
	       !memcmp(p + at, signed_data, sizeof(signed_data));
}

bool vtm_signature_is(const char *type, const char *content, size_t len)
{
	if (!content || !len || len > VTM_SIGNATURE_MAX)
		return false;
	return strcmp(type, "application/pgp-signature") ? is_cms(content, len) : is_armor(content, len);
}
