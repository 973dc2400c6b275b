/* SPDX-License-Identifier: BSD-2-Clause */
/* store.c - vtmilterctl store: copies one store to another. */
#include <string.h>

#include "ctl/ctl.h"
#include "conf/settings.h"
#include "store/open/open.h"

/* Opens the store at <uri>.  Password and certificates are the configuration's. */
static struct vtm_store *open_uri(const struct vtm_ctl *c, const char *uri, bool read_only, GError **error)
{
	struct vtm_store_settings s;

	vtm_settings_store(c->conf, c->clock, &s);
	s.read_only = read_only;
	return vtm_store_open(uri, &s, error);
}

struct vtm_store *vtm_ctl_store(const struct vtm_ctl *c, bool read_only, GError **error)
{
	return open_uri(c, c->conf->store, read_only, error);
}

static void put_copied(const struct vtm_ctl *c, const struct vtm_store_copied *n)
{
	struct vtm_json *j;

	if (!c->json) {
		vtm_ctl_put("verdicts", "%u", n->verdicts);
		vtm_ctl_put("queued", "%u", n->queued);
		vtm_ctl_put("messages", "%u", n->messages);
		vtm_ctl_put("history", "%u", n->history);
		vtm_ctl_put("late", "%u", n->late);
		return;
	}
	j = vtm_json_new();
	vtm_json_int(j, "verdicts", n->verdicts);
	vtm_json_int(j, "queued", n->queued);
	vtm_json_int(j, "messages", n->messages);
	vtm_json_int(j, "history", n->history);
	vtm_json_int(j, "late", n->late);
	vtm_ctl_put_json(j);
}

int vtm_ctl_store_command(struct vtm_ctl *c, int argc, char **argv)
{
	struct vtm_store_copied copied = { 0 };
	struct vtm_store *from, *to = NULL;
	GError *error = NULL;
	int status = 0;

	if (argc != 3 || strcmp(argv[0], "copy"))
		return vtm_ctl_usage(c, "expected copy FROM TO, each as in the Store directive");
	if (!strcmp(argv[1], argv[2]))
		return vtm_ctl_usage(c, "FROM and TO are the same store");
	from = open_uri(c, argv[1], true, &error);
	if (from)
		to = open_uri(c, argv[2], false, &error);
	if (from && to && vtm_store_copy(from, to, &copied, &error) >= 0)
		put_copied(c, &copied);
	if (error)
		status = vtm_ctl_fail(c, error);
	vtm_store_close(to);
	vtm_store_close(from);
	return status;
}
