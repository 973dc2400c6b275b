/* SPDX-License-Identifier: BSD-2-Clause */
/* match.h - is a reply about what was asked?  Any thread; keeps nothing.
 *
 * *match_r says how: VTM_MATCH_HOST for a host, and for a URL if the reply is about another URL of the same host, since
 * VirusTotal's normal form may differ from ours.  False: it is about another item, and *match_r means nothing.
 */
#ifndef VTM_MATCH_H
#define VTM_MATCH_H

#include <stdbool.h>

#include "model/lookup.h"
#include "model/verdict.h"
#include "vt/reply.h"

/* Is <j>, a VTM_REPLY_OBJECT, the report on <lookup>? */
bool vtm_match_lookup(const struct vtm_lookup *lookup, const struct vtm_vt_reply *j, enum vtm_match *match_r);

/* Is <j> the analysis with the id <analysis>?  If the reply names the item it is about, that must be <lookup>'s, unless
 * <lookup> is NULL. */
bool vtm_match_analysis(const struct vtm_lookup *lookup, const char *analysis, const struct vtm_vt_reply *j,
			enum vtm_match *match_r);

/* Is <url> on the server of <base>: same scheme, host and port, and no user name?  The key and files go there. */
bool vtm_match_server(const char *base, const char *url);

#endif
