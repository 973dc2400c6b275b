/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-callbacks.c - what an MTA may call, in any order: one session of libmilter's callbacks, from connect to close.
 *
 * Stand-ins take the place of libmilter, of the ticker and of the resolver, which answers by the look-up's key; all from the
 * callbacks through session, spool, extraction and decision to the header edits is the daemon's own.  A line of the input is a
 * callback, its first letter says which:
 *
 *	C n	connect, from one of a few addresses	H n:v	header		. id	end of message
 *	M addr	MAIL (m: authenticated)			E	end of header	A	abort
 *	R addr	RCPT					B text	body		G	the MTA goes away in the next wait
 *	D	DATA					b text	body, no line end	Q	close, and the next session
 */
#include "fuzz.h"

#include <arpa/inet.h>
#include <libmilter/mfapi.h>

#include "callbacks.h"
#include "conf/conf.h"
#include "daemon.h"
#include "base/log.h"
#include "session.h"
#include "conf/settings.h"

static const char conf_text[] =
	"Enabled yes\nOnBad reject\nMaxMessageSize 4k\nTrustedRelays 192.0.2.1\nSkipNetworks 198.51.100.0/24\n"
	"SkipAuthenticated yes\n";
static const char *const addresses[] = { "192.0.2.1", "198.51.100.7", "203.0.113.9", "2001:db8::1" };

static struct smfiDesc cb;		/* as registered */
static void *private_data;
static bool at_end;			/* inside the callback at end of message, where edits are allowed */
static bool authenticated, gone, told;	/* the MTA is gone, and the callback was told so */
static const char *queue_id;
static unsigned ours, deleted, inserted, refused;	/* of the message now */

/* ---- libmilter ---- */

int smfi_register(struct smfiDesc desc)
{
	cb = desc;
	return MI_SUCCESS;
}

int smfi_setpriv(SMFICTX *ctx, void *p)
{
	(void)ctx;
	private_data = p;
	return MI_SUCCESS;
}

void *smfi_getpriv(SMFICTX *ctx)
{
	(void)ctx;
	return private_data;
}

char *smfi_getsymval(SMFICTX *ctx, char *name)
{
	static char user[] = "user", id[65];

	(void)ctx;
	if (!strcmp(name, "{auth_authen}"))
		return authenticated ? user : NULL;
	if (strcmp(name, "i") != 0 || !queue_id)
		return NULL;
	g_strlcpy(id, queue_id, sizeof(id));
	return id;
}

/* Deletes only, of our names only, before anything is inserted. */
int smfi_chgheader(SMFICTX *ctx, char *name, int index, char *value)
{
	(void)ctx;
	FUZZ_CHECK(at_end && !value && index >= 1 && inserted == 0);
	FUZZ_CHECK(!g_ascii_strncasecmp(name, "x-vt-", 5));
	deleted++;
	return MI_SUCCESS;
}

static void check_value(const char *value)
{
	for (const char *p = value; *p; p++)
		FUZZ_CHECK((*p >= ' ' && *p < 0x7f) || (*p == '\n' && *++p == '\t'));
}

int smfi_insheader(SMFICTX *ctx, int index, char *name, char *value)
{
	(void)ctx;
	FUZZ_CHECK(at_end && !told && index == (int)inserted);
	FUZZ_CHECK(!strcmp(name, "X-VT-Tag") || !strcmp(name, "X-VT-Report"));
	check_value(value);
	inserted++;
	return MI_SUCCESS;
}

int smfi_setreply(SMFICTX *ctx, char *code, char *extended, char *text)
{
	(void)ctx;
	FUZZ_CHECK(at_end && code && extended && text);
	refused++;
	return MI_SUCCESS;
}

int smfi_quarantine(SMFICTX *ctx, char *reason)
{
	(void)ctx;
	FUZZ_CHECK(at_end && reason);
	return MI_SUCCESS;
}

int smfi_progress(SMFICTX *ctx)
{
	(void)ctx;
	FUZZ_CHECK(at_end);
	told = gone;
	return gone ? MI_FAILURE : MI_SUCCESS;
}

/* ---- what else waits ---- */

void vtm_ticker_enter(struct vtm_ticker *t, struct vtm_ticker_stay *stay)
{
	(void)t;
	(void)stay;
}

void vtm_ticker_leave(struct vtm_ticker *t, struct vtm_ticker_stay *stay)
{
	(void)t;
	(void)stay;
}

static void ask(void *arg, struct vtm_ticket *t, bool (*progress)(void *), void *progress_arg, int64_t progress_ms)
{
	static const enum vtm_verdict verdicts[] = { VTM_CLEAN, VTM_UNKNOWN, VTM_PENDING, VTM_BAD };

	(void)arg;
	(void)progress_ms;
	progress(progress_arg);
	for (size_t i = 0; i < t->n; i++) {
		struct vtm_report *r = &t->wants[i].report;

		r->verdict = verdicts[t->wants[i].lookup->key.id[0] % G_N_ELEMENTS(verdicts)];
		r->engines = r->verdict == VTM_CLEAN || r->verdict == VTM_BAD ? 70 : 0;
		r->malicious = r->verdict == VTM_BAD ? 9 : 0;
	}
}

