/* SPDX-License-Identifier: BSD-2-Clause */
/* conf-check.h - what is checked when all directives are read, and what they name outside.  For conf*.c only. */
#ifndef VTM_CONF_CHECK_H
#define VTM_CONF_CHECK_H

#include <sys/stat.h>

#include "conf/table.h"

/* A snapshot in the making. */
struct vtm_conf_loader {
	struct vtm_conf *c;
	const struct vtm_conf *defaults;
	unsigned *lines;	/* by directive: where it stood first; 0: nowhere */
};

/* Does everything go together?  Makes what is made from texts (networks). */
bool vtm_conf_check(const struct vtm_conf_loader *l, GError **error);
/* Reads key and lists, and looks whether files, directories and accounts that are named are there. */
bool vtm_conf_check_outside(const struct vtm_conf_loader *l, GError **error);

/* A regular file of at most <max> bytes; new string, NUL added.  NULL and an error without the path in front. */
char *vtm_conf_read_file(const char *path, size_t max, struct stat *st, size_t *len_r, GError **error);

#endif
