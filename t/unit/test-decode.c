/* SPDX-License-Identifier: BSD-2-Clause */
/* test-decode.c - decoders in processes of their own: that they find what the leaves find, what they cannot do, and
 * what it costs when one dies, hangs or answers nonsense.
 *
 * Run as the keeper it is one, as vtmilter is; or a false one, which answers as the test says.
 */
#include "decode/decode-parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "build-config.h"
#include "scan/extract.h"
#include "base/log.h"
#include "pack.h"
#include "tap.h"

#define KEEP (1024 * 1024)

static char *self_path;

static struct vtm_decoders *start(unsigned max, int64_t message_ms, char *const *argv)
{
	struct vtm_decoders_settings s;
	struct vtm_decoders *d;

	vtm_decoders_defaults(&s);
	s.max = max;
	s.message_ms = message_ms;
	s.argv = argv;
	d = vtm_decoders_start(&s, NULL);
	g_assert(d);
	return d;
}

/* ---- material ---- */

/* A zip file of one member, as often as that. */
static GByteArray *zip_of(const char *name, const void *content, size_t len, unsigned members)
{
	struct member *list = g_new(struct member, members);
	GByteArray *zip;

	for (unsigned i = 0; i < members; i++)
		list[i] = (struct member){ name, content, len };
	zip = pack(archive_write_set_format_zip, NULL, list, members);
	g_free(list);
	return zip;
}

static GString *text_of_archive(struct vtm_decoding *d, const GByteArray *zip, struct vtm_archive_limits *limits,
				bool *whole_r, enum vtm_archive_result *result_r);

struct gathering {
	GString *text;
	struct vtm_decoding *decode;
	struct vtm_archive_limits *limits;
};

static void on_member(const struct vtm_member *m, void *arg)
{
	struct gathering *g = arg;
	enum vtm_archive_result result;

	g_string_append_printf(g->text, "(%s %s %d %.8s %s%s)", m->name ? m->name : "-", m->format, (int)m->size, m->sha256,
			       m->content ? "kept" : "-", m->links_only ? " links" : "");
	if (m->content && vtm_archive_format(m->content, m->content_len)) {
		g_string_append(g->text, "[");
		vtm_decode_archive(g->decode, m->content, m->content_len, g->limits, on_member, g, &result);
		g_string_append_printf(g->text, "]%d", result);
	}
}

static GString *text_of_archive(struct vtm_decoding *d, const GByteArray *zip, struct vtm_archive_limits *limits,
				bool *whole_r, enum vtm_archive_result *result_r)
{
	struct gathering g = { g_string_new(NULL), d, limits };

	*whole_r = vtm_decode_archive(d, zip->data, zip->len, limits, on_member, &g, result_r);
	return g.text;
}

/* What is found, the result, and what is left of the limits. */
static char *archive_text(struct vtm_decoders *pool, const GByteArray *zip, struct vtm_archive_limits limits)
{
	struct vtm_decoding d;
	enum vtm_archive_result result;
	GString *text;
	bool whole;

	vtm_decode_begin(&d, pool);
	text = text_of_archive(&d, zip, &limits, &whole, &result);
	g_string_append_printf(text, " %s %d left %u %d", whole ? "whole" : "failed", result, limits.members, (int)limits.bytes);
	vtm_decode_end(&d);
	return g_string_free(text, FALSE);
}

static const struct vtm_archive_limits plenty = { 200, 64 * 1024 * 1024, KEEP };

/* ---- the same as the leaves ---- */

static void same(struct vtm_decoders *pool, const GByteArray *zip, struct vtm_archive_limits limits, const char *what)
{
	char *here = archive_text(NULL, zip, limits), *there = archive_text(pool, zip, limits);

	is_str(there, here, "%s: the same from a decoder", what);
	g_free(here);
	g_free(there);
}

static void archives(struct vtm_decoders *pool)
{
	char *large = g_malloc0(3 * KEEP);
	GByteArray *one = zip_of("../a.exe", "hello\n", 6, 1), *many = zip_of("b", "abc", 3, 150);
	GByteArray *outer = zip_of("in.zip", one->data, one->len, 2), *big = zip_of("big", large, 3 * KEEP, 2);
	struct vtm_archive_limits few = { 100, 1 << 20, KEEP }, none = { 0, 0, 0 };
	const struct member parts[] = {
		{ "[Content_Types].xml", "<x/>", 4 }, { "_rels/.rels", "External", 8 }, { "a.exe", "MZ", 2 },
		{ "_rels/large.rels", large, 3 * KEEP },
	};
	GByteArray *document = pack(archive_write_set_format_zip, NULL, parts, G_N_ELEMENTS(parts));
	GByteArray cut = { outer->data, outer->len / 2 }, nothing = { (guint8 *)(uintptr_t)"PK\003\004", 4 };

	same(pool, one, plenty, "a zip file");
	same(pool, outer, plenty, "a zip file in a zip file");
	same(pool, many, few, "too many members");
	same(pool, big, plenty, "members too large to be kept");
	same(pool, big, (struct vtm_archive_limits){ 10, 4 * KEEP, 4 * KEEP }, "too many bytes");
	same(pool, one, none, "no limits left");
	same(pool, &cut, plenty, "half a zip file");
	same(pool, &nothing, plenty, "nothing but a beginning");
	same(pool, document, plenty, "an office document");
	g_byte_array_unref(document);
	g_byte_array_unref(one);
	g_byte_array_unref(many);
	g_byte_array_unref(outer);
	g_byte_array_unref(big);
	g_free(large);
}

