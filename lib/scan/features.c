/* SPDX-License-Identifier: BSD-2-Clause */
/* features.c - what a message and its items show. */
#include "scan/features.h"

#include <string.h>

#include "base/netlist.h"
#include "url/url.h"

/* ---- attachments ---- */

/* By the end of the name: what a click runs or opens in a browser; what hides other files, or may hold macros. */
static const char *const active[] = {
	/* pages */
	"htm", "html", "shtml", "xht", "xhtml", "svg", "mht", "mhtml", "hta", "xml", "url", "webloc", "website",
	/* programs, scripts, links */
	"exe", "scr", "com", "pif", "cpl", "dll", "msi", "msix", "appx", "jar", "jnlp", "apk", "bat", "cmd", "ps1", "vbs",
	"vbe", "js", "jse", "wsf", "wsh", "lnk", "reg", "chm", "settingcontent-ms", "library-ms", "search-ms", "rdp", "sh",
	"py", "command", "app", "pkg", "deb", "rpm", "one", "xll", "wll", "slk", "iqy",
	/* disk images */
	"iso", "img", "vhd", "vhdx", "dmg", "udf",
	/* documents with macros */
	"docm", "dotm", "xlsm", "xltm", "xlam", "xlsb", "pptm", "potm", "ppam", "ppsm", "sldm",
};
static const char *const archives[] = {
	"zip", "rar", "7z", "tar", "gz", "tgz", "bz2", "tbz", "xz", "txz", "zst", "lz", "lzh", "lha", "arj", "ace", "cab",
	"z", "zipx", "wim", "eml", "msg",
	/* old documents, which do not say by their name whether they hold macros */
	"doc", "dot", "xls", "xlt", "ppt", "pps", "pot", "rtf",
};
static const char *const active_types[] = {
	"text/html", "application/xhtml+xml", "image/svg+xml", "application/hta", "text/javascript",
	"application/javascript", "application/x-msdownload", "application/x-ms-shortcut", "application/x-msdos-program",
	"application/vnd.microsoft.portable-executable", "application/x-iso9660-image", "application/java-archive",
	"application/vnd.ms-word.document.macroenabled.12", "application/vnd.ms-excel.sheet.macroenabled.12",
	"application/vnd.ms-powerpoint.presentation.macroenabled.12", "application/onenote", "application/x-sh",
	"text/x-server-parsed-html", "application/x-apple-diskimage", "application/vnd.android.package-archive",
};
static const char *const archive_types[] = {
	"application/zip", "application/x-zip-compressed", "application/x-rar-compressed", "application/vnd.rar",
	"application/x-7z-compressed", "application/gzip", "application/x-gzip", "application/x-tar", "application/x-xz",
	"application/x-bzip2", "application/zstd", "application/vnd.ms-cab-compressed", "message/rfc822",
	"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint", "application/rtf", "text/rtf",
};

static bool is_among(const char *text, size_t len, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(list[i]) == len && !g_ascii_strncasecmp(list[i], text, len))
			return true;
	return false;
}
#define AMONG(text, len, list) is_among(text, len, list, G_N_ELEMENTS(list))

static enum vtm_file_risk file_risk(const struct vtm_item *item)
{
	const char *name = item->name ? item->name : "", *end = name + strlen(name), *dot;
	size_t n = 0, type = item->type ? strlen(item->type) : 0;

	while (end > name && (end[-1] == '.' || end[-1] == ' '))
		end--;			/* as Windows does */
	dot = g_strrstr_len(name, end - name, ".");
	if (dot)
		n = (size_t)(end - dot - 1);
	if ((n && AMONG(dot + 1, n, active)) || (type && AMONG(item->type, type, active_types)))
		return VTM_FILE_ACTIVE;
	if ((n && AMONG(dot + 1, n, archives)) || (type && AMONG(item->type, type, archive_types)))
		return VTM_FILE_ARCHIVE;
	return VTM_FILE_PLAIN;
}

/* ---- links ---- */

/* The domain that is responsible for <host>: the registrable one, or the part that belongs to one of many customers.
 * Points into <host>. */
static const char *domain_of(const struct vtm_lists *lists, const char *host)
{
	const char *tenant = vtm_lists_tenant(lists, host);

	return tenant ? tenant : vtm_host_domain(host);
}

bool vtm_features_host_of_many(const struct vtm_lists *lists, const char *host)
{
	return vtm_lists_hosting(lists, host) == VTM_HOSTING_PATHS || vtm_lists_is_shortener(lists, host);
}

static const char *without_scheme(const char *url)
{
	const char *p = strstr(url, "://");

	return p ? p + 3 : url;
}

static bool is_punycode(const char *host)
{
	return g_str_has_prefix(host, "xn--") || strstr(host, ".xn--");
}

void vtm_features_of_item(const struct vtm_lists *lists, const struct vtm_item *item, const struct vtm_lookup *lookup,
			  const struct vtm_message_features *message, struct vtm_item_features *out)
{
	const char *domain;
	bool paths;

	memset(out, 0, sizeof(*out));
	out->attachment = item->kind == VTM_ATTACHMENT;
	if (out->attachment) {
		out->file = file_risk(item);
		return;
	}
	domain = domain_of(lists, item->host);
	paths = vtm_features_host_of_many(lists, item->host);
	out->group = g_strdup(paths ? without_scheme(item->subject) : domain);
	out->anybody_publishes = paths || vtm_lists_tenant(lists, item->host) || vtm_host_is_tenant(item->host);
	out->host_of_many = paths && lookup && lookup->key.kind == VTM_LOOKUP_HOST;
	out->shortener = vtm_lists_is_shortener(lists, item->host);
	out->odd_name = vtm_host_is_ip(item->host) || is_punycode(item->host) ||
			vtm_lists_borrows_brand(lists, item->host);
	out->cheap_tld = vtm_lists_is_cheap(lists, item->host);
	out->to_from = !paths && message->from_domain && !strcmp(domain, message->from_domain);
}

/* ---- the message ---- */

static unsigned count_domains(const struct vtm_lists *lists, const struct vtm_items *items)
{
	GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
	unsigned n;

	for (guint i = 0; i < items->list->len; i++) {
		const struct vtm_item *item = items->list->pdata[i];

		if (item->kind == VTM_URL && !item->wrapper)
			g_hash_table_add(seen, (gpointer)(uintptr_t)domain_of(lists, item->host));
	}
	n = g_hash_table_size(seen);
	g_hash_table_destroy(seen);
	return n;
}

void vtm_features_of_message(const struct vtm_lists *lists, const struct vtm_items *items,
			     const struct vtm_heading *heading, const char *client_address,
			     struct vtm_message_features *out)
{
	memset(out, 0, sizeof(*out));
	out->from_domain = heading->from_domain ? g_strdup(domain_of(lists, heading->from_domain)) : NULL;
	out->network = client_address ? vtm_net_of(client_address) : NULL;
	out->dmarc_pass = heading->dmarc_pass;
	out->link_domains = count_domains(lists, items);
}
