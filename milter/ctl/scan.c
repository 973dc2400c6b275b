/* SPDX-License-Identifier: BSD-2-Clause */
/* scan.c - vtmilterctl scan: prints the tags and verdicts that the milter would give. */
#include <stdio.h>
#include <string.h>

#include "ctl/ask.h"
#include "ctl/mailbox.h"
#include "ctl/progress.h"
#include "model/tags.h"

#define LABEL_MAX 8192
#define BAR_MS 500		/* between updates of the bar and checks for ^C */

struct scanning {
	struct vtm_ctl_asker asker;
	const struct vtm_ctl *c;
	struct vtm_ctl_bar bar;
	unsigned bad;
	bool many;			/* more than one message may come */
	bool begun;			/* the message of --from was reached */
	bool trouble;			/* a file could not be read */
	int status;			/* not EX_OK: the scan has stopped */
};

/* ---- progress ---- */

static void draw_bar(struct scanning *s)
{
	char counts[64];

	g_snprintf(counts, sizeof(counts), "%u/%u, %u bad", s->bar.done, s->bar.total, s->bad);
	vtm_ctl_bar_draw(&s->bar, counts);
}

static bool on_progress(void *arg)
{
	draw_bar(arg);
	return !vtm_ctl_interrupted();
}

static bool count_one(const struct vtm_mail *mail, void *arg)
{
	unsigned *n = arg;

	(void)mail;
	(*n)++;
	return true;
}

/* ---- one message's result ---- */

static void put_json(const struct vtm_mail *mail, const struct vtm_decision *d)
{
	struct vtm_json *j = vtm_json_new();

	vtm_json_text(j, "file", mail->file);
	if (mail->number)
		vtm_json_int(j, "number", mail->number);
	vtm_json_text(j, "message_id", d->message_id);
	vtm_ctl_json_tags(j, "tags", d->tags);
	vtm_json_texts(j, "items", NULL);
	for (guint i = 0; i < d->items->list->len; i++)
		vtm_json_append(j, "items", vtm_ctl_json_item(d->items->list->pdata[i]));
	vtm_ctl_put_json(j);
}

static void put_text(const struct vtm_ctl *c, const char *label, const struct vtm_decision *d)
{
	char *safe = vtm_ctl_safe(label, LABEL_MAX), *tags = vtm_ctl_tags(c, d->tags);

	printf("%s: %s\n", safe, d->items->list->len ? *tags ? tags : "no tag" : "no items");
	for (guint i = 0; i < d->items->list->len; i++) {
		const struct vtm_item *item = d->items->list->pdata[i];

		if (!item->wrapper)
			vtm_ctl_put_item(c, item, item->note);
	}
	g_free(safe);
	g_free(tags);
}

/* <label> as a word for a shell, without backslashes, which vtm_ctl_warn() would double.  New string. */
static char *shell_word(const char *label)
{
	char **parts = g_strsplit(label, "'", -1), *text = g_strjoinv("'\"'\"'", parts), *word;

	word = g_strconcat("'", text, "'", NULL);
	g_free(text);
	g_strfreev(parts);
	return word;
}

/* Prints the results.  false: stop. */
static bool report(struct scanning *s, const struct vtm_mail *mail, const struct vtm_decision *d)
{
	char *label = vtm_mail_label(mail), *why = NULL;

	vtm_ctl_bar_clear(&s->bar);
	s->status = vtm_ctl_interrupted() ? VTM_CTL_INTERRUPTED :
				  vtm_ctl_must_stop(&s->asker, (struct vtm_item *const *)d->items->list->pdata,
						    d->items->list->len, &why);
	if (s->status != EX_OK) {
		char *word = shell_word(label);

		vtm_ctl_warn(s->c, "%s; continue with --from %s", why ? why : "interrupted", word);
		g_free(word);
	} else {
		s->bar.done++;
		s->bad += (d->tags & VTM_TAG_BIT(VTM_TAG_BAD)) != 0;
		if (s->c->json)
			put_json(mail, d);
		else
			put_text(s->c, label, d);
		fflush(stdout);
		draw_bar(s);
	}
	g_free(why);
	g_free(label);
	return s->status == EX_OK;
}

