/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz.h - what the fuzz targets share (README says how to run them).
 *
 * Each t/fuzz/fuzz-NAME.c is one libFuzzer target; its seeds lie in t/data/fuzz/NAME.  The sanitizers find what is out of
 * bounds; FUZZ_CHECK finds what is out of contract.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FUZZ_CHECK(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input as a file, in memory: its name is written to <path>, the descriptor is the caller's to close. */
static inline int fuzz_file(const uint8_t *data, size_t size, char path[64])
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
	g_snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

#endif
