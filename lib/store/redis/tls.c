/* SPDX-License-Identifier: BSD-2-Clause */
/* tls.c - TLS as a transformation of bytes. */
#include "store/redis/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct vtm_redis_tls {
	SSL_CTX *context;
	SSL *ssl;
	BIO *in, *out;		/* the SSL's */
};

static int failed(struct vtm_redis_tls *t, const char *what, GError **error)
{
	unsigned long code = ERR_get_error();
	long verified = t && t->ssl ? SSL_get_verify_result(t->ssl) : X509_V_OK;
	char text[160] = "connection ended";

	if (code)
		ERR_error_string_n(code, text, sizeof(text));
	ERR_clear_error();
	g_set_error(error, VTM_ERROR, VTM_ERROR_STORE, "TLS: %s: %s", what,
		    verified != X509_V_OK ? X509_verify_cert_error_string(verified) : text);
	return -1;
}

static bool set_host(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	if (X509_VERIFY_PARAM_set1_ip_asc(param, host))
		return true;
	ERR_clear_error();
	return SSL_set1_host(ssl, host) && SSL_set_tlsext_host_name(ssl, (char *)(uintptr_t)host);
}

static bool set_files(SSL_CTX *c, const char *ca_file, const char *cert_file, const char *key_file)
{
	if (ca_file ? !SSL_CTX_load_verify_locations(c, ca_file, NULL) : !SSL_CTX_set_default_verify_paths(c))
		return false;
	if (!cert_file)
		return true;
	return SSL_CTX_use_certificate_chain_file(c, cert_file) == 1 &&
	       SSL_CTX_use_PrivateKey_file(c, key_file ? key_file : cert_file, SSL_FILETYPE_PEM) == 1;
}

static bool set_up(struct vtm_redis_tls *t, const char *host)
{
	t->ssl = SSL_new(t->context);
	t->in = BIO_new(BIO_s_mem());
	t->out = BIO_new(BIO_s_mem());
	if (!t->ssl || !t->in || !t->out) {
		BIO_free(t->in);
		BIO_free(t->out);
		return false;
	}
	SSL_set_bio(t->ssl, t->in, t->out);
	SSL_set_connect_state(t->ssl);
	return set_host(t->ssl, host);
}

struct vtm_redis_tls *vtm_redis_tls_new(const char *host, const char *ca_file, const char *cert_file,
					const char *key_file, GError **error)
{
	struct vtm_redis_tls *t = g_new0(struct vtm_redis_tls, 1);

	ERR_clear_error();
	t->context = SSL_CTX_new(TLS_client_method());
	if (t->context && SSL_CTX_set_min_proto_version(t->context, TLS1_2_VERSION) &&
	    set_files(t->context, ca_file, cert_file, key_file)) {
		SSL_CTX_set_verify(t->context, SSL_VERIFY_PEER, NULL);
		if (set_up(t, host))
			return t;
	}
	failed(NULL, "certificate, key or CA file", error);
	vtm_redis_tls_free(t);
	return NULL;
}

void vtm_redis_tls_free(struct vtm_redis_tls *t)
{
	if (!t)
		return;
	SSL_free(t->ssl);
	SSL_CTX_free(t->context);
	g_free(t);
}

int vtm_redis_tls_handshake(struct vtm_redis_tls *t, GError **error)
{
	int rc;

	ERR_clear_error();
	rc = SSL_do_handshake(t->ssl);
	if (rc == 1)
		return 1;
	return SSL_get_error(t->ssl, rc) == SSL_ERROR_WANT_READ ? 0 : failed(t, "handshake", error);
}

int vtm_redis_tls_write(struct vtm_redis_tls *t, const void *data, gsize len, GError **error)
{
	size_t written;

	ERR_clear_error();
	/* memory takes all at once */
	return SSL_write_ex(t->ssl, data, len, &written) == 1 && written == len ? 0 : failed(t, "write", error);
}

int vtm_redis_tls_read(struct vtm_redis_tls *t, void *data, gsize max, GError **error)
{
	size_t n = 0;
	int rc;

	ERR_clear_error();
	rc = SSL_read_ex(t->ssl, data, max, &n);
	if (rc == 1)
		return (int)n;
	return SSL_get_error(t->ssl, rc) == SSL_ERROR_WANT_READ ? 0 : failed(t, "read", error);
}

void vtm_redis_tls_feed(struct vtm_redis_tls *t, const void *data, gsize len)
{
	BIO_write(t->in, data, (int)len);
}

void vtm_redis_tls_drain(struct vtm_redis_tls *t, GByteArray *out)
{
	guint8 buffer[4096];
	int n;

	while ((n = BIO_read(t->out, buffer, sizeof(buffer))) > 0)
		g_byte_array_append(out, buffer, (guint)n);
}
