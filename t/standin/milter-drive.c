/* SPDX-License-Identifier: BSD-2-Clause */
/* milter-drive.c - plays an MTA with many sessions at once, and says how long replies took.
 *
 *	milter-drive [-n SESSIONS] [-f FILE] [-p OTHERS] ... SOCKET
 *
 * The main sessions send FILE; with -p, other sessions send a message that needs no waiting as long as the main ones
 * last.  With -F, "@FRESH@" in FILE is another word in each message.  Prints one line of NAME=VALUE; exit status 0 if
 * no session failed.  A message's time, in p50_us and p99_us, is that from its MAIL to the answer to its end, in the
 * main sessions; other_p90_us is that of the others.  rate90 is that of messages until nine of ten of the main ones had
 * ended, so that the few that wait do not count.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>

#include "base/clock.h"
#include "milter-wire.h"

#define SESSIONS_MAX 10000
#define STACK_KB 128

struct options {
	const char *spec, *address, *user, *sender, *recipient, *scenario;
	unsigned sessions, messages, burst, gap_ms, pause_ms, think_ms, others, other_gap_ms;
	int timeout_ms;
	pid_t milter;		/* whose CPU time is told, 0: nobody's */
	uint32_t actions, steps;
	bool edits, fresh;
	struct wire_mail *main_mail, *other_mail;
};

struct result {
	GMutex lock;		/* covers all */
	unsigned sessions, errors, messages, replies[256];
	int64_t reply_max_ms, eom_max_ms, eom_min_ms, other_max_ms;
	const char *slowest, *why;
	GPtrArray *edits;	/* of the first message that ended */
	GArray *times_us;	/* of gint64: how long each main message took ... */
	GArray *ends_us;	/* ... and when it had ended */
	GArray *other_times_us;	/* of gint64: how long each other message took */
	int64_t began_us, wall_us, cpu_us;
};

struct session {
	const struct options *o;
	struct result *r;
	unsigned number;
	bool main;
};

static gint main_left;

static void usage(FILE *to)
{
	fputs("usage: milter-drive [OPTION ...] SOCKET\n"
	      "SOCKET is unix:PATH or inet:PORT@ADDRESS.\n"
	      "  -n N     main sessions (1), -m N  messages in each (1)\n"
	      "  -k N     main sessions started at once (all), -s MS  between these (1000)\n"
	      "  -w MS    pause before the end of each main message (0)\n"
	      "  -j MS    pause between main messages of a session (0)\n"
	      "  -f FILE  the message they send (one without anything to ask about)\n"
	      "  -F       with another word for each @FRESH@ in it\n"
	      "  -p N     other sessions at the same time (0), -i MS  between their messages (50)\n"
	      "  -g FILE  the message these send, -b BYTES  or the size of a plain one (5000)\n"
	      "  -t MS    how long a reply may take (60000)\n"
	      "  -a IP    address of the client (192.0.2.1), \"none\": not told\n"
	      "  -u USER  he is authenticated\n"
	      "  -S, -R   sender and recipient\n"
	      "  -A HEX, -P HEX  actions and protocol steps offered (1ff, 1fffff)\n"
	      "  -x WHAT  end each session early: connect, negotiate, abort, body, eom (hang up there), none\n"
	      "  -C PID   print the CPU time that this process took meanwhile\n"
	      "  -e       print the edits of the first message\n", to);
}

/* ---- one session ---- */

static void note_session(struct session *s, const struct wire *w, bool done)
{
	struct result *r = s->r;

	g_mutex_lock(&r->lock);
	r->sessions++;
	if (w->slowest_ms > r->reply_max_ms) {
		r->reply_max_ms = w->slowest_ms;
		r->slowest = w->slowest;
	}
	if (!done) {
		r->errors++;
		r->why = w->why ? w->why : "unknown";
	}
	g_mutex_unlock(&r->lock);
}

