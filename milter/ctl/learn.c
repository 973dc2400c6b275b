/* SPDX-License-Identifier: BSD-2-Clause */
/* learn.c - vtmilterctl learn: fills the history from mail that is there already, without a request.
 *
 * Each message is noted once, whatever mailbox it lies in: the store keeps a keyed hash of its Message-ID in the same
 * transaction as what it taught.  So a run that was interrupted goes on where it stopped, and a second one changes
 * nothing.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "ctl/ctl.h"
#include "ctl/mail-header.h"
#include "ctl/mailbox.h"
#include "ctl/progress.h"
#include "conf/settings.h"
#include "scan/features.h"

#define BATCH_MESSAGES 200	/* learned in one transaction */
#define GROUPS_MAX 200		/* link domains of a message that are noted */
#define BUSY_TRIES 20		/* while the daemon writes */
#define BUSY_MS 100
#define DRAW_EVERY 100		/* messages */

struct learning {
	const struct vtm_ctl *c;
	struct vtm_scan_settings settings;
	struct vtm_ignore *ignore;
	struct vtm_lists *lists;
	struct vtm_store *store;
	uint8_t secret[VTM_HISTORY_SECRET];
	uint32_t first_hour, end_hour;	/* mail of these is learned: not too old, not seen by vtmilter itself */
	GArray *batch;			/* of struct vtm_sighting, whole messages */
	GArray *days;			/* of struct vtm_history_day, for the batch */
	GHashTable *marks;		/* ids of the batch's messages */
	unsigned in_batch;
	struct vtm_ctl_bar bar;
	unsigned learned, known, old, seen, unwanted;
	bool trouble;			/* a file could not be read */
	int status;
};

/* ---- writing ---- */

static int write_sightings(struct learning *l, GError **error)
{
	const struct vtm_sighting *s = (const struct vtm_sighting *)(const void *)l->batch->data;

	for (guint i = 0; i < l->batch->len; i += VTM_STORE_BATCH)
		if (vtm_store_history_note(l->store, s + i, MIN(VTM_STORE_BATCH, l->batch->len - i), error) < 0)
			return -1;
	for (guint i = 0; i < l->days->len; i++)
		if (vtm_store_history_count(l->store, &g_array_index(l->days, struct vtm_history_day, i), error) < 0)
			return -1;
	return 0;
}

/* The daemon may hold the store for a moment. */
static int write_batch(struct learning *l, GError **error)
{
	for (int try = 0;; try++) {
		GError *own = NULL;

		if (vtm_store_begin(l->store, &own) == 0 && write_sightings(l, &own) == 0 &&
		    vtm_store_commit(l->store, &own) == 0)
			break;
		if (!g_error_matches(own, VTM_ERROR, VTM_ERROR_BUSY) || try == BUSY_TRIES) {
			g_propagate_error(error, own);
			return -1;
		}
		g_error_free(own);
		g_usleep(BUSY_MS * 1000);
	}
	l->learned += l->in_batch;
	l->in_batch = 0;
	g_array_set_size(l->batch, 0);
	g_array_set_size(l->days, 0);
	g_hash_table_remove_all(l->marks);
	return 0;
}

static bool flush(struct learning *l)
{
	GError *error = NULL;

	if (!l->in_batch || write_batch(l, &error) == 0)
		return true;
	vtm_ctl_bar_clear(&l->bar);
	l->status = vtm_ctl_fail(l->c, error);
	return false;
}

/* ---- one message ---- */

static void add_sighting(struct learning *l, enum vtm_history_kind kind, const char *name, uint32_t hour,
			 uint32_t sender)
{
	struct vtm_sighting s = { .hour = hour, .messages = 1, .sender = sender };

	s.key = vtm_history_key_of(l->secret, kind, name);
	g_array_append_val(l->batch, s);
}

static void count_day(struct learning *l, uint16_t day)
{
	struct vtm_history_day new = { .day = day, .messages = 1 };

	for (guint i = 0; i < l->days->len; i++) {
		struct vtm_history_day *d = &g_array_index(l->days, struct vtm_history_day, i);

		if (d->day == day) {
			d->messages++;
			return;
		}
	}
	g_array_append_val(l->days, new);
}

