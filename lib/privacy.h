/* SPDX-License-Identifier: BSD-2-Clause */
/* privacy.h - does a URL look personal?  A table of rules.  Leaf. */
#ifndef VTM_PRIVACY_H
#define VTM_PRIVACY_H

#include <stdbool.h>

#include "url.h"

/* The name of the rule that <u> meets ("userinfo", "unsubscribe", "token" ...), static; NULL: none. */
const char *vtm_privacy_rule(const struct vtm_url *u);

#endif
