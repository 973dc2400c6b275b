/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-ignore.c - ignore lists: a line's normal form is a fixed point, and what was listed is ignored. */
#include "fuzz.h"

#include "base/error.h"
#include "scan/ignore.h"

static void check_line(const char *line)
{
	GError *error = NULL;
	char *normal = vtm_ignore_domain_normal(line, &error), *again;

	FUZZ_CHECK(!normal == !!error);
	if (error) {
		FUZZ_CHECK(error->domain == VTM_ERROR && g_utf8_validate(error->message, -1, NULL));
		g_error_free(error);
		return;
	}
	again = vtm_ignore_domain_normal(normal, NULL);
	FUZZ_CHECK(again && !strcmp(normal, again));
	FUZZ_CHECK(g_str_is_ascii(normal) && *normal && !strpbrk(normal, "*/ \t\r\n@"));
	g_free(again);
	g_free(normal);
}

static void check_file(const uint8_t *data, size_t size, bool hashes)
{
	struct vtm_ignore *i = vtm_ignore_new();
	GError *error = NULL;
	char path[64];
	int fd = fuzz_file(data, size, path);
	int got = (hashes ? vtm_ignore_add_hashes : vtm_ignore_add_domains)(i, path, &error);

	close(fd);
	FUZZ_CHECK((got == -1) == !!error);
	if (error)
		FUZZ_CHECK(g_utf8_validate(error->message, -1, NULL) && !strchr(error->message, '\n'));
	g_clear_error(&error);
	FUZZ_CHECK(!vtm_ignore_host(i, "") && !vtm_ignore_host(i, "com"));
	vtm_ignore_host(i, "www.example.com");
	vtm_ignore_free(i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = g_strndup((const char *)data, size);

	line[strcspn(line, "\n")] = '\0';
	check_line(line);
	check_file(data, size, false);
	check_file(data, size, true);
	g_free(line);
	return 0;
}