/* ---- as a filter ---- */

static bool is_ours(const char *line, size_t len)
{
	return len >= 5 && !g_ascii_strncasecmp(line, "X-VT-", 5);
}

/* Prints a folded value with the message's line ends. */
static void put_header(const char *name, const char *value, const char *eol)
{
	char **lines = g_strsplit(value, "\n", -1);

	printf("%s: ", name);
	for (char **line = lines; *line; line++)
		printf("%s%s", *line, eol);
	g_strfreev(lines);
}

static void put_headers(const struct vtm_ctl *c, const struct vtm_decision *d, const char *eol)
{
	GPtrArray *reports;

	for (int t = 0; t < VTM_TAGS; t++)
		if (d->tags & VTM_TAG_BIT(t))
			put_header("X-VT-Tag", vtm_tag_name((enum vtm_tag)t), eol);
	if (!c->conf->report_headers)
		return;
	reports = vtm_report_headers(d->items);
	for (guint i = 0; i < reports->len; i++)
		put_header("X-VT-Report", reports->pdata[i], eol);
	g_ptr_array_free(reports, TRUE);
}

/* The state of a message that is copied to standard output. */
struct filtering {
	const struct vtm_ctl *c;
	const struct vtm_decision *d;
	bool headed;		/* our headers are printed */
	bool skipping;		/* in an X-VT-* field or its continuation lines */
	bool body;
};

static bool is_crlf(const struct vtm_piece *p)
{
	return p->len > 1 && p->text[p->len - 2] == '\r' && p->text[p->len - 1] == '\n';
}

/* Prints our headers first, with the message's line ends, and leaves out its own X-VT-* headers. */
static void filter_piece(const struct vtm_piece *p, bool from_line, void *arg)
{
	struct filtering *f = arg;

	if (!from_line && !f->headed) {
		put_headers(f->c, f->d, is_crlf(p) ? "\r\n" : "\n");
		f->headed = true;
	}
	if (!from_line && !f->body && p->begins) {
		f->body = *p->text == '\n' || (p->len == 2 && is_crlf(p));
		f->skipping = !f->body &&
			      (*p->text == ' ' || *p->text == '\t' ? f->skipping : is_ours(p->text, p->len));
	}
	if (!f->skipping)
		fwrite(p->text, 1, p->len, stdout);
}

/* Marks pending items as bypassed: nothing looks them up after this process has ended. */
static void end_pending(struct vtm_decision *d)
{
	for (guint i = 0; i < d->items->list->len; i++) {
		struct vtm_item *item = d->items->list->pdata[i];

		if (item->report.verdict == VTM_PENDING)
			item->report.verdict = VTM_BYPASSED;
	}
	d->tags = vtm_tags_of(d->items);
}

static bool filter(struct scanning *s, const struct vtm_mail *mail, struct vtm_decision *d)
{
	struct filtering f = { .c = s->c, .d = d };
	GError *error = NULL;

	end_pending(d);
	if (vtm_mail_read(mail, filter_piece, &f, &error) < 0) {
		s->status = vtm_ctl_fail(s->c, error);
		return false;
	}
	if (!f.headed)
		put_headers(s->c, d, "\n");
	return true;
}

/* ---- the walk ---- */

static void unreadable(const char *file, const char *why, void *arg)
{
	struct scanning *s = arg;

	(void)file;
	vtm_ctl_bar_clear(&s->bar);
	vtm_ctl_warn(s->c, "%s", why);
	s->trouble = true;
}

/* The name without a Maildir's flags, which may change between two scans. */
static size_t name_length(const char *label)
{
	const char *flags = g_strrstr(label, ":2,");

	return flags && !strchr(flags, '/') ? (size_t)(flags - label) : strlen(label);
}