static void note_message(struct session *s, struct wire *w, char letter, int64_t took_ms, int64_t began_us)
{
	struct result *r = s->r;
	gint64 now_us = g_get_monotonic_time(), whole_us = now_us - began_us;

	g_mutex_lock(&r->lock);
	r->messages++;
	r->replies[(unsigned char)letter]++;
	if (s->main) {
		r->eom_max_ms = MAX(r->eom_max_ms, took_ms);
		r->eom_min_ms = MIN(r->eom_min_ms, took_ms);
		g_array_append_val(r->times_us, whole_us);
		g_array_append_val(r->ends_us, now_us);
	} else {
		r->other_max_ms = MAX(r->other_max_ms, took_ms);
		g_array_append_val(r->other_times_us, whole_us);
	}
	if (s->main && !r->edits) {
		r->edits = g_ptr_array_ref(w->edits);
		if (letter == SMFIR_REPLYCODE)
			g_ptr_array_add(r->edits, g_strdup_printf("reply %s", w->in->str));
	}
	g_mutex_unlock(&r->lock);
}

static bool ends_at(const struct session *s, const char *where)
{
	return s->main && s->o->scenario && !strcmp(s->o->scenario, where);
}

/* The message with a word of its own, if it wants one: to be freed with g_string_free().  NULL: it does not. */
static GString *fresh_body(const struct session *s, unsigned n)
{
	GString *body;
	char *word;

	if (!s->main || !s->o->fresh)
		return NULL;
	word = g_strdup_printf("w%xs%um%u", (unsigned)s->r->began_us, s->number, n);
	body = g_string_new_len(s->o->main_mail->body->str, (gssize)s->o->main_mail->body->len);
	g_string_replace(body, "@FRESH@", word, 0);
	g_free(word);
	return body;
}

static bool send_body(struct session *s, struct wire *w, unsigned n)
{
	struct wire_mail mail = s->main ? *s->o->main_mail : *s->o->other_mail;
	GString *fresh = fresh_body(s, n);
	bool done;

	mail.body = fresh ? fresh : mail.body;
	done = wire_send_mail(w, &mail);
	if (fresh)
		g_string_free(fresh, TRUE);
	return done;
}

/* 1 sent, 0 the scenario ends here, -1 failed. */
static int send_message(struct session *s, struct wire *w, unsigned n)
{
	const struct options *o = s->o;
	char *id = g_strdup_printf("%s%05u%03u", s->main ? "M" : "P", s->number, n % 1000);
	int64_t took_ms, began_us = g_get_monotonic_time();
	bool done;
	char letter;

	if (o->user)
		wire_macro(w, SMFIC_MAIL, "{auth_authen}", o->user);
	done = wire_mail(w, o->sender) && wire_macro(w, SMFIC_RCPT, "i", id) && wire_rcpt(w, o->recipient) &&
	       wire_macro(w, SMFIC_DATA, "i", id) && send_body(s, w, n);
	if (done)
		wire_macro(w, SMFIC_BODYEOB, "i", id);
	g_free(id);
	if (!done)
		return -1;
	if (ends_at(s, "abort"))
		return wire_abort(w) && wire_quit(w) ? 0 : -1;
	if (ends_at(s, "body"))
		return wire_send(w) ? 0 : -1;
	if (ends_at(s, "eom")) {
		wire_put(w, SMFIC_BODYEOB, "", 0);
		return wire_send(w) ? 0 : -1;
	}
	if (s->main && o->pause_ms) {
		wire_send(w);
		g_usleep(o->pause_ms * 1000);
	}
	letter = wire_eom(w, &took_ms);
	if (!letter)
		return -1;
	note_message(s, w, letter, took_ms, began_us);
	return wire_abort(w) ? 1 : -1;	/* as Postfix does after each message */
}

static bool run_messages(struct session *s, struct wire *w)
{
	const struct options *o = s->o;
	unsigned n = 0;
	int sent;

	if (ends_at(s, "connect"))
		return true;
	if (!wire_negotiate(w, o->actions, o->steps))
		return false;
	if (ends_at(s, "negotiate"))
		return true;
	wire_macro(w, SMFIC_CONNECT, "j", "mx.example.test");
	if (!wire_connect(w, "client.example.org", o->address) || !wire_helo(w, "client.example.org"))
		return false;
	do {
		sent = send_message(s, w, n++);
		if (sent <= 0)
			return sent == 0;
		if (!s->main)
			g_usleep(o->other_gap_ms * 1000);
		else if (o->think_ms && n < o->messages)
			g_usleep(o->think_ms * 1000);
	} while (s->main ? n < o->messages : g_atomic_int_get(&main_left) > 0);
	return wire_quit(w);
}

