/* SPDX-License-Identifier: BSD-2-Clause */
/* open.h - opens the Redis store. */
#ifndef VTM_STORE_REDIS_OPEN_H
#define VTM_STORE_REDIS_OPEN_H

#include "store/store.h"

/* <uri>: as uri.h has it. */
struct vtm_store *vtm_store_redis_open(const char *uri, const struct vtm_store_settings *settings, GError **error);

#endif