void vtm_settings_scan(const struct vtm_conf *c, struct vtm_scan_settings *s)
{
	memset(s, 0, sizeof(*s));
	s->enabled = s->attachments = s->urls = true;
	s->max_lookups = c->max_lookups_per_message;
	s->threshold = c->detection_threshold;
	s->timeout_ms = 1;
	vtm_extract_defaults(&s->extract);
	s->extract.ignore = c->ignore;
	s->ask = ask;
}

/* ---- a session ---- */

static void begin_message(void)
{
	ours = deleted = inserted = refused = 0;
}

static void say_connect(const char *arg)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	const char *address = addresses[(uint8_t)*arg % G_N_ELEMENTS(addresses)];
	bool four = inet_pton(AF_INET, address, &in.sin_addr) == 1;

	if (!four)
		inet_pton(AF_INET6, address, &in6.sin6_addr);
	begin_message();
	cb.xxfi_connect(NULL, (char *)(uintptr_t)"client",
			*arg == 'u' ? NULL : four ? (struct sockaddr *)&in : (struct sockaddr *)&in6);
}

static void say_address(char *arg, bool mail)
{
	char *argv[] = { *arg ? arg : NULL, NULL };

	if (mail) {
		begin_message();
		cb.xxfi_envfrom(NULL, argv);
	} else {
		cb.xxfi_envrcpt(NULL, argv);
	}
}

static void say_header(char *line)
{
	char *colon = strchr(line, ':');
	char *name = line, *value = colon ? colon + 1 : line + strlen(line);
	const struct vtm_session *s = private_data;

	if (colon)
		*colon = '\0';
	for (char *p = value; *p; p++)	/* a folded value has line ends inside */
		*p = *p == '\r' ? '\n' : *p;
	if (s && s->message)
		ours += !g_ascii_strncasecmp(name, "x-vt-", 5);
	cb.xxfi_header(NULL, name, value);
}

static void say_end(const char *arg)
{
	const struct vtm_session *s = private_data;
	const struct vtm_message *m = s ? s->message : NULL;
	bool trusted = m && m->plan == VTM_PLAN_TRUST, overrun = m && m->overrun, scanned = m && m->plan == VTM_PLAN_SCAN;
	sfsistat status;

	queue_id = *arg ? arg : NULL;
	at_end = true;
	status = cb.xxfi_eom(NULL);
	at_end = false;
	FUZZ_CHECK(status == SMFIS_CONTINUE || (status == SMFIS_REJECT && refused == 1));
	if (m && !overrun)
		FUZZ_CHECK(deleted == (trusted ? 0 : ours));
	FUZZ_CHECK(scanned || inserted == 0);
	FUZZ_CHECK(!private_data || !((struct vtm_session *)private_data)->message);
	gone = told = false;
	begin_message();
}

static void say(char *line, size_t len)
{
	char *arg = line + (len ? 1 : 0);

	switch (*line) {
	case 'C': say_connect(arg); break;
	case 'm':
	case 'M':
		authenticated = *line == 'm';
		say_address(arg, true);
		break;
	case 'R': say_address(arg, false); break;
	case 'D': cb.xxfi_data(NULL); break;
	case 'H': say_header(arg); break;
	case 'E': cb.xxfi_eoh(NULL); break;
	case 'B':	/* the line's end is part of it */
		line[len] = '\n';
		cb.xxfi_body(NULL, (unsigned char *)arg, len);
		break;
	case 'b': cb.xxfi_body(NULL, (unsigned char *)arg, len - 1); break;
	case '.': say_end(arg); break;
	case 'A': cb.xxfi_abort(NULL); break;
	case 'G': gone = true; break;
	case 'Q':
		cb.xxfi_close(NULL);
		FUZZ_CHECK(!private_data);
		break;
	default: break;
	}
}

static void forget_line(enum vtm_severity severity, const char *line, void *arg)
{
	(void)severity;
	(void)arg;
	FUZZ_CHECK(!strpbrk(line, "\r\n"));
}

static void start(void)
{
	static char resolver;	/* nobody looks into it */
	char path[64];
	int fd = fuzz_file((const uint8_t *)conf_text, strlen(conf_text), path);
	struct vtm_conf *c = vtm_conf_load_quiet(path, NULL);

	close(fd);
	FUZZ_CHECK(c && vtm_callbacks_register() == 0);
	vtm_conf_set_current(c);
	vtm_log_set_sink(forget_line, NULL);
	vtm_daemon.clock = vtm_clock_system();
	vtm_daemon.resolver = (struct vtm_resolver *)(void *)&resolver;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = g_malloc(size + 1), *line = text;

	if (!vtm_daemon.clock)
		start();
	memcpy(text, data, size);
	text[size] = '\0';
	authenticated = gone = told = false;
	while (line < text + size) {
		char *end = memchr(line, '\n', (size_t)(text + size - line));
		size_t len = (size_t)((end ? end : text + size) - line);

		line[len] = '\0';
		say(line, len);
		line += len + 1;
	}
	cb.xxfi_close(NULL);
	FUZZ_CHECK(!private_data && g_atomic_int_get(&vtm_daemon.open) == 0);
	g_free(text);
	return 0;
}