static void on_tnef(const struct vtm_tnef_part *t, void *arg)
{
	g_string_append_printf(arg, "(%d %s %.*s)", t->kind, t->name ? t->name : "-", (int)t->len, t->data);
}

static char *tnef_text(struct vtm_decoders *pool, const char *data, size_t len)
{
	GString *text = g_string_new(NULL);
	struct vtm_decoding d;
	int result = 1;
	bool whole;

	vtm_decode_begin(&d, pool);
	whole = vtm_decode_tnef(&d, data, len, on_tnef, text, &result);
	vtm_decode_end(&d);
	g_string_append_printf(text, " %s %d", whole ? "whole" : "failed", result);
	return g_string_free(text, FALSE);
}

static void tnefs(struct vtm_decoders *pool)
{
	/* begins an attachment, its title, its data; then a text */
	static const char tnef[] = "\x78\x9f\x3e\x22\x01\x00"
		"\x02\x02\x90\x06\x00\x01\x00\x00\x00x\x00\x00"
		"\x02\x10\x80\x01\x00\x06\x00\x00\x00" "a.exe\0" "\x00\x00"
		"\x02\x0f\x80\x06\x00\x03\x00\x00\x00MZ!\x00\x00"
		"\x01\x0c\x80\x02\x00\x05\x00\x00\x00hello\x00\x00";
	char *there = tnef_text(pool, tnef, sizeof(tnef) - 1), *here = tnef_text(NULL, tnef, sizeof(tnef) - 1);

	is_str(here, "(2 - hello)(0 a.exe MZ!) whole 0", "TNEF");
	is_str(there, here, "TNEF: the same from a decoder");
	g_free(there);
	g_free(here);
	there = tnef_text(pool, tnef, sizeof(tnef) - 30);
	here = tnef_text(NULL, tnef, sizeof(tnef) - 30);
	is_str(there, here, "TNEF, cut: the same from a decoder");
	g_free(there);
	g_free(here);
}

static void on_pdf(const struct vtm_pdf_found *f, void *arg)
{
	g_string_append_printf(arg, "(%d %s)", f->kind, f->text);
}

static char *pdf_text(struct vtm_decoders *pool, const char *data, size_t len)
{
	GString *text = g_string_new(NULL);
	enum vtm_pdf_result result = VTM_PDF_NONE;
	struct vtm_decoding d;
	bool whole;

	vtm_decode_begin(&d, pool);
	whole = vtm_decode_pdf(&d, data, len, on_pdf, text, &result);
	vtm_decode_end(&d);
	g_string_append_printf(text, " %s %d", whole ? "whole" : "failed", result);
	return g_string_free(text, FALSE);
}

static void pdfs(struct vtm_decoders *pool)
{
	/* the table is missing: it is mended, which takes an exception in the library (and, since qpdf 12, a page) */
	static const char mended[] = "%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R/OpenAction<</URI(https://a.example/)>>"
		"/X(at http://b.example/)>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n"
		"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>\nendobj\n"
		"trailer\n<</Root 1 0 R>>\n";
	char *there = pdf_text(pool, mended, sizeof(mended) - 1), *here = pdf_text(NULL, mended, sizeof(mended) - 1);

#ifdef HAVE_QPDF
	is_str(here, "(0 https://a.example/)(1 at http://b.example/) whole 3", "PDF");
#endif
	is_str(there, here, "PDF: the same from a decoder");
	g_free(there);
	g_free(here);
	there = pdf_text(pool, mended, 20);
	here = pdf_text(NULL, mended, 20);
	is_str(there, here, "PDF, cut: the same from a decoder");
	g_free(there);
	g_free(here);
}

static char *smime_text(struct vtm_decoders *pool, const char *data, size_t len)
{
	enum vtm_smime result = VTM_SMIME_NONE;
	struct vtm_decoding d;
	char *content, *text;
	size_t n;
	bool whole;

	vtm_decode_begin(&d, pool);
	whole = vtm_decode_smime(&d, data, len, &content, &n, &result);
	vtm_decode_end(&d);
	text = g_strdup_printf("%s %d %.*s", whole ? "whole" : "failed", result, (int)n, content ? content : "-");
	g_free(content);
	return text;
}

