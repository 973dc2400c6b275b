/* SPDX-License-Identifier: BSD-2-Clause */
/* spool.c - one message being collected. */
#include "mail/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

#define WRITE_BUFFER (64 * 1024)	/* in front of the file: header lines come one by one */
#define ROOM_MIN 1024			/* of memory; doubles */
#define SHARE_STEP (64 * 1024)		/* of a share is taken at a time */

struct vtm_spool {
	char *dir;
	uint64_t max;
	uint64_t size;		/* added so far */
	uint64_t written;	/* of that in the file */
	struct vtm_share *share;/* NULL: none */
	char *user;
	uint64_t taken;		/* of the share */
	char *memory;		/* the message, or what is not yet in the file */
	size_t held, room;	/* there: bytes of it, and how many there may be */
	int fd;			/* -1: all in memory */
	bool broken, too_large, no_memory;
};

/* Bytes that all spools hold; atomic, statistics only. */
static uint64_t total_memory, total_file;

static void count(uint64_t *total, uint64_t from, uint64_t to)
{
	__atomic_add_fetch(total, to - from, __ATOMIC_RELAXED);
}

struct vtm_spool *vtm_spool_new(const char *dir, uint64_t max)
{
	struct vtm_spool *s = g_new0(struct vtm_spool, 1);

	s->dir = g_strdup(dir);
	s->max = max;
	s->fd = -1;
	return s;
}

void vtm_spool_share(struct vtm_spool *s, struct vtm_share *share, const char *user)
{
	s->share = share;
	s->user = g_strdup(user);
}

static void drop_memory(struct vtm_spool *s)
{
	g_clear_pointer(&s->memory, g_free);
	s->room = 0;
	if (s->taken)
		vtm_share_give(s->share, s->user, s->taken);
	s->taken = 0;
}

/* Are there <len> bytes of memory for the message? */
static bool take_memory(struct vtm_spool *s, uint64_t len)
{
	uint64_t more;

	if (!s->share)
		return len <= VTM_SPOOL_MEMORY;
	if (len <= s->taken)
		return true;
	more = (len - s->taken + SHARE_STEP - 1) / SHARE_STEP * SHARE_STEP;
	if (!vtm_share_take(s->share, s->user, more, 0, NULL))
		return false;
	s->taken += more;
	return true;
}

/* Gives back what is held. */
static void drop(struct vtm_spool *s)
{
	count(&total_memory, s->held, 0);
	count(&total_file, s->written, 0);
	drop_memory(s);
	s->held = 0;
	s->written = 0;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

void vtm_spool_free(struct vtm_spool *s)
{
	if (!s)
		return;
	drop(s);
	g_free(s->user);
	g_free(s->dir);
	g_free(s);
}

static int fail(struct vtm_spool *s, int code, const char *what, int errnum, GError **error)
{
	drop(s);
	s->broken = true;
	if (errnum)
		g_set_error(error, VTM_ERROR, code, "%s: %s: %s", s->dir, what, g_strerror(errnum));
	else
		g_set_error(error, VTM_ERROR, code, "%s", what);
	return -1;
}

/* A file without a name, readable by nobody else. */
static int open_unnamed(const char *dir)
{
	char *path;
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	path = g_build_filename(dir, "vtmilter-XXXXXX", NULL);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0 && unlink(path) < 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		fd = -1;
	}
	g_free(path);
	return fd;
}

static int write_all(struct vtm_spool *s, const void *data, size_t len)
{
	const char *from = data;

	while (len) {
		ssize_t n = write(s->fd, from, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n < 0 ? errno : ENOSPC;
			return -1;
		}
		from += n;
		len -= (size_t)n;
		s->written += (uint64_t)n;
		count(&total_file, 0, (uint64_t)n);
	}
	return 0;
}

/* Writes the part in memory to the file. */
static int spill(struct vtm_spool *s)
{
	if (write_all(s, s->memory, s->held) < 0)
		return -1;
	count(&total_memory, s->held, 0);
	s->held = 0;
	if (s->room > WRITE_BUFFER)
		drop_memory(s);
	return 0;
}

