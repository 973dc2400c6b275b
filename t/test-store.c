/* SPDX-License-Identifier: BSD-2-Clause */
/* test-store.c - the common store suite on every backend, and what all have in common. */
#include <glib/gstdio.h>
#include <unistd.h>

#include "error.h"
#include "store-suite.h"
#include "tap.h"

static struct vtm_clock_manual manual;
static char *dir;

static void renew_sqlite(struct suite *s)
{
	static unsigned n;
	static char uri[256];

	g_snprintf(uri, sizeof(uri), "sqlite:%s/%u.db", dir, n++);
	s->uri = uri;
}

static void uris(void)
{
	static const struct { const char *uri; bool good; } cases[] = {
		{ "sqlite:/var/lib/vtmilter/vtmilter.db", true },
		{ "sqlite:x.db", true },
		{ "sqlite:", false },
		{ "sqlite::memory:", false },
		{ "mysql://h/db", false },
		{ "/var/lib/vtmilter.db", false },
		{ "", false },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct vtm_store_settings settings = { .clock = &manual.clock };
		GError *error = NULL;

		ok(vtm_store_uri_ok(cases[i].uri, &error) == cases[i].good, "\"%s\" is %s", cases[i].uri,
		   cases[i].good ? "a store" : "none");
		ok(cases[i].good || g_error_matches(error, VTM_ERROR, VTM_ERROR_CONFIG),
		   "told as a configuration error");
		g_clear_error(&error);
		if (!cases[i].good)
			ok(!vtm_store_open(cases[i].uri, &settings, &error) &&
			   g_error_matches(error, VTM_ERROR, VTM_ERROR_CONFIG), "nor is it opened");
		g_clear_error(&error);
	}
	vtm_store_close(NULL);
}

static void remove_dir(void)
{
	GDir *d = g_dir_open(dir, 0, NULL);
	const char *name;

	while (d && (name = g_dir_read_name(d))) {
		char *path = g_build_filename(dir, name, NULL);

		unlink(path);
		g_free(path);
	}
	if (d)
		g_dir_close(d);
	rmdir(dir);
	g_free(dir);
}

int main(void)
{
	struct suite sqlite = { .name = "sqlite", .clock = &manual, .renew = renew_sqlite };

	dir = g_dir_make_tmp("vtmilter-store-XXXXXX", NULL);
	vtm_clock_manual_init(&manual, SUITE_NOON);
	sqlite.settings.clock = &manual.clock;
	uris();
	suite_run(&sqlite);
	remove_dir();
	return done_testing();
}
