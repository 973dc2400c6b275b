/* SPDX-License-Identifier: BSD-2-Clause */
/* postfix-conf.h - reads Postfix's configuration as postconf(1) prints it; MAIL_CONFIG chooses the instance. */
#ifndef VTM_CTL_POSTFIX_CONF_H
#define VTM_CTL_POSTFIX_CONF_H

#include <glib.h>
#include <stdbool.h>

/* The output of a program, at most 256 KiB, new string.  NULL: it is not there or fails. */
char *vtm_postfix_output(const char *const *argv);

/* The settings of main.cf that doctor checks and all overrides of master.cf ("submission/inet/smtpd_milters"), by name.
 * New; NULL: there is no Postfix. */
GHashTable *vtm_postfix_settings(void);
/* A setting; "" if it is not set. */
const char *vtm_postfix_get(GHashTable *t, const char *name);

/* A line of master.cf. */
struct vtm_postfix_service {
	char *name;		/* "smtp/inet" */
	const char *program;	/* "smtpd"; borrowed from words */
	bool chroot;
	char **words;
};
/* All of them; the array frees them. */
GPtrArray *vtm_postfix_services(GHashTable *t);

/* ---- lists of milters: "unix:a, { inet:b:1, default_action = accept }" ---- */

/* The elements of a list without their braces; the array frees them. */
GPtrArray *vtm_postfix_list_split(const char *list);
/* The list with <by> in place of <element>, or at its end if <element> is NULL.  New string. */
char *vtm_postfix_list_replace(const char *list, const char *element, const char *by);
/* What an element sets <name> to, new string.  NULL: it does not, so that the general setting applies. */
char *vtm_postfix_element_get(const char *element, const char *name);
/* The element with <name> set to <value>, or with another socket and the same settings.  In braces, new string. */
char *vtm_postfix_element_set(const char *element, const char *name, const char *value);
char *vtm_postfix_element_rename(const char *element, const char *socket);

#endif