static void smimes(struct vtm_decoders *pool)
{
	/* ContentInfo { signedData, SignedData { 1, {}, { data, "hi" }, {} } } */
	static const char der[] = "\x30\x24\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x17\x30\x15\x02\x01\x01\x31\x00"
		"\x30\x0e\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x01\x00";
	static const char *const inputs[] = { "", "0", "nonsense" };
	char *there, *here;

	for (size_t i = 0; i < G_N_ELEMENTS(inputs); i++) {
		there = smime_text(pool, inputs[i], strlen(inputs[i]));
		here = smime_text(NULL, inputs[i], strlen(inputs[i]));
		is_str(there, here, "S/MIME \"%s\": the same from a decoder", inputs[i]);
		g_free(there);
		g_free(here);
	}
	there = smime_text(pool, der, sizeof(der) - 1);
	here = smime_text(NULL, der, sizeof(der) - 1);
	is_str(there, here, "S/MIME, damaged: the same from a decoder");
	g_free(there);
	g_free(here);
}

/* ---- what one that fails costs ---- */

static guint warnings;
static char last_warning[256];

static void count_warnings(enum vtm_severity severity, const char *line, void *arg)
{
	(void)severity;
	(void)arg;
	warnings++;
	g_strlcpy(last_warning, line, sizeof(last_warning));
}

/* One that nobody has waited for yet is. */
static bool is_gone(pid_t pid)
{
	char *path = g_strdup_printf("/proc/%d/stat", (int)pid), *text = NULL;
	bool there = g_file_get_contents(path, &text, NULL, NULL) && !strstr(text, ") Z ");

	g_free(text);
	g_free(path);
	return !there;
}

static bool gone(pid_t pid)
{
	for (int i = 0; i < 1000 && !is_gone(pid); i++)
		g_usleep(10000);
	return is_gone(pid);
}

/* The message's decoder, which has answered once, gets <sig>; then it is asked again, and a third time. */
static void hit(struct vtm_decoders *pool, int sig, const char *why)
{
	GByteArray *zip = zip_of("a", "abc", 3, 1);
	struct vtm_archive_limits limits = plenty;
	enum vtm_archive_result result;
	enum vtm_undecoded as = sig == SIGSTOP ? VTM_UNDECODED_TIME : VTM_UNDECODED_CRASHED;
	struct vtm_decoders_counts before, after;
	struct vtm_decoding d;
	GString *text;
	bool whole;
	pid_t pid;

	vtm_decoders_counts(pool, &before);
	vtm_decode_begin(&d, pool);
	text = text_of_archive(&d, zip, &limits, &whole, &result);
	ok(whole, "a decoder answers");
	g_string_free(text, TRUE);
	pid = d.pid;
	is_int(kill(pid, sig), 0, "it gets signal %d", sig);
	if (sig == SIGSTOP)
		vtm_decode_within(&d, 300);
	text = text_of_archive(&d, zip, &limits, &whole, &result);
	ok(!whole && !text->len, "the next part is not decoded");
	g_string_free(text, TRUE);
	ok(strstr(last_warning, why) != NULL, "... which is logged: %s", last_warning);
	ok(gone(pid), "... and the process is no more");
	d.left_ms = VTM_DECODE_MESSAGE_MS;
	text = text_of_archive(&d, zip, &limits, &whole, &result);
	ok(whole && result == VTM_ARCHIVE_READ && text->len, "the one after that is");
	g_string_free(text, TRUE);
	ok(d.pid != pid, "... by another one");
	vtm_decode_end(&d);
	vtm_decoders_counts(pool, &after);
	is_int((gint64)(after.undecoded[as] - before.undecoded[as]), 1, "one part was not decoded: %s", vtm_undecoded_name(as));
	is_int((gint64)(after.decoded[VTM_DECODER_ARCHIVE] - before.decoded[VTM_DECODER_ARCHIVE]), 2, "two were");
	is_int((gint64)(after.started - before.started), 2, "two decoders were started");
	is_int(after.busy, 0, "none is taken");
	g_byte_array_unref(zip);
}

static void endless_failures(struct vtm_decoders *pool)
{
	GByteArray *zip = zip_of("a", "abc", 3, 1);
	struct vtm_decoders_counts before, after;
	enum vtm_archive_result result;
	struct vtm_decoding d;
	GString *text;
	bool whole;

	vtm_decoders_counts(pool, &before);
	vtm_decode_begin(&d, pool);
	for (int i = 0; i < 10; i++) {
		struct vtm_archive_limits limits = plenty;

		text = text_of_archive(&d, zip, &limits, &whole, &result);
		g_string_free(text, TRUE);
		if (d.fd < 0)
			continue;
		kill(d.pid, SIGKILL);
		text = text_of_archive(&d, zip, &limits, &whole, &result);
		g_string_free(text, TRUE);
	}
	vtm_decode_end(&d);
	vtm_decoders_counts(pool, &after);
	is_int((gint64)(after.started - before.started), VTM_DECODE_FAILURES_MAX, "a message costs so many decoders at most");
	g_byte_array_unref(zip);
}