static bool make_room(struct vtm_spool *s, size_t len)
{
	size_t room = MAX(s->room, ROOM_MIN);
	char *memory;

	while (room < len)
		room *= 2;
	if (room == s->room)
		return true;
	memory = g_try_realloc(s->memory, room);
	if (!memory)
		return false;
	s->memory = memory;
	s->room = room;
	return true;
}

/* There is room. */
static void keep(struct vtm_spool *s, const void *data, size_t len)
{
	if (len)
		memcpy(s->memory + s->held, data, len);
	s->held += len;
	count(&total_memory, 0, len);
}

int vtm_spool_add(struct vtm_spool *s, const void *data, size_t len, GError **error)
{
	if (s->broken)
		return fail(s, VTM_ERROR_IO, "the message is no longer kept", 0, error);
	if (s->max && len > s->max - s->size) {
		s->too_large = true;
		return fail(s, VTM_ERROR_LIMIT, "the message is larger than allowed", 0, error);
	}
	s->size += len;
	if (s->fd < 0 && take_memory(s, s->size) && make_room(s, s->size)) {
		keep(s, data, len);
		return 0;
	}
	if (s->fd < 0) {
		s->fd = open_unnamed(s->dir);
		if (s->fd < 0)
			return fail(s, VTM_ERROR_IO, "cannot make a temporary file", errno, error);
	}
	if (s->held + len > WRITE_BUFFER && spill(s) < 0)
		return fail(s, VTM_ERROR_IO, "cannot write", errno, error);
	if (len <= WRITE_BUFFER && make_room(s, s->held + len)) {
		keep(s, data, len);
		return 0;
	}
	if (spill(s) < 0)
		return fail(s, VTM_ERROR_IO, "cannot write", errno, error);
	return write_all(s, data, len) < 0 ? fail(s, VTM_ERROR_IO, "cannot write", errno, error) : 0;
}

bool vtm_spool_broken(const struct vtm_spool *s)
{
	return s->broken;
}

bool vtm_spool_too_large(const struct vtm_spool *s)
{
	return s->too_large;
}

bool vtm_spool_no_memory(const struct vtm_spool *s)
{
	return s->no_memory;
}

uint64_t vtm_spool_size(const struct vtm_spool *s)
{
	return s->size;
}

/* The file, or what is there of it, as <memory>.  -1: errno. */
static int read_back(struct vtm_spool *s)
{
	size_t len = (size_t)s->written, at = 0;
	ssize_t n;

	drop_memory(s);
	s->memory = g_try_malloc(len + 1);
	if (!s->memory) {
		s->no_memory = true;
		errno = ENOMEM;
		return -1;
	}
	while (at < len) {
		n = pread(s->fd, s->memory + at, len - at, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n < 0 ? errno : EIO;
			return -1;
		}
		at += (size_t)n;
	}
	s->held = len;
	count(&total_memory, 0, len);
	return 0;
}

int vtm_spool_finish(struct vtm_spool *s, const char **data_r, size_t *len_r)
{
	*data_r = NULL;
	*len_r = 0;
	if (s->broken)
		return -1;
	if (s->fd >= 0) {
		if (spill(s) < 0 || read_back(s) < 0) {
			fail(s, VTM_ERROR_IO, "cannot be read back", errno, NULL);
			return -1;
		}
		count(&total_file, s->written, 0);
		s->written = 0;
		close(s->fd);
		s->fd = -1;
	}
	*data_r = s->held ? s->memory : "";
	*len_r = s->held;
	return 0;
}

void vtm_spool_totals(uint64_t *memory_r, uint64_t *file_r)
{
	*memory_r = __atomic_load_n(&total_memory, __ATOMIC_RELAXED);
	*file_r = __atomic_load_n(&total_file, __ATOMIC_RELAXED);
}