/* Notes each link domain of the message once. */
static void add_links(struct learning *l, const struct vtm_items *items, const struct vtm_message_features *m,
		      uint32_t hour, uint32_t sender)
{
	GHashTable *groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < items->list->len && g_hash_table_size(groups) < GROUPS_MAX; i++) {
		struct vtm_item *item = items->list->pdata[i];
		struct vtm_item_features f;

		if (item->kind != VTM_URL || item->wrapper || item->ignored)
			continue;
		vtm_features_of_item(l->lists, item, NULL, m, &f);
		if (g_hash_table_contains(groups, f.group)) {
			vtm_item_features_clear(&f);
			continue;
		}
		add_sighting(l, VTM_HISTORY_LINK, f.group, hour, sender);
		g_hash_table_add(groups, g_steal_pointer(&f.group));
		vtm_item_features_clear(&f);
	}
	g_hash_table_destroy(groups);
}

static void add_message(struct learning *l, struct vtm_spool *spool, const struct vtm_mail_header *h, uint32_t hour)
{
	struct vtm_extract_settings extract = l->settings.extract;
	struct vtm_message_features m;
	struct vtm_heading heading;
	struct vtm_items *items;
	struct vtm_work work;
	uint32_t sender = 0;

	vtm_work_begin(&work, l->c->clock, vtm_boot_ms(l->c->clock) + l->settings.read_ms, VTM_WORK_BYTES);
	extract.work = &work;
	items = vtm_extract(spool, &extract, &heading);
	vtm_features_of_message(l->lists, items, &heading, h->client, &m);
	if (m.from_domain) {
		struct vtm_history_key key = vtm_history_key_of(l->secret, VTM_HISTORY_FROM, m.from_domain);

		sender = vtm_history_sender(&key);
		add_sighting(l, VTM_HISTORY_FROM, m.from_domain, hour, 0);
	}
	if (m.network)
		add_sighting(l, VTM_HISTORY_NETWORK, m.network, hour, 0);
	add_links(l, items, &m, hour, sender);
	vtm_message_features_clear(&m);
	vtm_heading_clear(&heading);
	vtm_items_free(items);
}

