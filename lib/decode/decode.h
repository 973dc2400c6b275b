/* SPDX-License-Identifier: BSD-2-Clause */
/* decode.h - what is inside of a part, found out where it can do no harm.  Composite: archive, pdf, tnef, smime.
 *
 * Archives, PDF, TNEF and S/MIME are read by decoders that hostile bytes may crash, take over, or keep busy.  So they
 * run in processes of their own, one a message, which can read the part, compute, and write what they found, and
 * nothing else (decode-confine.c).  This is the only module that knows about them; to its callers the functions below
 * are those of the leaves with one more result: nobody decoded it.
 *
 *	program ── keeper ── spawner ── decoder		one a message that has such a part, for as long as it is read
 *					decoder		...
 *
 * The keeper is this program, run afresh before there are threads, so it has none of its memory (the key) and other
 * addresses; it starts a spawner again that died, with a pause that grows.  The spawner forks decoders, being told to
 * by the program over a socket, and kills them.  All end with the program, however that ends.
 *
 * A decode has one of the places while it lasts, not while the rest of the message is read; one client network has at
 * most half of them (share.h).  A decode that takes long moves to places for such, so that a zip of everyday mail waits
 * for half a second at most, whatever else is being decoded.
 *
 * Bounds: decodes at a time, and for each message time, memory, processor time and what it may answer; see below.
 */
#ifndef VTM_DECODE_H
#define VTM_DECODE_H

#include <glib.h>

#include "decode/archive.h"
#include "base/clock.h"
#include "decode/pdf.h"
#include "decode/smime.h"
#include "decode/tnef.h"

#define VTM_DECODERS_MAX 4			/* decodes at a time, and as many again that take long; others wait */
#define VTM_DECODE_QUICK_MS 500			/* a decode that is older takes long */
#define VTM_DECODERS_IDLE_MAX 16		/* decoders that wait for the next part of their message */
#define VTM_DECODE_MESSAGE_MS 10000		/* for all parts of a message, waiting for a decoder included */
#define VTM_DECODE_CPU_S 10			/* of it, processor time */
#define VTM_DECODE_MEMORY (320u * 1024 * 1024)	/* of a decoder, besides the program itself */
#define VTM_DECODE_INPUT_MAX (64u * 1024 * 1024)/* bytes of a part */
#define VTM_DECODE_FAILURES_MAX 3		/* decoders that one message may cost */

/* ---- the processes ---- */

struct vtm_decoders;

struct vtm_decoders_settings {		/* borrowed during a call, but for the clock */
	const struct vtm_clock *clock;
	unsigned max;
	int64_t message_ms;
	char *const *argv;		/* the keeper; NULL: this program, whose main() begins with vtm_decoder_asked() */
};

enum vtm_decoder { VTM_DECODER_ARCHIVE, VTM_DECODER_TNEF, VTM_DECODER_SMIME, VTM_DECODER_PDF };
#define VTM_DECODERS (VTM_DECODER_PDF + 1)
const char *vtm_decoder_name(enum vtm_decoder d);	/* "archive" */

/* Why a part was not decoded. */
enum vtm_undecoded {
	VTM_UNDECODED_TIME,		/* its decoder took too long */
	VTM_UNDECODED_CRASHED,		/* its decoder ended before its time */
	VTM_UNDECODED_NONSENSE,		/* its decoder's answer made none */
	VTM_UNDECODED_BUSY,		/* no decoder became free in time */
	VTM_UNDECODED_NOT_STARTED,	/* none could be started */
	VTM_UNDECODED_SHARE,		/* the message had cost VTM_DECODE_FAILURES_MAX already */
	VTM_UNDECODED_SIZE,		/* it is larger than VTM_DECODE_INPUT_MAX */
	VTM_UNDECODED_MEMORY		/* there was no memory for what was found */
};
#define VTM_UNDECODED_REASONS (VTM_UNDECODED_MEMORY + 1)
const char *vtm_undecoded_name(enum vtm_undecoded why);	/* "time", "crashed", ... */

struct vtm_decoders_counts {
	unsigned busy;			/* decodes now */
	uint64_t started;		/* decoders */
	uint64_t decoded[VTM_DECODERS];	/* parts that a decoder answered about */
	uint64_t undecoded[VTM_UNDECODED_REASONS];	/* parts that nobody decoded */
};

/* The values above, and the system's clock. */
void vtm_decoders_defaults(struct vtm_decoders_settings *s);
/* Starts the keeper.  Before there are threads, by the thread that lives longest, and before exec is given away.
 * NULL: VTM_ERROR_IO. */
struct vtm_decoders *vtm_decoders_start(const struct vtm_decoders_settings *s, GError **error);
/* Ends all processes and waits for the keeper.  When no message uses them any more.  NULL is fine. */
void vtm_decoders_stop(struct vtm_decoders *d);
/* Any thread. */
void vtm_decoders_counts(struct vtm_decoders *d, struct vtm_decoders_counts *out);

/* Was this program started as a keeper?  Then main() does nothing but _exit(vtm_decoder_run()). */
bool vtm_decoder_asked(int argc, char **argv);
int vtm_decoder_run(void);

/* ---- a message's use of them ---- */

struct vtm_decoding {			/* a value; one thread at a time */
	struct vtm_decoders *decoders;	/* NULL: everything is decoded by the caller's own process */
	/* private */
	const char *net;
	struct vtm_work *work;
	int fd;				/* to the message's decoder; -1: none yet */
	int32_t pid;
	bool idle;			/* it waits for the next part */
	int place;			/* what kind of place the decode holds, and since when */
	int64_t since_ms;
	int64_t left_ms;
	unsigned failures;
};

/* Costs nothing until there is something to decode. */
void vtm_decode_begin(struct vtm_decoding *d, struct vtm_decoders *decoders);
/* The decodes are for <net>, the message's client network (NULL: it has none), and end with <work>, which gets a look
 * during every wait; both are borrowed until the end. */
void vtm_decode_for(struct vtm_decoding *d, const char *net, struct vtm_work *work);
/* No longer than <ms> in all, if that is less than the decoders allow a message. */
void vtm_decode_within(struct vtm_decoding *d, int64_t ms);
void vtm_decode_end(struct vtm_decoding *d);

/* As the leaves' functions.  <each> is called when a decoder has told everything, and may decode again.
 * false: it died, took too long, answered nonsense, or none was to be had (logged), or there was no memory for what it
 * found; then not everything was given. */
bool vtm_decode_archive(struct vtm_decoding *d, const void *data, size_t len, struct vtm_archive_limits *limits,
			vtm_archive_each *each, void *arg, enum vtm_archive_result *result_r);
bool vtm_decode_tnef(struct vtm_decoding *d, const char *data, size_t len, vtm_tnef_each *each, void *arg,
		     int *result_r);
bool vtm_decode_pdf(struct vtm_decoding *d, const void *data, size_t len, vtm_pdf_each *each, void *arg,
		    enum vtm_pdf_result *result_r);
bool vtm_decode_smime(struct vtm_decoding *d, const void *data, size_t len, char **content_r, size_t *len_r,
		      enum vtm_smime *result_r);

#endif
