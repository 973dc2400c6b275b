/* SPDX-License-Identifier: BSD-2-Clause */
/* tls.h - TLS as a transformation of bytes, without a socket; included by store-redis*.c only.
 *
 * What is to be sent is taken from out, what was received is given to feed; so the one loop that waits with a
 * deadline is the same with and without TLS (store-redis-net.c).  TLS 1.2 or later, the server's certificate and name
 * are always verified.
 */
#ifndef VTM_STORE_REDIS_TLS_H
#define VTM_STORE_REDIS_TLS_H

#include <glib.h>

struct vtm_redis_tls;

/* <host> is the name or address that must stand in the certificate.  Files NULL: the system's CAs, no certificate of
 * our own. */
struct vtm_redis_tls *vtm_redis_tls_new(const char *host, const char *ca_file, const char *cert_file,
					const char *key_file, GError **error);
void vtm_redis_tls_free(struct vtm_redis_tls *t);

/* 1 done, 0 bytes are needed (after sending what is in out), -1 failed. */
int vtm_redis_tls_handshake(struct vtm_redis_tls *t, GError **error);
int vtm_redis_tls_write(struct vtm_redis_tls *t, const void *data, gsize len, GError **error);
/* Bytes read into <data>, 0 more is needed, -1 failed or ended. */
int vtm_redis_tls_read(struct vtm_redis_tls *t, void *data, gsize max, GError **error);

void vtm_redis_tls_feed(struct vtm_redis_tls *t, const void *data, gsize len);
/* Moves the bytes to be sent to the end of <out>. */
void vtm_redis_tls_drain(struct vtm_redis_tls *t, GByteArray *out);

#endif
