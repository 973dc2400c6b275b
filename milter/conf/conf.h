/* SPDX-License-Identifier: BSD-2-Clause */
/* conf.h - vtmilter.conf as an immutable snapshot with a reference count.
 *
 * Each directive is a row of the table in table.c, which drives parsing, default, check, --dump-config, and the tests
 * that the manual page and etc/vtmilter.conf name every directive.  A snapshot never changes and owns all it points to;
 * any thread may read one while it holds a reference.
 */
#ifndef VTM_CONF_H
#define VTM_CONF_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "scan/ignore.h"
#include "scan/lists.h"
#include "base/log.h"
#include "base/netlist.h"
#include "url/privacy.h"

#define VTM_CONF_FILE_DEFAULT SYSCONFDIR "/vtmilter.conf"

enum vtm_on_bad { VTM_ON_BAD_ACCEPT, VTM_ON_BAD_QUARANTINE, VTM_ON_BAD_REJECT, VTM_ON_BAD_DISCARD };
enum vtm_on_failure { VTM_ON_FAILURE_ACCEPT, VTM_ON_FAILURE_TEMPFAIL };
enum vtm_order { VTM_ORDER_POINTS, VTM_ORDER_CLASS };
enum vtm_journal_detail { VTM_JOURNAL_FULL, VTM_JOURNAL_IDS };

/* Where a message comes from: somebody who logged in, else a client in OwnNetworks, else anybody. */
enum vtm_origin { VTM_ORIGIN_INBOUND, VTM_ORIGIN_AUTHENTICATED, VTM_ORIGIN_NETWORKS };
#define VTM_ORIGINS (VTM_ORIGIN_NETWORKS + 1)
struct vtm_by_origin {
	int choice[VTM_ORIGINS];
	unsigned named;		/* private: the origins that have a line in the file */
};

struct vtm_conf {
	int refs;		/* atomic; private */
	char *path;		/* the file; NULL: only defaults */
	/* what is looked up */
	bool enabled;
	char *api_key_file, *api_base_url, *ca_file;
	bool scan_attachments, scan_urls, scan_resource_urls, scan_bare_domains;
	int url_privacy;	/* enum vtm_url_privacy */
	bool submit_unknown_urls, reask_unknown;
	GStrv ignored_domains, ignored_hashes;	/* file names */
	char *authserv_id;
	char *list_directory;	/* of what is known of hosts (scan/lists.h); NULL: those that are installed */
	uint32_t detection_threshold;
	uint32_t max_lookups_per_message;
	bool scan_archives, scan_pdf;
	/* waiting */
	int64_t timeout_ms;
	uint32_t max_waiting;
	/* budget */
	uint32_t requests_per_minute, requests_per_day, requests_per_month;
	uint32_t reserve_for_manual;
	uint32_t reserve_for_attachments_percent;
	uint32_t sender_share_percent;
	enum vtm_order order;
	uint32_t explore_share_percent;
	int64_t pending_lifetime_ms;
	int64_t ttl_bad_ms, ttl_clean_ms, ttl_unknown_ms;
	/* what is done with mail */
	struct vtm_by_origin on_bad;		/* enum vtm_on_bad */
	struct vtm_by_origin on_failure;	/* enum vtm_on_failure */
	char *own_networks_text, *trusted_relays_text, *skip_networks_text;
	struct vtm_netlist *own_networks, *trusted_relays, *skip_networks;	/* NULL: none */
	bool skip_authenticated;
	bool report_headers;
	uint64_t max_message_size;	/* 0: no limit */
	uint64_t max_memory;
	/* the process */
	char *socket, *socket_group, *user, *pid_file, *temp_directory, *control_socket;
	int64_t socket_mode;
	bool foreground;
	/* store and journal */
	char *store, *store_password_file, *store_ca_file, *store_cert_file, *store_key_file, *store_prefix;
	int64_t journal_retention_ms, history_retention_ms;
	uint32_t history_size;
	int journal_detail;
	GStrv late_verdict_command;	/* argv; NULL: none */
	int64_t late_verdict_timeout_ms;
	char *metrics_listen;
	/* the log */
	int log_format;		/* enum vtm_log_format */
	int log_level;		/* enum vtm_severity */
	char *syslog_facility;
	bool log_urls;
	/* derived from the above */
	struct vtm_ignore *ignore;
	struct vtm_lists *lists;
	unsigned lists_found;	/* of VTM_LISTS_FILES */
	char *api_key;		/* NULL if not Enabled */
};

/* Reads <path> (NULL: VTM_CONF_FILE_DEFAULT), the lists and the key; checks each value and all together.  Registers the
 * key with vtm_log_secret().  Returns a new snapshot with one reference.  NULL: VTM_ERROR_CONFIG, or
 * VTM_ERROR_NOT_BUILT if this build lacks what a directive needs; the text is "FILE:LINE: Directive: found, expected,
 * what to do". */
struct vtm_conf *vtm_conf_load(const char *path, GError **error);
/* Does not read key and lists: for programs that need only the paths. */
struct vtm_conf *vtm_conf_load_quiet(const char *path, GError **error);
/* Every directive at its default, without key and lists. */
struct vtm_conf *vtm_conf_defaults(void);
struct vtm_conf *vtm_conf_ref(struct vtm_conf *c);
void vtm_conf_unref(struct vtm_conf *c);

/* "/path" in <socket> "local:/path", "unix:/path" or "/path"; NULL: <socket> is not local. */
const char *vtm_socket_path(const char *socket);
/* Writes every directive with its value, one a line, with "# default" after those at their default. */
void vtm_conf_dump(const struct vtm_conf *c, FILE *to);
/* Calls <each> for every directive, in the order of the table (tests). */
void vtm_conf_each(void (*each)(const char *name, const char *default_text, const char *help, void *arg), void *arg);

/* The snapshot in force.  Set at the start and at each reload; takes the caller's reference.  The other function
 * returns a new reference; NULL: none was set.  Any thread. */
void vtm_conf_set_current(struct vtm_conf *c);
struct vtm_conf *vtm_conf_current(void);

#endif