/* What names the message: its Message-ID, else when it came and where it lies. */
static struct vtm_history_key mark_of(const struct learning *l, const struct vtm_mail *mail,
				      const struct vtm_mail_header *h)
{
	char *name = h->message_id ? g_strdup(h->message_id) :
		     g_strdup_printf("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT, h->time, mail->end - mail->start);
	struct vtm_history_key key = vtm_history_key_of(l->secret, VTM_HISTORY_MESSAGE, name);

	g_free(name);
	return key;
}

/* 1 it was learned before, 0 not, -1 the store failed (told). */
static int is_known(struct learning *l, const struct vtm_history_key *mark)
{
	struct vtm_history h;
	GError *error = NULL;
	int rc;

	if (g_hash_table_contains(l->marks, &mark->id))
		return 1;
	rc = vtm_store_history_get(l->store, mark, 1, &h, &error);
	if (rc < 0) {
		vtm_ctl_bar_clear(&l->bar);
		l->status = vtm_ctl_fail(l->c, error);
	}
	return rc;
}

static void tell_unreadable(const char *file, const char *why, void *arg)
{
	struct learning *l = arg;

	(void)file;
	vtm_ctl_bar_clear(&l->bar);
	vtm_ctl_warn(l->c, "%s", why);
	l->trouble = true;
}

/* Reads and notes the message; false: the walk ends. */
static bool learn_message(struct learning *l, const struct vtm_mail *mail, const struct vtm_mail_header *h,
			  uint32_t hour)
{
	struct vtm_history_key mark = mark_of(l, mail, h);
	struct vtm_sighting s = { .key = mark, .hour = hour, .messages = 1 };
	int known = is_known(l, &mark);
	struct vtm_spool *spool;
	GError *error = NULL;

	if (known) {
		l->known += known > 0;
		return known > 0;
	}
	spool = vtm_mail_spool(mail, l->c->conf->temp_directory, &error);
	if (!spool) {
		tell_unreadable(mail->file, error->message, l);
		g_error_free(error);
		return true;
	}
	add_message(l, spool, h, hour);
	g_array_append_val(l->batch, s);
	g_hash_table_add(l->marks, g_memdup2(&mark.id, sizeof(mark.id)));
	count_day(l, vtm_history_day_of(hour));
	vtm_spool_free(spool);
	return ++l->in_batch < BATCH_MESSAGES || flush(l);
}

/* Folders of what nobody sent here, or of what people took for spam. */
static bool is_unwanted(const char *file)
{
	static const char *const names[] = { ".Junk", ".Spam", ".Sent", ".Drafts", "Junk", "Spam", "Sent", "Drafts",
					     ".Junk E-mail", "junk", "spam", ".junk", ".spam", ".INBOX.Junk",
					     ".INBOX.Spam", ".INBOX.Sent", ".INBOX.Drafts" };
	char **parts = g_strsplit(file, "/", -1);
	bool found = false;

	for (size_t i = 0; i < G_N_ELEMENTS(names) && !found; i++)
		found = g_strv_contains((const char *const *)parts, names[i]);
	g_strfreev(parts);
	return found;
}

static void draw(struct learning *l)
{
	char counts[64];

	g_snprintf(counts, sizeof(counts), "%u/%u", l->bar.done, l->bar.total);
	vtm_ctl_bar_draw(&l->bar, counts);
}

static bool learn_one(const struct vtm_mail *mail, void *arg)
{
	struct learning *l = arg;
	uint32_t now = vtm_history_hour_of(vtm_utc_ms(l->c->clock)), hour;
	struct vtm_mail_header h;
	GError *error = NULL;
	bool on = true;

	if (l->bar.done++ % DRAW_EVERY == 0)
		draw(l);
	if (vtm_mail_header_read(mail, l->c->conf->own_networks, &h, &error) < 0) {
		tell_unreadable(mail->file, error->message, l);
		g_error_free(error);
		return true;
	}
	hour = MIN(vtm_history_hour_of((h.time ? h.time : mail->time) * 1000), now);
	if (is_unwanted(mail->file))
		l->unwanted++;
	else if (hour < l->first_hour)
		l->old++;
	else if (hour >= l->end_hour)
		l->seen++;
	else
		on = learn_message(l, mail, &h, hour);
	vtm_mail_header_clear(&h);
	return on && !vtm_ctl_interrupted();
}

/* ---- the command ---- */

static bool count_one(const struct vtm_mail *mail, void *arg)
{
	unsigned *n = arg;

	(void)mail;
	(*n)++;
	return !vtm_ctl_interrupted();
}

static int prepare(struct learning *l, GError **error)
{
	const struct vtm_conf *conf = l->c->conf;
	int64_t now = vtm_utc_ms(l->c->clock);
	uint32_t live;

	if (!vtm_ctl_read_lists(conf, l->ignore, error) || !vtm_ctl_read_hosts(conf, l->lists, error))
		return -1;
	vtm_settings_scan(conf, &l->settings);
	l->settings.extract.ignore = l->ignore;
	l->settings.extract.decoders = l->c->decoders;
	l->settings.extract.archive_members = 0;
	l->settings.extract.pdf = false;
	l->store = vtm_ctl_store(l->c, false, error);
	if (!l->store || vtm_store_history_secret(l->store, l->secret, error) < 0 ||
	    vtm_store_history_live(l->store, 0, &live, error) < 0)
		return -1;
	l->first_hour = vtm_history_hour_of(now - conf->history_retention_ms);
	l->end_hour = live ? live : G_MAXUINT32;
	return 0;
}

/* The daemon does this once a minute; without it a large mailbox would fill the disk. */
static int keep_bounds(struct learning *l, GError **error)
{
	int n;

	do
		n = vtm_store_history_expire(l->store, vtm_history_day_of(l->first_hour), l->c->conf->history_size, 5000,
					     error);
	while (n == 5000);
	return n;
}

static void put_result(const struct learning *l, int reach, const unsigned size[VTM_HISTORY_KINDS])
{
	struct vtm_json *j;

	if (!l->c->json) {
		vtm_ctl_put("learned", "%u", l->learned);
		vtm_ctl_put("known", "%u (learned before)", l->known);
		vtm_ctl_put("too old", "%u", l->old);
		vtm_ctl_put("seen", "%u (came when vtmilter was running)", l->seen);
		vtm_ctl_put("left out", "%u (spam, sent, drafts)", l->unwanted);
		vtm_ctl_put("memory", "%u link domains, %u senders, %u networks, of %d days", size[VTM_HISTORY_LINK],
			    size[VTM_HISTORY_FROM], size[VTM_HISTORY_NETWORK], reach);
		return;
	}
	j = vtm_json_new();
	vtm_json_int(j, "learned", l->learned);
	vtm_json_int(j, "known", l->known);
	vtm_json_int(j, "too_old", l->old);
	vtm_json_int(j, "seen", l->seen);
	vtm_json_int(j, "left_out", l->unwanted);
	vtm_json_int(j, "domains", size[VTM_HISTORY_LINK]);
	vtm_json_int(j, "senders", size[VTM_HISTORY_FROM]);
	vtm_json_int(j, "networks", size[VTM_HISTORY_NETWORK]);
	vtm_json_int(j, "days", reach);
	vtm_ctl_put_json(j);
}

static void learn_all(struct learning *l, int argc, char **argv)
{
	uint16_t today = vtm_history_day_of(vtm_history_hour_of(vtm_utc_ms(l->c->clock)));
	unsigned size[VTM_HISTORY_KINDS];
	GError *error = NULL;
	int reach = 0;

	l->bar.on = vtm_ctl_bar_possible() && !l->c->json;
	for (int i = 0; l->bar.on && i < argc; i++)
		if (strcmp(argv[i], "-"))
			vtm_mailbox_walk(argv[i], count_one, &l->bar.total, NULL, NULL);	/* errors come below */
	for (int i = 0; i < argc && l->status == EX_OK && !vtm_ctl_interrupted(); i++)
		if (vtm_mailbox_walk(argv[i], learn_one, l, tell_unreadable, &error) < 0) {
			vtm_ctl_bar_clear(&l->bar);
			l->status = vtm_ctl_fail(l->c, g_steal_pointer(&error));
		}
	vtm_ctl_bar_clear(&l->bar);
	if (!flush(l))
		return;
	if (keep_bounds(l, &error) < 0 || (reach = vtm_store_history_reach(l->store, today, &error)) < 0 ||
	    vtm_store_history_size(l->store, size, &error) < 0) {
		l->status = vtm_ctl_fail(l->c, error);
		return;
	}
	put_result(l, reach, size);
	if (vtm_ctl_interrupted()) {
		vtm_ctl_warn(l->c, "interrupted; the same command again goes on where it stopped");
		l->status = VTM_CTL_INTERRUPTED;
	}
}

int vtm_ctl_learn(struct vtm_ctl *c, int argc, char **argv)
{
	struct learning l = { .c = c };
	GError *error = NULL;

	if (!argc)
		return vtm_ctl_usage(c, "expected a MAILDIR or MBOX");
	l.ignore = vtm_ignore_new();
	l.lists = vtm_lists_new();
	l.batch = g_array_new(FALSE, FALSE, sizeof(struct vtm_sighting));
	l.days = g_array_new(FALSE, FALSE, sizeof(struct vtm_history_day));
	l.marks = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	if (prepare(&l, &error) == 0) {
		vtm_ctl_catch_interrupt();
		learn_all(&l, argc, argv);
	} else {
		l.status = vtm_ctl_fail(c, error);
	}
	vtm_store_close(l.store);
	g_hash_table_destroy(l.marks);
	g_array_unref(l.batch);
	g_array_unref(l.days);
	vtm_lists_free(l.lists);
	vtm_ignore_free(l.ignore);
	if (l.status != EX_OK)
		return l.status;
	return l.trouble ? EX_UNAVAILABLE : EX_OK;
}