/* A message of <net> whose decoder hangs while it decodes, in a thread of its own. */
struct hanging {
	struct vtm_decoding d;
	const GByteArray *zip;
	GThread *thread;
	bool whole;
};

static gpointer decode_in_vain(gpointer arg)
{
	struct hanging *h = arg;
	struct vtm_archive_limits limits = plenty;
	enum vtm_archive_result result;

	g_string_free(text_of_archive(&h->d, h->zip, &limits, &h->whole, &result), TRUE);
	return NULL;
}

static bool decodes(struct vtm_decoding *d, const GByteArray *zip)
{
	struct vtm_archive_limits limits = plenty;
	enum vtm_archive_result result;
	bool whole;

	g_string_free(text_of_archive(d, zip, &limits, &whole, &result), TRUE);
	return whole;
}

static void begin_to_hang(struct hanging *h, struct vtm_decoders *pool, const char *net, const GByteArray *zip)
{
	vtm_decode_begin(&h->d, pool);
	vtm_decode_for(&h->d, net, NULL);
	h->zip = zip;
	ok(decodes(&h->d, zip), "a decoder for %s", net);
	kill(h->d.pid, SIGSTOP);
	h->thread = g_thread_new("hanging", decode_in_vain, h);
}

static void end_to_hang(struct hanging *h)
{
	kill(h->d.pid, SIGKILL);
	g_thread_join(h->thread);
	ok(!h->whole, "what hung was not decoded");
	vtm_decode_end(&h->d);
}

static bool decodes_for(struct vtm_decoders *pool, const char *net, const GByteArray *zip)
{
	struct vtm_decoding d;
	bool whole;

	vtm_decode_begin(&d, pool);
	vtm_decode_for(&d, net, NULL);
	whole = decodes(&d, zip);
	vtm_decode_end(&d);
	return whole;
}

static void wait_for_busy(struct vtm_decoders *pool, unsigned n)
{
	struct vtm_decoders_counts counts = { .busy = 0 };

	for (int i = 0; i < 1000 && counts.busy != n; i++) {
		g_usleep(10000);
		vtm_decoders_counts(pool, &counts);
	}
	is_int(counts.busy, n, "%u decodes at a time", n);
}

/* One place, and one for what takes long. */
static void places(void)
{
	struct vtm_decoders *pool = start(1, 10000, NULL);
	GByteArray *zip = zip_of("a", "abc", 3, 1);
	struct hanging one, two;
	struct vtm_decoding d;

	vtm_decode_begin(&d, pool);
	ok(decodes(&d, zip) && decodes_for(pool, "a", zip), "between its parts a message holds no place");
	ok(decodes(&d, zip), "... and goes on with the decoder it has");
	vtm_decode_end(&d);
	begin_to_hang(&one, pool, "a", zip);
	wait_for_busy(pool, 1);
	ok(decodes_for(pool, "a", zip), "a decode that takes long makes way");
	begin_to_hang(&two, pool, "a", zip);
	wait_for_busy(pool, 2);
	vtm_decode_begin(&d, pool);
	vtm_decode_within(&d, 300);
	ok(!decodes(&d, zip), "where all places are taken, a message waits no longer than it may");
	ok(strstr(last_warning, "no decoder became free") != NULL, "... which is logged: %s", last_warning);
	end_to_hang(&one);
	end_to_hang(&two);
	d.left_ms = VTM_DECODE_MESSAGE_MS;
	ok(decodes(&d, zip), "and then has one");
	vtm_decode_end(&d);
	vtm_decoders_stop(pool);
	g_byte_array_unref(zip);
}

/* Of two places and two more, one network has half. */
static void fair_places(void)
{
	struct vtm_decoders *pool = start(2, 10000, NULL);
	GByteArray *zip = zip_of("a", "abc", 3, 1);
	struct hanging one, two;
	struct vtm_decoding d;

	begin_to_hang(&one, pool, "a", zip);
	begin_to_hang(&two, pool, "a", zip);
	wait_for_busy(pool, 2);
	vtm_decode_begin(&d, pool);
	vtm_decode_for(&d, "a", NULL);
	vtm_decode_within(&d, 1000);
	ok(!decodes(&d, zip), "a network that has half of the places has no more");
	vtm_decode_end(&d);
	ok(decodes_for(pool, "b", zip), "while another has them");
	end_to_hang(&one);
	end_to_hang(&two);
	vtm_decoders_stop(pool);
	g_byte_array_unref(zip);
}

