/* SPDX-License-Identifier: BSD-2-Clause */
/* unwrap-parts.h - what the files of unwrap share.  Only unwrap*.c include it. */
#ifndef VTM_UNWRAP_PARTS_H
#define VTM_UNWRAP_PARTS_H

#include "url/unwrap.h"

struct vtm_finds {
	const struct vtm_url *in;	/* NULL: a text that is no URL for us */
	GPtrArray *urls;		/* of struct vtm_url *, each once; NULL: none yet */
	bool cut;			/* there were more than VTM_UNWRAP_MAX */
};

/* Takes <u> over; NULL is none. */
void vtm_finds_add(struct vtm_finds *f, struct vtm_url *u);
/* Adds every URL that <text> may stand for: one that it is or holds, after up to VTM_ESCAPE_LEVELS of unescaping, or
 * in base64, also inside JSON, from any of the four places where a group may begin. */
void vtm_finds_text(struct vtm_finds *f, const char *text);
/* The same for a text that is known to be a URL: it may lack the scheme. */
void vtm_finds_url(struct vtm_finds *f, const char *text);
/* Adds what the segments of the path hold: an escaped URL ends with its segment, one as it is takes all that follows. */
void vtm_finds_path(struct vtm_finds *f, const struct vtm_url *u);
/* Calls <each> for the parts between '&' of <text>, NUL-terminated, as many as are looked at. */
void vtm_finds_pairs(struct vtm_finds *f, const char *text, void (*each)(struct vtm_finds *f, char *pair, void *arg),
		     void *arg);

struct vtm_wrapper;
typedef void vtm_unwrapper(struct vtm_finds *f, const struct vtm_url *u, const struct vtm_wrapper *w);

struct vtm_wrapper {
	const char *hosts;	/* with blanks between: domains, subdomains included; "NAME.*": a family; "*": any host */
	const char *path;	/* what the path begins with; ends there if it ends in a letter or digit; NULL: anything */
	vtm_unwrapper *decode;
	const char *params;	/* of the query, for the decoders that read one; any case */
};

/* Decoders: each adds every target that the wrapper may lead to. */
vtm_unwrapper vtm_unwrap_param, vtm_unwrap_domain, vtm_unwrap_base64_or_domain, vtm_unwrap_path,
	vtm_unwrap_underscores, vtm_unwrap_query, vtm_unwrap_amp, vtm_unwrap_second_segment, vtm_unwrap_host_before,
	vtm_unwrap_translated_host, vtm_unwrap_proofpoint2, vtm_unwrap_proofpoint3;

/* Whose host a wrapper's row was found for. */
enum vtm_wrapper_host {
	VTM_WRAPPER_ANYBODY,	/* the row is for any host */
	VTM_WRAPPER_IMITATED,	/* the vendor's name below a suffix that is not the vendor's */
	VTM_WRAPPER_VENDOR	/* the vendor's own, which nobody else can register */
};

/* The row for <u>, NULL: none. */
const struct vtm_wrapper *vtm_wrapper_of(const struct vtm_url *u, enum vtm_wrapper_host *whose_r);

#endif
