/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-replay.c - a main for a fuzz target built without libFuzzer: runs it once on each file named. */
#include "fuzz.h"

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		gchar *data;
		gsize len;
		GError *error = NULL;

		if (!g_file_get_contents(argv[i], &data, &len, &error)) {
			fprintf(stderr, "%s\n", error->message);
			return 66;
		}
		fprintf(stderr, "%s\n", argv[i]);
		LLVMFuzzerTestOneInput((const uint8_t *)data, len);
		g_free(data);
	}
	return argc < 2;
}
