/* SPDX-License-Identifier: BSD-2-Clause */
/* address.c - where requests may be sent. */
#include "vt/address.h"

#include <gio/gio.h>
#include <string.h>

#include "base/error.h"

#define BASE_MAX 1024

bool vtm_address_is_loopback(const char *host)
{
	GInetAddress *address;
	bool loopback;

	if (!g_ascii_strcasecmp(host, "localhost"))
		return true;
	address = g_inet_address_new_from_string(host);
	loopback = address && g_inet_address_get_is_loopback(address);
	if (address)
		g_object_unref(address);
	return loopback;
}

bool vtm_address_target_ok(const char *url, bool *plain_r, GError **error)
{
	GUri *uri = g_uri_parse(url, G_URI_FLAGS_ENCODED, NULL);
	const char *scheme, *host;
	bool good = false;

	if (!uri) {	/* GLib's own words would repeat the address */
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "an address like https://host/path is needed");
		return false;
	}
	scheme = g_uri_get_scheme(uri);
	host = g_uri_get_host(uri);
	*plain_r = !strcmp(scheme, "http");
	if (!host || !*host || g_uri_get_userinfo(uri))
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "a host without user name is needed");
	else if (strcmp(scheme, "https") && !*plain_r)
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "https is needed");
	else if (*plain_r && !vtm_address_is_loopback(host))
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "https is needed (http only to a loopback address)");
	else
		good = true;
	g_uri_unref(uri);
	return good;
}

bool vtm_address_base_ok(const char *url, GError **error)
{
	bool plain;

	if (strlen(url) > BASE_MAX) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "longer than %d bytes", BASE_MAX);
		return false;
	}
	/* Only what GLib and libcurl read alike; neither query, fragment nor escapes. */
	if (url[strspn(url, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-._~:/[]")]) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG,
			    "an address without user name, query and fragment is needed");
		return false;
	}
	return vtm_address_target_ok(url, &plain, error);
}
