/* SPDX-License-Identifier: BSD-2-Clause */
/* check.h - checks a whole configuration, and the files and accounts it names.  Only milter/conf includes it. */
#ifndef VTM_CONF_CHECK_H
#define VTM_CONF_CHECK_H

#include <sys/stat.h>

#include "conf/table.h"

/* A configuration that is being read. */
struct vtm_conf_loader {
	struct vtm_conf *c;
	const struct vtm_conf *defaults;
	unsigned *lines;	/* for each directive the line where it appeared first; 0: nowhere */
};

/* Do the directives fit together?  Parses the lists of networks. */
bool vtm_conf_check(const struct vtm_conf_loader *l, GError **error);
/* Reads key and lists; checks that the named files, directories and accounts exist. */
bool vtm_conf_check_outside(const struct vtm_conf_loader *l, GError **error);

/* Reads a regular file of at most <max> bytes into a new string, with a NUL after it.  NULL: an error whose text does
 * not name the path. */
char *vtm_conf_read_file(const char *path, size_t max, struct stat *st, size_t *len_r, GError **error);

#endif