/* More messages than may keep a decoder between their parts. */
static void idle_decoders(void)
{
	struct vtm_decoders *pool = start(2, 10000, NULL);
	GByteArray *zip = zip_of("a", "abc", 3, 1);
	struct vtm_decoding d[VTM_DECODERS_IDLE_MAX + 1];
	unsigned kept = 0;

	for (unsigned i = 0; i < G_N_ELEMENTS(d); i++) {
		vtm_decode_begin(&d[i], pool);
		decodes(&d[i], zip);
		kept += d[i].fd >= 0;
	}
	is_int(kept, VTM_DECODERS_IDLE_MAX, "so many decoders wait for the next part of their message");
	ok(decodes(&d[VTM_DECODERS_IDLE_MAX], zip), "the message without one starts another");
	for (unsigned i = 0; i < G_N_ELEMENTS(d); i++)
		vtm_decode_end(&d[i]);
	vtm_decoders_stop(pool);
	g_byte_array_unref(zip);
}

/* ---- memory ---- */

static void ignore_member(const struct vtm_member *m, void *arg)
{
	(void)m;
	(void)arg;
}

static void too_large(struct vtm_decoders *pool)
{
	struct vtm_archive_limits limits = plenty;
	enum vtm_archive_result result;
	struct vtm_decoding d;
	size_t len = VTM_DECODE_INPUT_MAX + 1;
	char *zeros = mmap(NULL, len, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	vtm_decode_begin(&d, pool);
	ok(!vtm_decode_archive(&d, zeros, len, &limits, ignore_member, NULL, &result), "a part larger than any is not decoded");
	ok(d.fd < 0, "... and takes no decoder");
	vtm_decode_end(&d);
	munmap(zeros, len);
}

#if !defined(VTM_SANITIZED)
/* An xz stream whose header asks for a dictionary of 768 MiB (The .xz File Format, section 5.3.1). */
static void greedy(struct vtm_decoders *pool)
{
	static const char bomb[] =
		"\xfd\x37\x7a\x58\x5a\x00\x00\x01\x69\x22\xde\x36\x02\x00\x21\x01\x23\x00\x00\x00\xe7\x27\x10\x64"
		"\xe0\x00\x47\x00\x1f\x5d\x00\x34\x1d\x2c\xe0\x3a\x09\x5a\x06\xed\x7c\x4f\xe6\x1b\x57\x8a\x2c\x06"
		"\x87\x6f\x4c\x68\xb4\x77\x29\x3e\x3f\x88\x6c\xf4\x00\x00\x00\x00\xab\x4c\x26\xec\x00\x01\x37\x48"
		"\xbd\xdc\x86\xc8\x90\x42\x99\x0d\x01\x00\x00\x00\x00\x01\x59\x5a";
	struct vtm_archive_limits limits = plenty;
	GByteArray *zip = zip_of("a", "abc", 3, 1);
	enum vtm_archive_result result;
	struct vtm_decoding d;
	GString *text;
	bool whole;

	is_int(vtm_archive_walk(bomb, sizeof(bomb) - 1, &limits, ignore_member, NULL), VTM_ARCHIVE_READ, "a bomb that can be read");
	vtm_decode_begin(&d, pool);
	whole = vtm_decode_archive(&d, bomb, sizeof(bomb) - 1, &limits, ignore_member, NULL, &result);
	ok(!whole || result == VTM_ARCHIVE_BROKEN, "more memory than there may be: not decoded");
	vtm_decode_end(&d);
	vtm_decode_begin(&d, pool);
	text = text_of_archive(&d, zip, &limits, &whole, &result);
	ok(whole, "the next message is");
	g_string_free(text, TRUE);
	vtm_decode_end(&d);
	g_byte_array_unref(zip);
}
#endif

/* ---- what a decoder cannot do ---- */

typedef long attempt(void);

static long try_open(void) { return open("/dev/null", O_RDONLY | O_CLOEXEC); }
static long try_socket(void) { return socket(AF_UNIX, SOCK_STREAM, 0); }
static long try_fork(void) { return fork(); }
static long try_kill(void) { return kill(getppid(), 0); }
static long try_exec(void) { return execl("/bin/true", "true", (char *)NULL); }
static long try_read_other(void) { char c; return read(STDIN_FILENO, &c, 1); }
static long try_write_other(void) { return write(STDOUT_FILENO, "x", 1); }
static long try_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}
static long try_alarm(void)
{
	const struct itimerval never = { .it_value = { 0, 0 } };

	return setitimer(ITIMER_REAL, &never, NULL);
}
static long try_dup(void) { return dup(VTM_DECODER_FD); }
static long try_limit(void)
{
	struct rlimit r = { 1, 1 };

	return setrlimit(RLIMIT_CPU, &r);
}
#if !defined(VTM_SANITIZED)
static long try_memory(void)
{
	return mmap(NULL, 2 * (size_t)VTM_DECODE_MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}
#endif
static long try_nothing(void) { return 0; }

#define NOT_CONFINED 99

/* 0: it works there, 1: it does not. */
static int when_confined(attempt *what)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		if (vtm_decode_confine())
			_exit(NOT_CONFINED);
		_exit(what() < 0);
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void confinement(void)
{
	static const struct { const char *name; attempt *what; int want; } cases[] = {
		{ "nothing", try_nothing, 0 }, { "open a file", try_open, 1 }, { "make a socket", try_socket, 1 },
		{ "fork", try_fork, 1 }, { "signal others", try_kill, 1 }, { "run a program", try_exec, 1 },
		{ "read from others", try_read_other, 1 }, { "write to others", try_write_other, 1 },
		{ "make code", try_code, 1 }, { "live on", try_alarm, 1 }, { "have more descriptors", try_dup, 1 },
#if !defined(VTM_SANITIZED)
		{ "change limits", try_limit, 1 }, { "have more memory", try_memory, 1 },
#endif
	};

#if defined(VTM_SANITIZED)
	(void)try_limit;
#endif
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		is_int(when_confined(cases[i].what), cases[i].want, "confined: %s", cases[i].name);
}

/* ---- false decoders ---- */

/* Takes one descriptor from the program. */
static int take_descriptor(void)
{
	struct vtm_spawner_message m;
	struct iovec io = { &m, sizeof(m) };
	union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int))]; } control;
	struct msghdr message = {
		.msg_iov = &io, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof(control.room),
	};
	int fd;

	do
		if (recvmsg(VTM_DECODER_FD, &message, 0) <= 0)
			_exit(0);
	while (m.word != VTM_SPAWN);
	if (!CMSG_FIRSTHDR(&message))
		_exit(1);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

