/* SPDX-License-Identifier: BSD-2-Clause */
/* start.c - see start.h. */
#include "start.h"

#include <libmilter/mfapi.h>
#include <sysexits.h>
#include <unistd.h>

#include "apply.h"
#include "base/error.h"
#include "base/log.h"
#include "callbacks.h"
#include "daemon.h"
#include "metrics.h"
#include "reload.h"
#include "sandbox.h"

/* ---- as root ---- */

static int listen_socket(const struct vtm_conf *c, const struct vtm_user *u, GError **error)
{
	const char *path = vtm_socket_path(c->socket);
	mode_t old;
	int rc;

	if (path && vtm_socket_claim(path, error))
		return -1;
	if (smfi_setconn(c->socket) != MI_SUCCESS || vtm_callbacks_register() < 0) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_CONFIG, "Socket %s: libmilter does not accept this address", c->socket);
		return -1;
	}
	old = umask(0777);	/* nobody may connect before the socket has its mode */
	rc = smfi_opensocket(0);
	umask(old);
	if (rc != MI_SUCCESS) {
		g_set_error(error, VTM_ERROR, VTM_ERROR_IO, "cannot listen on Socket %s: its directory is missing or "
			    "cannot be written, or its port is in use; libmilter logs the reason (facility mail)", c->socket);
		return -1;
	}
	vtm_sockets_prompt();
	if (path && vtm_socket_own(path, (mode_t)c->socket_mode, u, c->socket_group, error)) {
		unlink(path);	/* without its mode and group it would only hinder the next start */
		return -1;
	}
	return 0;
}

int vtm_start_as_root(struct vtm_start *s, const struct vtm_conf *c, bool foreground, GError **error)
{
	const char *path;

	if (vtm_user_find(&s->user, c->user, error))
		return EX_NOUSER;
	if (c->pid_file) {
		s->pid_fd = vtm_pidfile_open(c->pid_file, error);
		if (s->pid_fd < 0)
			return EX_CANTCREAT;
		s->pid_path = c->pid_file;
	}
	if (listen_socket(c, &s->user, error))
		return EX_UNAVAILABLE;
	path = vtm_socket_path(c->socket);
	if (path && !stat(path, &s->socket))
		s->socket_path = path;
	vtm_daemon.ticker = vtm_ticker_new(c->socket, vtm_daemon.clock, error);
	if (!vtm_daemon.ticker)
		return EX_UNAVAILABLE;
	if (c->control_socket) {
		s->control = vtm_control_open(c->control_socket, &s->user, vtm_daemon.clock, error);
		if (!s->control)
			return EX_UNAVAILABLE;
	}
	if (!foreground) {
		s->ready_fd = vtm_background(error);
		if (s->ready_fd < 0)
			return EX_OSERR;
	}
	if (s->pid_fd >= 0 && vtm_pidfile_write(s->pid_fd, error))
		return EX_CANTCREAT;
	return EX_OK;
}

/* ---- as User ---- */

/* Starts the decoders, which run this program again: before the right to run programs is dropped. */
static int start_decoders(GError **error)
{
	struct vtm_decoders_settings s;

	vtm_decoders_defaults(&s);
	s.clock = vtm_daemon.clock;
	vtm_daemon.decoders = vtm_decoders_start(&s, error);
	return vtm_daemon.decoders ? 0 : -1;
}

/* Drops privileges and system calls that are not needed any more.  Only warns if the kernel has no seccomp. */
static int drop_rights(const struct vtm_conf *c, GError **error)
{
	bool may_exec = c->late_verdict_command != NULL;
	GError *unfiltered = NULL;

	if (vtm_sandbox_capabilities(may_exec, error))
		return -1;
	if (vtm_sandbox_syscalls(may_exec, &unfiltered)) {
		may_exec = true;
		vtm_log(VTM_LOG_WARNING, "%s", unfiltered->message);
		g_error_free(unfiltered);
	}
	vtm_reload_init(c, may_exec);
	return 0;
}

int vtm_start_as_user(struct vtm_start *s, const struct vtm_conf *c, vtm_control_answer *answer, void *arg,
		      GError **error)
{
	vtm_limits_raise();
	vtm_process_return_memory();
	if (vtm_privileges_drop(&s->user, error))
		return EX_NOPERM;
	vtm_process_harden();
	if (start_decoders(error))
		return EX_OSERR;
	if (drop_rights(c, error))
		return EX_OSERR;
	vtm_apply_memory(c);
	if (vtm_apply_resolver(c, error) < 0)
		return EX_CONFIG;
	if (vtm_ticker_start(vtm_daemon.ticker, error))
		return EX_OSERR;
	if (s->control && vtm_control_start(s->control, answer, arg, error))
		return EX_OSERR;
	return EX_OK;
}

void vtm_start_release(struct vtm_start *s)
{
	struct stat now;

	vtm_control_free(s->control);
	vtm_metrics_listen(NULL, NULL);
	vtm_late_stop(vtm_daemon.late);
	vtm_resolver_free(vtm_daemon_resolver());
	vtm_late_free(vtm_daemon.late);
	vtm_decoders_stop(vtm_daemon.decoders);
	if (s->socket_path && !stat(s->socket_path, &now) && now.st_ino == s->socket.st_ino &&
	    now.st_dev == s->socket.st_dev)
		unlink(s->socket_path);
	vtm_pidfile_remove(s->pid_fd, s->pid_path);
	vtm_user_clear(&s->user);
}
