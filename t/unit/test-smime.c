/* SPDX-License-Identifier: BSD-2-Clause */
/* test-smime.c - opaque signed data, made here with a key of the moment. */
#include "decode/smime.h"

#include <glib.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#include "tap.h"

static const char entity[] = "Content-Type: text/plain\r\n\r\nhello\r\n";

static X509 *certificate(EVP_PKEY *key)
{
	X509 *x = X509_new();

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_sign(x, key, EVP_sha256());
	return x;
}

static GByteArray *der(CMS_ContentInfo *cms)
{
	GByteArray *a = g_byte_array_new();
	unsigned char *out = NULL;
	int n = i2d_CMS_ContentInfo(cms, &out);

	g_byte_array_append(a, out, (guint)n);
	OPENSSL_free(out);
	CMS_ContentInfo_free(cms);
	return a;
}

static GByteArray *bytes(const char *data, guint len)
{
	return g_byte_array_append(g_byte_array_new(), (const guint8 *)data, len);
}

static void check(GByteArray *a, enum vtm_smime want, const char *content, const char *what)
{
	size_t len;
	char *got;

	is_int(vtm_smime_open(a->data, a->len, &got, &len), want, "%s", what);
	if (content)
		ok(len == strlen(content) && !memcmp(got, content, len), "%s: the entity", what);
	else
		ok(!got && !len, "%s: no entity", what);
	g_free(got);
	for (guint n = 0; n < a->len; n++) {
		char *exact = g_memdup2(a->data, n);

		vtm_smime_open(exact, n, &got, &len);
		g_free(got);
		g_free(exact);
	}
	g_byte_array_unref(a);
}

int main(void)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	X509 *x = certificate(key);
	STACK_OF(X509) *to = sk_X509_new_null();
	BIO *in = BIO_new_mem_buf(entity, -1);

	check(der(CMS_sign(x, key, NULL, in, CMS_BINARY | CMS_NOSMIMECAP)), VTM_SMIME_SIGNED, entity, "signed data");
	BIO_free(in);
	in = BIO_new_mem_buf(entity, -1);
	check(der(CMS_sign(x, key, NULL, in, CMS_BINARY | CMS_DETACHED | CMS_NOSMIMECAP)), VTM_SMIME_NONE, NULL,
	      "a detached signature");
	BIO_free(in);
	in = BIO_new_mem_buf(entity, -1);
	sk_X509_push(to, x);
	check(der(CMS_encrypt(to, in, EVP_aes_128_cbc(), CMS_BINARY)), VTM_SMIME_ENCRYPTED, NULL, "encrypted data");
	BIO_free(in);
	check(bytes("hello", 5), VTM_SMIME_NONE, NULL, "something else");
	/* RFC 5652 section 3: ContentInfo of data, and one that never ends */
	check(bytes("\x30\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x02\x04\x00", 17), VTM_SMIME_BROKEN, NULL,
	      "data that nobody signed");
	check(bytes("\x30\x80\x30\x80\x30\x80", 6), VTM_SMIME_BROKEN, NULL, "damaged data");
	sk_X509_free(to);
	X509_free(x);
	EVP_PKEY_free(key);
	return done_testing();
}