static int false_fd;

static bool put(void *arg, const void *from, size_t n)
{
	(void)arg;
	return write(false_fd, from, n) == (ssize_t)n;
}

static const char *const lies[] = {
	"silent", "no hello", "closed", "nonsense", "endless", "huge", "negative", "not UTF-8", "a NUL in a name",
	"too long a name", "a result that is none", "too many", "not what it was asked", "half a frame", "hello again",
};

static void lie(const char *how)
{
	struct vtm_frame f = { .magic = VTM_WIRE_FRAME, .type = VTM_FRAME_FOUND, .named = 1, .name_len = 3, .kept = 1, .size = 3 };
	static const char junk[512] = "GET / HTTP/1.0\r\n\r\n";

	if (!strcmp(how, "silent"))
		return;
	if (!strcmp(how, "no hello")) {
		put(NULL, junk, sizeof(junk));
		return;
	}
	vtm_wire_write_hello(0x7ffffff0, put, NULL);	/* nobody's number */
	if (!strcmp(how, "closed")) {
		close(false_fd);
		return;
	}
	if (!strcmp(how, "nonsense"))
		put(NULL, junk, sizeof(junk));
	else if (!strcmp(how, "hello again"))
		vtm_wire_write_hello(2, put, NULL);
	else if (!strcmp(how, "half a frame"))
		put(NULL, &f, sizeof(f) / 2);
	else if (!strcmp(how, "a result that is none"))
		vtm_wire_write_end(VTM_ARCHIVE_CAPPED + 1, 0, 0, put, NULL);
	else if (!strcmp(how, "endless"))
		while (vtm_wire_write_found(0, "x", "abc", 3, NULL, put, NULL))
			;
	else if (!strcmp(how, "too many"))
		for (int i = 0; i < 201; i++)
			vtm_wire_write_found(0, "x", "abc", 3, NULL, put, NULL);
	else if (!strcmp(how, "not what it was asked"))
		vtm_wire_write_found(VTM_TNEF_TEXT, "x", "abc", 3, NULL, put, NULL);
	else {
		if (!strcmp(how, "huge"))
			f.size = (uint64_t)1 << 40;
		else if (!strcmp(how, "negative"))
			f.size = UINT64_MAX;
		else if (!strcmp(how, "too long a name"))
			f.name_len = VTM_WIRE_NAME_MAX + 1;
		put(NULL, &f, sizeof(f));
		put(NULL, !strcmp(how, "a NUL in a name") ? "a\0b" : !strcmp(how, "not UTF-8") ? "\xff\xfe\xfd" : "abc", 3);
		put(NULL, "abc", 3);
	}
}

static void be_false(const char *how) G_GNUC_NORETURN;
static void be_false(const char *how)
{
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		false_fd = take_descriptor();
		lie(how);
		if (strcmp(how, "silent") && strcmp(how, "half a frame"))
			close(false_fd);	/* else it is kept, and nobody hears more */
	}
}

