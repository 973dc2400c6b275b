/* SPDX-License-Identifier: BSD-2-Clause */
/* privacy.h - does a URL look personal?  A table of rules.  Leaf.
 *
 * What is personal: a URL that tells who reads the mail, or that lets whoever has it act for him; and one that holds such
 * a URL, escaped several times or in base64.  The rules err on that side, with these exceptions:
 *  - words such as "verify" or "password" count only with something behind them that may identify (phishing pages are
 *    named so, and "/verify/login.php" is the same for everybody); words of unsubscribing always count;
 *  - long random strings in the path do not count on hosts that keep public files or pages under such names (code,
 *    videos, buckets); they do on those whose links are a secret shared by mail (documents, transfers).
 */
#ifndef VTM_PRIVACY_H
#define VTM_PRIVACY_H

#include <stdbool.h>

#include "url/url.h"

/* URLPrivacy: what is asked about by its host only. */
enum vtm_url_privacy {
	VTM_PRIVACY_GUARDED,	/* what looks personal */
	VTM_PRIVACY_HOST,	/* every URL */
	VTM_PRIVACY_FULL	/* none */
};

/* The name of the rule that <u> meets, static; NULL: none.  Names: "userinfo", "host-only" (nothing but the host is
 * known), "unsubscribe", "confirm", "reset", "invite", "login", "session", "token", "recipient", "email", "random". */
const char *vtm_privacy_rule(const struct vtm_url *u);

#endif
