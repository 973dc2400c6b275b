/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-conf.c - vtmilter.conf: an error that names the file, or a snapshot whose dump reads back as itself. */
#include "fuzz.h"

#include "conf/conf.h"
#include "base/error.h"

static char *dump(const struct vtm_conf *c)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	vtm_conf_dump(c, f);
	fclose(f);
	return text;
}

static struct vtm_conf *load(const uint8_t *data, size_t size)
{
	GError *error = NULL;
	struct vtm_conf *c;
	char path[64];
	int fd = fuzz_file(data, size, path);

	c = vtm_conf_load_quiet(path, &error);
	close(fd);
	FUZZ_CHECK(!c == !!error);
	if (error) {
		FUZZ_CHECK(error->domain == VTM_ERROR && g_utf8_validate(error->message, -1, NULL));
		FUZZ_CHECK(strstr(error->message, path) && !strchr(error->message, '\n'));
		g_error_free(error);
	}
	return c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vtm_conf *c = load(data, size), *again;
	char *text, *text2;

	if (!c)
		return 0;
	text = dump(c);
	again = load((const uint8_t *)text, strlen(text));
	FUZZ_CHECK(again);
	text2 = dump(again);
	FUZZ_CHECK(!strcmp(text, text2));
	free(text);
	free(text2);
	vtm_conf_unref(c);
	vtm_conf_unref(again);
	return 0;
}