static void false_decoders(void)
{
	GByteArray *zip = zip_of("a", "abc", 3, 1);

	for (size_t i = 0; i < G_N_ELEMENTS(lies); i++) {
		char *const argv[] = { self_path, (char *)(uintptr_t)"--false", (char *)(uintptr_t)lies[i], NULL };
		struct vtm_decoders *pool = start(1, 500, argv);
		struct vtm_archive_limits limits = plenty;
		enum vtm_archive_result result;
		struct vtm_decoding d;
		bool whole;

		vtm_decode_begin(&d, pool);
		if (i > 0)
			d.left_ms = VTM_DECODE_MESSAGE_MS;	/* "half a frame" takes its 10 s otherwise */
		if (!strcmp(lies[i], "half a frame"))
			d.left_ms = 500;
		g_string_free(text_of_archive(&d, zip, &limits, &whole, &result), TRUE);
		ok(!whole, "a decoder that answers %s is not believed", lies[i]);
		is_int(d.fd, -1, "... and let go");
		vtm_decode_end(&d);
		vtm_decoders_stop(pool);
	}
	g_byte_array_unref(zip);
}

/* ---- the spawner ---- */

/* The process whose parent is <parent>; 0: none. */
static pid_t child_of(pid_t parent)
{
	char *path = g_strdup_printf("/proc/%d/task/%d/children", (int)parent, (int)parent), *text = NULL;
	pid_t pid = 0;

	if (g_file_get_contents(path, &text, NULL, NULL))
		pid = (pid_t)g_ascii_strtoll(text, NULL, 10);
	g_free(text);
	g_free(path);
	return pid;
}

static pid_t wait_child_of(pid_t parent, pid_t other_than)
{
	pid_t pid = 0;

	for (int i = 0; i < 1000 && (pid == 0 || pid == other_than); i++) {
		pid = child_of(parent);
		g_usleep(10000);
	}
	return pid;
}

static void spawner_dies(void)
{
	struct vtm_decoders *pool = start(2, VTM_DECODE_MESSAGE_MS, NULL);
	GByteArray *zip = zip_of("a", "abc", 3, 1);
	pid_t keeper = wait_child_of(getpid(), 0), spawner = wait_child_of(keeper, 0);
	char *text = archive_text(pool, zip, plenty);

	ok(strstr(text, "whole") != NULL, "a keeper %d, a spawner %d", (int)keeper, (int)spawner);
	g_free(text);
	kill(spawner, SIGKILL);
	ok(wait_child_of(keeper, spawner) > 0, "a spawner that was killed is started again");
	text = archive_text(pool, zip, plenty);
	ok(strstr(text, "whole") != NULL, "... and of use: %s", text);
	g_free(text);
	spawner = child_of(keeper);
	kill(keeper, SIGKILL);
	ok(gone(spawner), "without the keeper there is no spawner");
	text = archive_text(pool, zip, plenty);
	ok(strstr(text, "failed") != NULL, "... and nothing is decoded");
	g_free(text);
	vtm_decoders_stop(pool);
	g_byte_array_unref(zip);
}

#if !defined(VTM_SANITIZED)
/* A decoder or a spawner that the system does not start (t/standin/faults.c). */
static void no_process(void)
{
	char *library = g_strdup_printf("LD_PRELOAD=%.*s../standin/libfaults.so", (int)(strrchr(self_path, '/') + 1 - self_path), self_path);
	char *file = NULL, *setting, *text;
	int32_t none[7] = { 0 }, eagain = EAGAIN;
	const off_t fork_errno = 4 * sizeof(eagain);
	int fd = g_file_open_tmp("vtm-faults-XXXXXX", &file, NULL);
	GByteArray *zip = zip_of("a", "abc", 3, 1);
	struct vtm_decoders *pool;
	pid_t keeper, spawner;

	setting = g_strconcat("VTM_FAULTS=", file, NULL);
	char *const argv[] = {
		(char *)(uintptr_t)"/usr/bin/env", library, setting, self_path, (char *)(uintptr_t)VTM_KEEPER_ARGUMENT, NULL
	};
	g_assert(pwrite(fd, none, sizeof(none), 0) == sizeof(none));
	pool = start(2, 2000, argv);
	keeper = wait_child_of(getpid(), 0);
	spawner = wait_child_of(keeper, 0);
	text = archive_text(pool, zip, plenty);
	ok(strstr(text, "whole") != NULL, "decoders can be started: %s", text);
	g_free(text);
	g_assert(pwrite(fd, &eagain, sizeof(eagain), fork_errno) == sizeof(eagain));
	text = archive_text(pool, zip, plenty);
	ok(strstr(text, "failed") != NULL, "they cannot: %s", text);
	g_free(text);
	kill(spawner, SIGKILL);
	text = archive_text(pool, zip, plenty);
	ok(strstr(text, "failed") != NULL, "nor can a spawner: %s", text);
	g_free(text);
	g_assert(pwrite(fd, none, sizeof(none), 0) == sizeof(none));
	ok(wait_child_of(keeper, spawner) > 0, "a spawner is started when there is room again");
	text = archive_text(pool, zip, plenty);
	ok(strstr(text, "whole") != NULL, "... and decoders: %s", text);
	g_free(text);
	vtm_decoders_stop(pool);
	close(fd);
	unlink(file);
	g_free(file);
	g_free(setting);
	g_free(library);
	g_byte_array_unref(zip);
}
#endif

