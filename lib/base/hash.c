/* SPDX-License-Identifier: BSD-2-Clause */
/* hash.c - SHA-256 and random bytes through OpenSSL. */
#include "base/hash.h"

#include <glib.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

struct vtm_sha256 {
	EVP_MD_CTX *ctx;
};

/* Fetches the algorithm once: EVP_sha256() would do so at every init (OpenSSL 3). */
static const EVP_MD *md(void)
{
	static gsize once;
	static EVP_MD *fetched;

	if (g_once_init_enter(&once)) {
		fetched = EVP_MD_fetch(NULL, "SHA256", NULL);
		if (!fetched)
			g_error("OpenSSL has no SHA-256");
		g_once_init_leave(&once, 1);
	}
	return fetched;
}

static void start(struct vtm_sha256 *s)
{
	if (EVP_DigestInit_ex2(s->ctx, md(), NULL) != 1)
		g_error("SHA-256 cannot be started");
}

struct vtm_sha256 *vtm_sha256_new(void)
{
	struct vtm_sha256 *s = g_new0(struct vtm_sha256, 1);

	s->ctx = EVP_MD_CTX_new();
	if (!s->ctx)
		g_error("out of memory");
	start(s);
	return s;
}

void vtm_sha256_add(struct vtm_sha256 *s, const void *data, size_t len)
{
	if (EVP_DigestUpdate(s->ctx, data, len) != 1)
		g_error("SHA-256 failed");
}

void vtm_sha256_end(struct vtm_sha256 *s, uint8_t digest[VTM_SHA256_LEN])
{
	if (EVP_DigestFinal_ex(s->ctx, digest, NULL) != 1)
		g_error("SHA-256 failed");
	start(s);
}

void vtm_sha256_free(struct vtm_sha256 *s)
{
	if (!s)
		return;
	EVP_MD_CTX_free(s->ctx);
	g_free(s);
}

void vtm_sha256(const void *data, size_t len, uint8_t digest[VTM_SHA256_LEN])
{
	if (EVP_Digest(data, len, digest, NULL, md(), NULL) != 1)
		g_error("SHA-256 failed");
}

#define BLOCK 64	/* bytes of SHA-256's block */

void vtm_hmac_sha256(const uint8_t *key, size_t key_len, const void *data, size_t len, uint8_t digest[VTM_SHA256_LEN])
{
	uint8_t pad[BLOCK], inner[VTM_SHA256_LEN];
	struct vtm_sha256 s = { EVP_MD_CTX_new() };

	g_assert(key_len <= BLOCK);
	if (!s.ctx)
		g_error("out of memory");
	memset(pad, 0x36, sizeof(pad));
	for (size_t i = 0; i < key_len; i++)
		pad[i] ^= key[i];
	start(&s);
	vtm_sha256_add(&s, pad, sizeof(pad));
	vtm_sha256_add(&s, data, len);
	vtm_sha256_end(&s, inner);
	for (size_t i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	vtm_sha256_add(&s, pad, sizeof(pad));
	vtm_sha256_add(&s, inner, sizeof(inner));
	if (EVP_DigestFinal_ex(s.ctx, digest, NULL) != 1)
		g_error("SHA-256 failed");
	EVP_MD_CTX_free(s.ctx);
}

void vtm_random(void *out, size_t len)
{
	if (RAND_bytes(out, (int)len) != 1)
		g_error("OpenSSL has no random bytes");
}

void vtm_hex(const uint8_t digest[VTM_SHA256_LEN], char hex[VTM_SHA256_HEX])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < VTM_SHA256_LEN; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hex[2 * VTM_SHA256_LEN] = '\0';
}

int vtm_unhex(const char *hex, uint8_t digest[VTM_SHA256_LEN])
{
	for (int i = 0; i < VTM_SHA256_LEN; i++) {
		int high = g_ascii_xdigit_value(hex[2 * i]);
		int low = high < 0 ? -1 : g_ascii_xdigit_value(hex[2 * i + 1]);

		if (low < 0)
			return -1;
		digest[i] = (uint8_t)(high << 4 | low);
	}
	return hex[2 * VTM_SHA256_LEN] ? -1 : 0;
}
