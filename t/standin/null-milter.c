/* SPDX-License-Identifier: BSD-2-Clause */
/* null-milter.c - a milter that does nothing: what throughput is compared with, and the ticker's test.
 *
 *	null-milter [-t] [-d] [-e N [-n NAME]] SOCKET
 *
 * A message with the header "X-Hold: MS" is held for so long at its end, with progress every second; all others go on
 * at once.  -t: with the ticker; -d: reply to DATA (for TCP); -e: N header fields, called NAME, are added to each
 * message. Says "ready" when it listens.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

#include <libmilter/mfapi.h>

#include "base/clock.h"
#include "ticker.h"

static struct vtm_ticker *ticker;
static int edits;
static char *field = (char *)(uintptr_t)"X-Null-Report";
static unsigned long steps = SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_DATA |
	SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY;

static sfsistat reply(unsigned long bit)
{
	return steps & bit ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long a, unsigned long p, unsigned long x, unsigned long y,
			     unsigned long *a_r, unsigned long *p_r, unsigned long *x_r, unsigned long *y_r)
{
	(void)ctx, (void)x, (void)y;
	*a_r = a & SMFIF_ADDHDRS;
	*p_r = (p & (steps & SMFIP_NR_DATA ? steps | SMFIP_NODATA : steps)) | (*p_r & (SMFIP_NOHELO | SMFIP_NOUNKNOWN));
	*x_r = *y_r = 0;
	return SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
	(void)ctx, (void)host, (void)address;
	return reply(SMFIP_NR_CONN);
}

static sfsistat on_mail(SMFICTX *ctx, char **argv)
{
	(void)argv;
	smfi_setpriv(ctx, NULL);
	return reply(SMFIP_NR_MAIL);
}

static sfsistat on_rcpt(SMFICTX *ctx, char **argv)
{
	(void)ctx, (void)argv;
	return reply(SMFIP_NR_RCPT);
}

static sfsistat on_data(SMFICTX *ctx)
{
	(void)ctx;
	return reply(SMFIP_NR_DATA);
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
	if (!strcasecmp(name, "X-Hold"))
		smfi_setpriv(ctx, GINT_TO_POINTER(atoi(value)));
	return reply(SMFIP_NR_HDR);
}

static sfsistat on_eoh(SMFICTX *ctx)
{
	(void)ctx;
	return reply(SMFIP_NR_EOH);
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *data, size_t len)
{
	(void)ctx, (void)data, (void)len;
	return reply(SMFIP_NR_BODY);
}

static sfsistat on_eom(SMFICTX *ctx)
{
	int left_ms = GPOINTER_TO_INT(smfi_getpriv(ctx));
	struct vtm_ticker_stay stay;

	smfi_setpriv(ctx, NULL);
	if (ticker)
		vtm_ticker_enter(ticker, &stay);
	for (int ms; left_ms > 0; left_ms -= ms) {
		ms = MIN(left_ms, 1000);
		g_usleep((gulong)ms * 1000);
		if (smfi_progress(ctx) != MI_SUCCESS)
			break;
	}
	for (int i = 0; i < edits; i++)
		smfi_insheader(ctx, i, field, (char *)(uintptr_t)"attachment; verdict=unknown; "
			       "sha256=\n\t0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	if (ticker)
		vtm_ticker_leave(ticker, &stay);
	return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *ctx)
{
	smfi_setpriv(ctx, NULL);
	return SMFIS_CONTINUE;
}

static bool start(char *spec, bool with_ticker)
{
	static char name[] = "null-milter";
	struct smfiDesc desc = { .xxfi_name = name, .xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFIF_ADDHDRS, .xxfi_connect = on_connect, .xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_rcpt,
		.xxfi_data = on_data, .xxfi_header = on_header, .xxfi_eoh = on_eoh, .xxfi_body = on_body,
		.xxfi_eom = on_eom, .xxfi_close = on_close, .xxfi_negotiate = on_negotiate };
	GError *error = NULL;

	if (smfi_register(desc) != MI_SUCCESS || smfi_setconn(spec) != MI_SUCCESS || smfi_opensocket(1) != MI_SUCCESS) {
		fprintf(stderr, "null-milter: cannot listen on %s\n", spec);
		return false;
	}
	if (!with_ticker)
		return true;
	ticker = vtm_ticker_new(spec, vtm_clock_system(), &error);
	if (!ticker || vtm_ticker_start(ticker, &error)) {
		fprintf(stderr, "null-milter: %s\n", error->message);
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	bool with_ticker = false;
	struct rlimit files;
	sigset_t stop;
	int c;

	while ((c = getopt(argc, argv, "tde:n:")) != -1)
		switch (c) {
		case 't': with_ticker = true; break;
		case 'e': edits = atoi(optarg); break;
		case 'n': field = optarg; break;
		case 'd': steps &= ~(unsigned long)SMFIP_NR_DATA; break;
		default: return 64;
		}
	if (optind != argc - 1)
		return 64;
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	sigemptyset(&stop);	/* libmilter's own thread waits for it, and no other thread may have it */
	sigaddset(&stop, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &stop, NULL);
	if (!start(argv[optind], with_ticker))
		return 69;
	puts("ready");
	fflush(stdout);
	c = smfi_main();
	if (ticker)
		printf("ticks=%" G_GUINT64_FORMAT "\n", vtm_ticker_ticks(ticker));
	fflush(stdout);
	return c == MI_SUCCESS ? 0 : 70;
}