static gpointer run_session(gpointer arg)
{
	struct session *s = arg;
	struct wire w;
	bool done;

	do {	/* the others: one session after the other, so that new connections are tried all the time */
		done = wire_open(&w, s->o->spec, s->o->timeout_ms) && run_messages(s, &w);
		note_session(s, &w, done);
		wire_close(&w);
	} while (!s->main && done && g_atomic_int_get(&main_left) > 0);
	if (s->main)
		g_atomic_int_add(&main_left, -1);
	g_free(s);
	return NULL;
}

/* ---- all of them ---- */

static GThread *start_session(const struct options *o, struct result *r, unsigned number, bool is_main)
{
	struct session *s = g_new0(struct session, 1);

	*s = (struct session){ o, r, number, is_main };
	return g_thread_new("session", run_session, s);
}

/* CPU time of all threads of a process, 0: nobody's. */
static int64_t cpu_us(pid_t pid)
{
	struct timespec t;
	clockid_t clock;

	if (!pid || clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
		return 0;
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void run_all(const struct options *o, struct result *r)
{
	GPtrArray *threads = g_ptr_array_new();

	r->times_us = g_array_new(FALSE, FALSE, sizeof(gint64));
	r->ends_us = g_array_new(FALSE, FALSE, sizeof(gint64));
	r->other_times_us = g_array_new(FALSE, FALSE, sizeof(gint64));
	r->began_us = g_get_monotonic_time();
	r->cpu_us = -cpu_us(o->milter);
	g_atomic_int_set(&main_left, (gint)o->sessions);
	for (unsigned i = 0; i < o->others; i++)
		g_ptr_array_add(threads, start_session(o, r, i, false));
	for (unsigned i = 0; i < o->sessions; i++) {
		if (i && o->burst && i % o->burst == 0)
			g_usleep(o->gap_ms * 1000);
		g_ptr_array_add(threads, start_session(o, r, i, true));
	}
	for (unsigned i = 0; i < threads->len; i++)
		g_thread_join(threads->pdata[i]);
	r->wall_us = g_get_monotonic_time() - r->began_us;
	r->cpu_us += cpu_us(o->milter);
	g_ptr_array_unref(threads);
}

static gint by_size(gconstpointer a, gconstpointer b)
{
	gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;

	return (x > y) - (x < y);
}

/* The time that <percent> of the messages did not pass. */
static int64_t percentile(const GArray *sorted, unsigned percent)
{
	return sorted->len ? g_array_index(sorted, gint64, (sorted->len - 1) * percent / 100) : 0;
}

/* Messages a second while the first nine of ten ended. */
static double rate90(const struct result *r)
{
	int64_t last_us = percentile(r->ends_us, 90);

	return last_us > r->began_us ? 0.9e6 * r->ends_us->len / (double)(last_us - r->began_us) : 0;
}

static void print_times(const struct options *o, struct result *r)
{
	g_array_sort(r->times_us, by_size);
	g_array_sort(r->ends_us, by_size);
	g_array_sort(r->other_times_us, by_size);
	printf(" rate=%.0f rate90=%.0f p50_us=%" PRId64 " p99_us=%" PRId64, 1e6 * r->messages / (double)MAX(r->wall_us, 1),
	       rate90(r), percentile(r->times_us, 50), percentile(r->times_us, 99));
	if (o->others)
		printf(" other_p90_us=%" PRId64, percentile(r->other_times_us, 90));
	if (o->milter)
		printf(" cpu_us=%" PRId64, r->cpu_us / MAX(r->messages, 1));
}

static void print_result(const struct options *o, struct result *r)
{
	if (o->edits && r->edits)
		for (unsigned i = 0; i < r->edits->len; i++)
			puts(r->edits->pdata[i]);
	printf("sessions=%u messages=%u errors=%u reply_max_ms=%" G_GINT64_FORMAT " slowest=%s", r->sessions,
	       r->messages, r->errors, r->reply_max_ms, r->slowest);
	printf(" eom_min_ms=%" G_GINT64_FORMAT " eom_max_ms=%" G_GINT64_FORMAT " other_eom_max_ms=%" G_GINT64_FORMAT,
	       MIN(r->eom_min_ms, r->eom_max_ms), r->eom_max_ms, r->other_max_ms);
	printf(" continued=%u accepted=%u rejected=%u tempfailed=%u discarded=%u", r->replies[SMFIR_CONTINUE],
	       r->replies[SMFIR_ACCEPT], r->replies[SMFIR_REJECT] + r->replies[SMFIR_REPLYCODE],
	       r->replies[SMFIR_TEMPFAIL], r->replies[SMFIR_DISCARD]);
	print_times(o, r);
	printf("%s%s\n", r->why ? " why=" : "", r->why ? r->why : "");
}

static bool read_options(int argc, char **argv, struct options *o)
{
	const char *main_file = NULL, *other_file = NULL;
	unsigned body = 5000;
	int c;

	while ((c = getopt(argc, argv, "n:m:k:s:w:j:f:p:i:g:b:t:a:u:S:R:A:P:x:C:Feh")) != -1)
		switch (c) {
		case 'n': o->sessions = (unsigned)atoi(optarg); break;
		case 'm': o->messages = (unsigned)atoi(optarg); break;
		case 'k': o->burst = (unsigned)atoi(optarg); break;
		case 's': o->gap_ms = (unsigned)atoi(optarg); break;
		case 'w': o->pause_ms = (unsigned)atoi(optarg); break;
		case 'j': o->think_ms = (unsigned)atoi(optarg); break;
		case 'f': main_file = optarg; break;
		case 'p': o->others = (unsigned)atoi(optarg); break;
		case 'i': o->other_gap_ms = (unsigned)atoi(optarg); break;
		case 'g': other_file = optarg; break;
		case 'b': body = (unsigned)atoi(optarg); break;
		case 't': o->timeout_ms = atoi(optarg); break;
		case 'a': o->address = strcmp(optarg, "none") ? optarg : NULL; break;
		case 'u': o->user = optarg; break;
		case 'S': o->sender = optarg; break;
		case 'R': o->recipient = optarg; break;
		case 'A': o->actions = (uint32_t)strtoul(optarg, NULL, 16); break;
		case 'P': o->steps = (uint32_t)strtoul(optarg, NULL, 16); break;
		case 'x': o->scenario = optarg; break;
		case 'C': o->milter = atoi(optarg); break;
		case 'F': o->fresh = true; break;
		case 'e': o->edits = true; break;
		case 'h': usage(stdout); exit(0);
		default: return false;
		}
	if (optind != argc - 1 || o->sessions > SESSIONS_MAX || o->others > SESSIONS_MAX)
		return false;
	o->spec = argv[optind];
	o->main_mail = main_file ? wire_mail_read(main_file) : wire_mail_plain(body);
	o->other_mail = other_file ? wire_mail_read(other_file) : wire_mail_plain(body);
	if (o->main_mail && o->other_mail)
		return true;
	fputs("milter-drive: cannot read the message\n", stderr);
	exit(66);
}

int main(int argc, char **argv)
{
	struct options o = { .address = "192.0.2.1", .sender = "<sender@example.org>",
		.recipient = "<user@example.test>", .sessions = 1, .messages = 1, .gap_ms = 1000, .other_gap_ms = 50,
		.timeout_ms = 60000,
		.actions = 0x1ff, .steps = 0x1fffff };
	struct result r = { .eom_min_ms = G_MAXINT64, .slowest = "none" };

	if (!read_options(argc, argv, &o)) {
		usage(stderr);
		return 64;
	}
	run_all(&o, &r);
	print_result(&o, &r);
	if (r.edits)
		g_ptr_array_unref(r.edits);
	g_array_unref(r.times_us);
	g_array_unref(r.ends_us);
	g_array_unref(r.other_times_us);
	wire_mail_free(o.main_mail);
	wire_mail_free(o.other_mail);
	return r.errors != 0;
}
