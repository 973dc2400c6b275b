/* SPDX-License-Identifier: BSD-2-Clause */
/* connect.c - vtmilterctl: sends commands to the daemon's control socket. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "ctl/ctl.h"

#define ANSWER_MAX 65536
#define WAIT_S 10

static int connect_to(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const struct timeval wait = { .tv_sec = WAIT_S };
	int fd;

	if (g_strlcpy(un.sun_path, path, sizeof(un.sun_path)) >= sizeof(un.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Reads until the daemon closes.  NULL: no whole line came. */
static char *read_answer(int fd)
{
	GString *all = g_string_new(NULL);
	char buf[4096];
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), 0)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || all->len + (size_t)n > ANSWER_MAX)
			break;
		g_string_append_len(all, buf, n);
	}
	if (n == 0 && all->len && all->str[all->len - 1] == '\n') {
		g_string_truncate(all, all->len - 1);
		return g_string_free(all, FALSE);
	}
	g_string_free(all, TRUE);
	return NULL;
}

char *vtm_ctl_ask_daemon(const struct vtm_ctl *c, const char *command, GError **error)
{
	const char *path = c->conf->control_socket;
	char *line, *answer = NULL;
	int fd;

	if (!path) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "%s: ControlSocket is none, so the daemon cannot be asked",
			    c->conf->path);
		return NULL;
	}
	fd = connect_to(path);
	if (fd < 0) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "ControlSocket %s: %s%s", path, g_strerror(errno),
			    errno == ENOENT || errno == ECONNREFUSED ? "; the daemon does not run" :
			    errno == EACCES ? "; members of its group may ask the daemon" : "");
		return NULL;
	}
	line = g_strconcat(command, "\n", NULL);
	if (send(fd, line, strlen(line), MSG_NOSIGNAL) == (ssize_t)strlen(line))
		answer = read_answer(fd);
	if (!answer)
		g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "ControlSocket %s: no answer", path);
	g_free(line);
	close(fd);
	return answer;
}

void vtm_ctl_daemon_forget(const struct vtm_ctl *c, const struct vtm_key *key)
{
	char hex[65], *command, *answer;

	vtm_key_hex(key, hex);
	command = g_strconcat("forget ", vtm_lookup_kind_name((enum vtm_lookup_kind)key->kind), " ", hex, NULL);
	answer = vtm_ctl_ask_daemon(c, command, NULL);
	g_free(answer);
	g_free(command);
}

int64_t vtm_ctl_number(const char *answer, const char *path)
{
	int64_t n = 0;

	vtm_json_get_int(answer, path, &n);
	return n;
}
