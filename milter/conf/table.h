/* SPDX-License-Identifier: BSD-2-Clause */
/* table.h - the table of directives.  Only milter/conf includes it. */
#ifndef VTM_CONF_TABLE_H
#define VTM_CONF_TABLE_H

#include "conf/conf.h"

#define VTM_CONF_NONE "none"	/* unsets an optional directive */

enum vtm_value_type {
	T_BOOL,		/* bool */
	T_NUMBER,	/* uint32_t */
	T_PERCENT,	/* uint32_t */
	T_DURATION,	/* int64_t, ms */
	T_SIZE,		/* uint64_t */
	T_MODE,		/* int64_t */
	T_CHOICE,	/* int, the index of the word in choices */
	T_BY_ORIGIN,	/* struct vtm_by_origin of such; the directive may also appear once for each origin */
	T_TEXT,		/* char *; NULL: none */
	T_PATH,		/* char *, absolute; NULL: none */
	T_PATHS,	/* GStrv of such; the directive may be repeated; NULL: none */
	T_COMMAND	/* GStrv; NULL: none */
};

/* Is <text> a value of the directive?  false: the error says what was found and expected. */
typedef bool vtm_check_text(const char *text, GError **error);

struct vtm_directive {
	const char *name;
	enum vtm_value_type type;
	size_t offset;			/* in struct vtm_conf */
	const char *default_text;	/* NULL: none, and the directive is optional */
	uint64_t min, max;
	const char *const *choices;	/* NULL-terminated */
	vtm_check_text *check;
	bool not_built;			/* this build lacks what it needs: only the default is accepted */
	const char *help;
};

/* In the order of etc/vtmilter.conf and of the manual page. */
extern const struct vtm_directive vtm_directives[];
extern const size_t vtm_n_directives;

/* Finds a directive, in any case.  NULL: there is none. */
const struct vtm_directive *vtm_directive_find(const char *name);
/* The directive that <name> is probably a misspelling of.  NULL: none. */
const struct vtm_directive *vtm_directive_nearest(const char *name);

/* Sets a VTM_ERROR_CONFIG.  Returns false. */
bool vtm_conf_complain(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

#endif
