/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-control.c - what may be written to the control socket: whatever it is, the answer is one line of JSON. */
#include "fuzz.h"

#include <sys/socket.h>

#include "queue/cache.h"
#include "conf/conf.h"
#include "answer.h"
#include "control.h"
#include "daemon.h"
#include "base/json.h"

/* As the daemon's, but for a reload, which reads no more of the command. */
static char *answer(const char *command, const char *peer, void *arg)
{
	(*(unsigned *)arg)++;
	FUZZ_CHECK(strlen(command) < VTM_CONTROL_LINE_MAX && !strpbrk(command, "\r\n") && *peer);
	return vtm_answer(command);
}

/* Time stands still: a busy machine takes none of a client's. */
static void start(void)
{
	static struct vtm_clock_manual clock;
	static const char text[] = "Enabled no\n";
	char path[64];
	int fd = fuzz_file((const uint8_t *)text, strlen(text), path);

	vtm_conf_set_current(vtm_conf_load_quiet(path, NULL));
	close(fd);
	vtm_clock_manual_init(&clock, 1700000000000);
	vtm_daemon.clock = &clock.clock;
	vtm_daemon.cache = vtm_cache_new(vtm_daemon.clock, 10);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char reply[65536];
	unsigned asked = 0;
	size_t len = 0;
	ssize_t n;
	int fd[2];

	if (!vtm_daemon.clock)
		start();
	if (size > 16384)
		return 0;	/* all of it is to fit into the socket */
	FUZZ_CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd));
	FUZZ_CHECK(send(fd[0], data, size, 0) == (ssize_t)size && !shutdown(fd[0], SHUT_WR));
	vtm_control_serve(vtm_daemon.clock, fd[1], answer, &asked);
	close(fd[1]);
	while (len < sizeof(reply) && (n = recv(fd[0], reply + len, sizeof(reply) - len, 0)) > 0)
		len += (size_t)n;
	close(fd[0]);
	FUZZ_CHECK(asked <= 1 && (asked || !memchr(data, '\n', MIN(size, 8000)) || memchr(data, '\0', size)));
	FUZZ_CHECK(len > 2 && reply[0] == '{' && memchr(reply, '\n', len) == reply + len - 1 && reply[len - 2] == '}');
	FUZZ_CHECK(g_utf8_validate(reply, (gssize)len, NULL));
	return 0;
}
