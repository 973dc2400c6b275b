/* SPDX-License-Identifier: BSD-2-Clause */
/* settings.h - a configuration snapshot as the plain settings that lib/ takes. */
#ifndef VTM_SETTINGS_H
#define VTM_SETTINGS_H

#include "conf/conf.h"
#include "scan/scan.h"

/* The results borrow from <c>: they live as long as the caller's reference. */
void vtm_settings_scan(const struct vtm_conf *c, struct vtm_scan_settings *s);
void vtm_settings_budget(const struct vtm_conf *c, struct vtm_budget_limits *l);
void vtm_settings_store(const struct vtm_conf *c, const struct vtm_clock *clock, struct vtm_store_settings *s);
void vtm_settings_vt(const struct vtm_conf *c, struct vtm_vt_settings *s);
/* turned_bad and arg are left to the caller. */
void vtm_settings_resolver(const struct vtm_conf *c, const struct vtm_clock *clock, struct vtm_cache *cache,
			   struct vtm_resolver_settings *s);

#endif