static bool is_same(const char *label, const char *other)
{
	size_t n = name_length(label);

	return n == name_length(other) && !strncmp(label, other, n);
}

static bool scan_one(const struct vtm_mail *mail, void *arg)
{
	struct scanning *s = arg;
	const struct vtm_envelope nobody = { 0 };
	struct vtm_decision d;
	struct vtm_spool *spool;
	GError *error = NULL;
	bool on;

	if (!s->begun) {
		char *label = vtm_mail_label(mail), *told = vtm_ctl_safe(label, LABEL_MAX);

		s->begun = is_same(label, s->c->from) || is_same(told, s->c->from);
		g_free(told);
		g_free(label);
		if (!s->begun) {
			s->bar.done++;
			return true;
		}
	}
	s->asker.bulk = !s->c->now && (s->many || mail->number);
	spool = vtm_mail_spool(mail, s->c->conf->temp_directory, &error);
	if (!spool) {
		unreadable(mail->file, error->message, s);
		g_error_free(error);
		return true;
	}
	vtm_scan_message(s->asker.resolver, &s->asker.settings, &nobody, &spool, s->c->clock, on_progress, s, BAR_MS,
			 &d);
	on = s->c->headers ? filter(s, mail, &d) : report(s, mail, &d);
	vtm_decision_clear(&d);
	return on;
}

static int check_arguments(const struct vtm_ctl *c, int argc, char **argv)
{
	if (!argc)
		return vtm_ctl_usage(c, "expected a FILE (- is standard input)");
	if (c->headers && (argc != 1 || c->json || c->from || g_file_test(argv[0], G_FILE_TEST_IS_DIR)))
		return vtm_ctl_usage(c, "--headers takes one message and neither --json nor --from");
	return EX_OK;
}

static void scan_all(struct scanning *s, int argc, char **argv)
{
	GError *error = NULL;

	s->bar.on = vtm_ctl_bar_possible() && !s->c->headers && !s->c->json;
	s->begun = !s->c->from;
	s->many = argc > 1 || g_file_test(argv[0], G_FILE_TEST_IS_DIR);
	for (int i = 0; s->bar.on && i < argc; i++)
		if (strcmp(argv[i], "-") && vtm_mailbox_walk(argv[i], count_one, &s->bar.total, NULL, NULL) < 0)
			continue;	/* reported below */
	for (int i = 0; i < argc && s->status == EX_OK; i++)
		if (vtm_mailbox_walk(argv[i], scan_one, s, unreadable, &error) < 0) {
			vtm_ctl_bar_clear(&s->bar);
			s->status = vtm_ctl_fail(s->c, error);
		}
	vtm_ctl_bar_clear(&s->bar);
	if (s->bar.on)
		fprintf(stderr, "%u of %u messages, %u bad\n", s->bar.done, MAX(s->bar.done, s->bar.total), s->bad);
	if (s->status == EX_OK && !s->begun)
		s->status = vtm_ctl_usage(s->c, "--from: there is no message '%s'; without --from all are scanned, and "
					  "stored answers are not looked up again", s->c->from);
}

int vtm_ctl_scan(struct vtm_ctl *c, int argc, char **argv)
{
	struct scanning s = { .c = c };
	GError *error = NULL;
	int status = check_arguments(c, argc, argv);

	if (status != EX_OK)
		return status;
	if (vtm_ctl_asker_init(&s.asker, c, !c->headers, &error) < 0)
		return vtm_ctl_fail(c, error);
	if (c->headers)
		s.asker.settings.timeout_ms = c->conf->timeout_ms;
	else
		vtm_ctl_catch_interrupt();
	scan_all(&s, argc, argv);
	vtm_ctl_asker_clear(&s.asker);
	if (s.status != EX_OK)
		return s.status;
	if (s.trouble)
		return EX_UNAVAILABLE;
	return s.bad ? VTM_CTL_FOUND : EX_OK;
}
