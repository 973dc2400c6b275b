/* SPDX-License-Identifier: BSD-2-Clause */
/* journal.c - vtmilterctl list, show: delivered messages. */
#include "ctl/ctl.h"

#include <stdio.h>
#include <string.h>

#include "model/tags.h"
#include "risk/points.h"

#define FIELD_MAX 400

struct listing {
	const struct vtm_ctl *c;
	bool full;
	unsigned n;
	int64_t last_ms;	/* when the last of these was delivered */
	bool bad;
};

static void put_times(struct vtm_json *j, const struct vtm_journal_message *m)
{
	char *when = vtm_ctl_time_json(m->time_ms), *done = vtm_ctl_time_json(m->done_ms);

	vtm_json_text(j, "time", when);
	vtm_json_text(j, "done", done);
	g_free(when);
	g_free(done);
}

/* Why an item stood where it stood in the queue; new string, NULL: not known. */
static char *why_of(const struct vtm_journal_item *i)
{
	char *rows, *why;

	if (!i->points)
		return g_strdup(i->why);
	rows = vtm_points_text(i->points);
	why = g_strdup_printf("%d points: %s", vtm_points_sum(i->points), rows);
	g_free(rows);
	return why;
}

static void put_why(struct vtm_json *item, const struct vtm_journal_item *i)
{
	char *why = why_of(i);

	vtm_json_text(item, "why", why);
	if (i->points)
		vtm_json_int(item, "points", vtm_points_sum(i->points));
	g_free(why);
}

static void put_json(const struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n, bool full)
{
	struct vtm_json *j = vtm_json_new();

	vtm_json_text(j, "queue_id", m->queue_id);
	vtm_json_text(j, "message_id", m->message_id);
	put_times(j, m);
	vtm_json_text(j, "sender", m->sender);
	vtm_json_texts(j, "recipients", (const char *const *)m->recipients);
	vtm_json_text(j, "client", m->client);
	vtm_json_text(j, "host", m->host);
	vtm_json_int(j, "size", m->size);
	vtm_ctl_json_tags(j, "tags", m->tags);
	vtm_ctl_json_tags(j, "tags_delivered", m->tags_delivered);
	for (size_t i = 0; full && i < n; i++) {
		struct vtm_json *item = vtm_ctl_json_item(items[i].item);
		char *answered = vtm_ctl_time_json(items[i].answered_ms);

		vtm_json_text(item, "answered", answered);
		put_why(item, &items[i]);
		vtm_json_append(j, "items", item);
		g_free(answered);
	}
	vtm_ctl_put_json(j);
}

static void put_row(const struct listing *l, const struct vtm_journal_message *m)
{
	char *when = vtm_ctl_time(m->time_ms), *id = vtm_ctl_safe(m->queue_id, 40),
	     *sender = vtm_ctl_safe(m->sender, 60);
	char *tags = vtm_ctl_tags(l->c, m->tags);

	if (!l->n)
		printf("%-20s  %-14s  %-30s  %s\n", "TIME", "QUEUE ID", "SENDER", "TAGS");
	printf("%-20s  %-14s  %-30s  %s\n", when, id, sender, *tags ? tags : "-");
	g_free(when);
	g_free(id);
	g_free(sender);
	g_free(tags);
}

static void put_field(const char *name, const char *text)
{
	char *safe = vtm_ctl_safe(text, FIELD_MAX);

	vtm_ctl_put(name, "%s", safe);
	g_free(safe);
}

