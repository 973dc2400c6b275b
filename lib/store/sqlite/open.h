/* SPDX-License-Identifier: BSD-2-Clause */
/* open.h - opens the SQLite store. */
#ifndef VTM_STORE_SQLITE_OPEN_H
#define VTM_STORE_SQLITE_OPEN_H

#include "store/store.h"

/* <path>: what follows "sqlite:". */
struct vtm_store *vtm_store_sqlite_open(const char *path, const struct vtm_store_settings *settings, GError **error);

#endif
