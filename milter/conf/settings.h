/* SPDX-License-Identifier: BSD-2-Clause */
/* settings.h - makes the settings of lib/ from a configuration snapshot. */
#ifndef VTM_SETTINGS_H
#define VTM_SETTINGS_H

#include "conf/conf.h"
#include "scan/scan.h"

/* The results point into <c>: they are valid while the caller holds a reference. */
void vtm_settings_scan(const struct vtm_conf *c, struct vtm_scan_settings *s);
void vtm_settings_budget(const struct vtm_conf *c, struct vtm_budget_limits *l);
void vtm_settings_store(const struct vtm_conf *c, const struct vtm_clock *clock, struct vtm_store_settings *s);
void vtm_settings_vt(const struct vtm_conf *c, struct vtm_vt_settings *s);
/* The caller sets turned_bad, late and arg. */
void vtm_settings_resolver(const struct vtm_conf *c, const struct vtm_clock *clock, struct vtm_cache *cache,
			   struct vtm_resolver_settings *s);

#endif