static void put_full(const struct listing *l, const struct vtm_journal_message *m, const struct vtm_journal_item *items,
		     size_t n)
{
	char *when = vtm_ctl_time(m->time_ms), *done = vtm_ctl_time(m->done_ms);
	char *tags = vtm_ctl_tags(l->c, m->tags), *delivered = vtm_tags_text(m->tags_delivered);
	char *recipients = m->recipients ? g_strjoinv(" ", m->recipients) : NULL;

	if (l->n)
		putchar('\n');
	put_field("queue id", m->queue_id);
	put_field("Message-ID", m->message_id);
	put_field("sender", m->sender);
	put_field("recipients", recipients);
	put_field("client", m->client);
	put_field("host", m->host);
	vtm_ctl_put("size", "%" G_GINT64_FORMAT, m->size);
	vtm_ctl_put("time", "%s", when);
	vtm_ctl_put("tags delivered", "%s", *delivered ? delivered : "-");
	vtm_ctl_put("tags now", "%s", *tags ? tags : "-");
	vtm_ctl_put("complete", "%s", m->done_ms ? done : "not yet");
	vtm_ctl_put("items", "%zu", n);
	for (size_t i = 0; i < n; i++) {
		char *answered = vtm_ctl_time(items[i].answered_ms);
		char *points = why_of(&items[i]), *why = !items[i].answered_ms ? g_strdup(points) :
			       g_strconcat("answered ", answered, items[i].points ? "; " : NULL, points, NULL);

		vtm_ctl_put_item(l->c, items[i].item, why);
		g_free(points);
		g_free(why);
		g_free(answered);
	}
	g_free(when);
	g_free(done);
	g_free(tags);
	g_free(delivered);
	g_free(recipients);
}

static void put_message(const struct vtm_journal_message *m, const struct vtm_journal_item *items, size_t n, void *arg)
{
	struct listing *l = arg;

	if (l->c->json)
		put_json(m, items, n, l->full);
	else if (l->full)
		put_full(l, m, items, n);
	else
		put_row(l, m);
	l->n++;
	l->last_ms = m->time_ms;
	l->bad = l->bad || (m->tags & VTM_TAG_BIT(VTM_TAG_BAD));
}

/* Prints how to continue a list that --max ended.  In whole seconds: some messages may come twice, but none is lost. */
static void tell_more(const struct listing *l)
{
	char *last = vtm_ctl_time_json(l->last_ms + 1000);

	vtm_ctl_warn(l->c, "only the newest %u are listed; for older ones use --until %s or a larger --max", l->n, last);
	g_free(last);
}

int vtm_ctl_list(struct vtm_ctl *c, int argc, char **argv)
{
	const struct vtm_journal_filter f = {
		.since_ms = c->since_ms, .until_ms = c->until_ms, .tags = c->tags, .max = c->max
	};
	struct listing l = { .c = c };
	struct vtm_store *s;
	GError *error = NULL;
	int status = EX_OK;

	if (argc)
		return vtm_ctl_usage(c, "found '%s', expected no argument", argv[0]);
	s = vtm_ctl_store(c, true, &error);
	if (!s || vtm_store_journal_list(s, &f, put_message, &l, &error) < 0)
		status = vtm_ctl_fail(c, error);
	else if (!l.n && !c->json)
		puts("no messages");
	else if (l.n == f.max && !c->json)
		tell_more(&l);
	vtm_store_close(s);
	return status;
}

int vtm_ctl_show(struct vtm_ctl *c, int argc, char **argv)
{
	struct listing l = { .c = c, .full = true };
	struct vtm_store *s;
	GError *error = NULL;
	int status;

	if (argc != 1)
		return vtm_ctl_usage(c, "expected a queue ID or Message-ID");
	s = vtm_ctl_store(c, true, &error);
	if (!s || vtm_store_journal_find(s, argv[0], put_message, &l, &error) < 0)
		status = vtm_ctl_fail(c, error);
	else if (!l.n) {
		vtm_ctl_warn(c, "%s: the journal has no such message (expected is a whole queue ID or Message-ID; "
			     "'vtmilterctl list' prints what it has)", argv[0]);
		status = VTM_CTL_FOUND;
	} else
		status = l.bad ? VTM_CTL_FOUND : EX_OK;
	vtm_store_close(s);
	return status;
}
