/* SPDX-License-Identifier: BSD-2-Clause */
/* reload.c - see reload.h. */
#include "reload.h"

#include "apply.h"
#include "base/log.h"
#include "notify.h"
#include "base/json.h"

/* Written once, before there are threads. */
static const struct vtm_conf *start_conf;
static bool start_may_exec;

void vtm_reload_init(const struct vtm_conf *c, bool may_exec)
{
	start_conf = c;
	start_may_exec = may_exec;
}

/* Logs and collects what the reload did not change. */
static void remark(GPtrArray *remarks, char *text)
{
	vtm_log(VTM_LOG_WARNING, "reload: %s", text);
	g_ptr_array_add(remarks, text);
}

static void remark_fixed(GPtrArray *remarks, const char *name, bool differs)
{
	if (differs)
		remark(remarks, g_strdup_printf("%s changes only with a restart", name));
}

static void remark_all_fixed(GPtrArray *remarks, const struct vtm_conf *c)
{
	const struct vtm_conf *old = start_conf;

	remark_fixed(remarks, "Socket", g_strcmp0(old->socket, c->socket));
	remark_fixed(remarks, "SocketGroup", g_strcmp0(old->socket_group, c->socket_group));
	remark_fixed(remarks, "ControlSocket", g_strcmp0(old->control_socket, c->control_socket));
	remark_fixed(remarks, "User", g_strcmp0(old->user, c->user));
	remark_fixed(remarks, "PidFile", g_strcmp0(old->pid_file, c->pid_file));
	remark_fixed(remarks, "SocketMode", old->socket_mode != c->socket_mode);
	remark_fixed(remarks, "Foreground", old->foreground != c->foreground);
	if (!start_may_exec && c->late_verdict_command)
		remark(remarks, g_strdup("LateVerdictCommand runs only after a restart: it was not set at the start, when "
					 "vtmilter dropped the right to run programs"));
}

/* false: the old configuration stays in force; *why_r, new string, says why.  <remarks> gets new strings. */
static bool reload(const char *path, GPtrArray *remarks, char **why_r)
{
	static GMutex one_at_a_time;	/* covers a whole reload; only other reloads wait for it */
	GError *error = NULL;
	struct vtm_conf *c;

	g_mutex_lock(&one_at_a_time);
	vtm_notify_reloading();
	c = vtm_conf_load(path, &error);
	if (c && vtm_apply_resolver(c, &error) < 0)
		g_clear_pointer(&c, vtm_conf_unref);
	if (c) {
		remark_all_fixed(remarks, c);
		vtm_conf_set_current(c);
		vtm_apply_log(c);
		vtm_apply_memory(c);
		vtm_apply_metrics(c);
		vtm_log(VTM_LOG_NOTICE, "reload: done");
	} else {
		vtm_log(VTM_LOG_ERROR, "reload: %s; the old configuration stays in force", error->message);
		*why_r = g_strdup(error->message);
		g_error_free(error);
	}
	vtm_notify_ready();
	g_mutex_unlock(&one_at_a_time);
	return c != NULL;
}

void vtm_reload(const char *path)
{
	GPtrArray *remarks = g_ptr_array_new_with_free_func(g_free);
	char *why = NULL;

	reload(path, remarks, &why);
	g_ptr_array_unref(remarks);
	g_free(why);
}

char *vtm_reload_answer(const char *path, const char *peer)
{
	GPtrArray *remarks = g_ptr_array_new_with_free_func(g_free);
	struct vtm_json *j = vtm_json_new();
	char *why = NULL, *line;

	vtm_log(VTM_LOG_NOTICE, "reload: requested by %s", peer);
	vtm_json_bool(j, "ok", reload(path, remarks, &why));
	if (why)
		vtm_json_text(j, "error", why);
	g_ptr_array_add(remarks, NULL);
	vtm_json_texts(j, "remarks", (const char *const *)remarks->pdata);
	line = vtm_json_line(j);
	vtm_json_free(j);
	g_ptr_array_unref(remarks);
	g_free(why);
	return line;
}