/* A program that is killed leaves nobody behind. */
static void program_dies(void)
{
	int ends[2];
	pid_t pids[3] = { 0 }, child;

	g_assert(pipe(ends) == 0);
	child = fork();
	if (child == 0) {
		struct vtm_decoders *pool = start(2, VTM_DECODE_MESSAGE_MS, NULL);
		GByteArray *zip = zip_of("a", "abc", 3, 1);
		struct vtm_archive_limits limits = plenty;
		enum vtm_archive_result result;
		struct vtm_decoding d;
		bool whole;

		vtm_decode_begin(&d, pool);
		g_string_free(text_of_archive(&d, zip, &limits, &whole, &result), TRUE);
		pids[0] = child_of(getpid());
		pids[1] = child_of(pids[0]);
		pids[2] = d.pid;
		kill(pids[2], SIGSTOP);		/* it will not read the end of its socket */
		if (write(ends[1], pids, sizeof(pids)) != sizeof(pids))
			_exit(1);
		pause();
		_exit(0);
	}
	close(ends[1]);
	ok(read(ends[0], pids, sizeof(pids)) == sizeof(pids) && pids[0] > 1 && pids[1] > 1 && pids[2] > 1,
	   "keeper, spawner, decoder: %d %d %d", (int)pids[0], (int)pids[1], (int)pids[2]);
	close(ends[0]);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	for (int i = 0; i < 3; i++)
		ok(pids[i] > 1 && gone(pids[i]), "after kill -9 of the program process %d is gone", (int)pids[i]);
}

/* ---- a message ---- */

static void message(struct vtm_decoders *pool)
{
	GByteArray *inner = zip_of("x.exe", "MZ", 2, 1), *zip = zip_of("in.zip", inner->data, inner->len, 1);
	char *base64 = g_base64_encode(zip->data, zip->len);
	char *mail = g_strconcat("From: a@example.com\r\nMIME-Version: 1.0\r\nContent-Type: application/zip; name=a.zip\r\n"
				 "Content-Transfer-Encoding: base64\r\n\r\n", base64, "\r\n", NULL);
	struct vtm_extract_settings s;

	vtm_extract_defaults(&s);
	for (int i = 0; i < 2; i++) {
		struct vtm_spool *spool = vtm_spool_new(g_get_tmp_dir(), 0);
		struct vtm_items *items;

		s.decoders = i ? pool : NULL;
		vtm_spool_add(spool, mail, strlen(mail), NULL);
		items = vtm_extract(spool, &s, NULL);
		is_int(items->list->len, 3, "three files %s", i ? "from a decoder" : "here");
		ok(!items->undecoded, "nothing left out");
		vtm_items_free(items);
		vtm_spool_free(spool);
	}
	g_free(mail);
	g_free(base64);
	g_byte_array_unref(inner);
	g_byte_array_unref(zip);
}

static guint descriptors_open(void)
{
	guint n = 0;
	GDir *dir = g_dir_open("/proc/self/fd", 0, NULL);

	while (g_dir_read_name(dir))
		n++;
	g_dir_close(dir);
	return n;
}

int main(int argc, char **argv)
{
	struct vtm_decoders *pool;
	guint descriptors;

	if (vtm_decoder_asked(argc, argv))
		_exit(vtm_decoder_run());
	if (argc == 3 && !strcmp(argv[1], "--false"))
		be_false(argv[2]);
	self_path = g_file_read_link("/proc/self/exe", NULL);
	vtm_log_set_sink(count_warnings, NULL);
	descriptors = descriptors_open();
	pool = start(VTM_DECODERS_MAX, VTM_DECODE_MESSAGE_MS, NULL);
	archives(pool);
	tnefs(pool);
	pdfs(pool);
	smimes(pool);
	message(pool);
	hit(pool, SIGKILL, "ended before its time");
	hit(pool, SIGSEGV, "ended before its time");
	hit(pool, SIGSTOP, "took too long");
	endless_failures(pool);
	too_large(pool);
#if !defined(VTM_SANITIZED)
	greedy(pool);
#endif
	places();
	fair_places();
	idle_decoders();
	confinement();
	false_decoders();
	vtm_decoders_stop(pool);
	spawner_dies();
#if !defined(VTM_SANITIZED)
	no_process();
#endif
	program_dies();
	is_int(descriptors_open(), descriptors, "no descriptor is left over");
	g_free(self_path);
	return done_testing();
}
