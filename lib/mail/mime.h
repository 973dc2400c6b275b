/* SPDX-License-Identifier: BSD-2-Clause */
/* mime.h - a message's MIME structure, walked iteratively within bounds.
 *
 * One thread a walk; walks in several threads may run at the same time.  GMime parses; transfer encodings are
 * undone here (base64.h), so that a hash is that of the bytes a mail program would save.
 */
#ifndef VTM_MIME_H
#define VTM_MIME_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/work.h"
#include "mail/spool.h"

struct vtm_mime_limits {
	unsigned max_depth;	/* levels of multipart and message: 32 */
	unsigned max_parts;	/* leaves: 1000 */
	uint64_t max_part_bytes;/* handed out for reading links and unpacking; hashing has no bound: 16 MiB */
};

enum vtm_part_kind {
	VTM_PART_TEXT,		/* text/plain body */
	VTM_PART_HTML,		/* text/html body */
	VTM_PART_ATTACHMENT,	/* everything else that is a leaf with content */
	VTM_PART_SIGNATURE,	/* of multipart/signed (detached): not an item */
	VTM_PART_ELSEWHERE	/* message/partial, message/external-body */
};

/* One leaf.  Lives during the callback only. */
struct vtm_part {
	enum vtm_part_kind kind;
	const char *type;		/* "text/html", lower case */
	const char *const *charsets;	/* labels as declared; NULL-terminated */
	const char *name;		/* UTF-8, decoded, NULL */
	const char *const *names;	/* every name that some program takes, <name> first; NULL-terminated; NULL: <name> */
	const char *const *links;	/* URLs of its header that a program fetches or opens in place of the content */
	const char *const *bases;	/* URLs that its relative links may be relative to; these two may be NULL */
	bool flowed, delsp;		/* text/plain; format=flowed; delsp=yes */
	unsigned depth;
	const char *const *via;		/* types passed, outermost first */
	unsigned group;			/* > 0: one of several readings of an ambiguous part */
	const char *note;		/* static or NULL */
	int64_t size;			/* decoded bytes */
	char sha256[65];		/* "" for a body (TEXT, HTML): it is not asked about */
	const char *content;		/* decoded; of an attachment NULL if larger than max_part_bytes, not wanted, or no
					 * memory (summary.no_memory), of a body cut there (summary.capped) */
	size_t content_len;
	bool unopened;			/* it was wanted, but is larger than max_part_bytes */
};

/* What the whole message showed. */
struct vtm_mime_summary {
	bool unparsable;		/* no header where one has to be; what is there was read as text */
	bool capped;			/* a limit was hit */
	bool no_memory;			/* for all of it: some was not given, or without its content */
	bool ambiguous;			/* other programs may read it otherwise: not every reading was given, or mime-doubt.h saw signs */
	unsigned parts, groups;		/* leaves given, readings numbered */
	char *from_domain;		/* of the only From address, A-labels; NULL: none, or several that differ; owned */
	char *message_id;		/* with brackets, NULL; owned */
	GPtrArray *auth_results;	/* of char *: values of Authentication-Results, unfolded, first first; owned */
	GPtrArray *list_unsubscribe;	/* of char *: http(s) URLs in List-Unsubscribe; owned */
};
void vtm_mime_summary_clear(struct vtm_mime_summary *s);

struct vtm_mime_reader {
	/* Called for every leaf in the order of the message. */
	void (*each)(const struct vtm_part *part, void *arg);
	/* Is the content of this attachment wanted?  <part> lacks size and hash; <head> are its first bytes. NULL:
	 * always. */
	bool (*wants)(const struct vtm_part *part, const char *head, size_t len, void *arg);
	void *arg;
	struct vtm_work *work;	/* when it ends, the walk ends; the caller asks vtm_work_over(); NULL: no bound */
};

/* Walks the spooled message, which is finished.  0, or -1 when it cannot be read (error; perhaps summary->no_memory).
 *
 * Where a message reads in more than one way, each reading is given: base64 that continues after its padding, several
 * Content-Type or Content-Transfer-Encoding fields, several boundary parameters, a multipart in an encoding, one whose
 * boundary never occurs, delimiters after the last one, a type that is not valid.  If a reading cannot be given, the
 * summary says ambiguous or capped.  All readings together take at most 4 times the work of
 * one. */
int vtm_mime_walk(struct vtm_spool *spool, const struct vtm_mime_limits *limits, const struct vtm_mime_reader *reader,
		  struct vtm_mime_summary *summary, GError **error);
/* The same for a message or entity in memory, which is borrowed. */
void vtm_mime_walk_bytes(const char *data, size_t len, const struct vtm_mime_limits *limits,
			 const struct vtm_mime_reader *reader, struct vtm_mime_summary *summary);

/* May this field of a message's own header be left out, because the walk does not read it?  Of letters
 * with twenty such fields most of the time would go into them.  Only what every reader takes for one ordinary field: a
 * name of letters, digits and "-_", no control characters, no blank line inside.  <value> has LF where it is folded.
 * Not to be left out: the first field of a message, without which it may have no header at all. */
bool vtm_mime_may_skip(const char *name, const char *value);

/* The version of GMime that is in use, such as "3.2.13", new string; is it older than another? */
char *vtm_mime_library(void);
bool vtm_mime_library_older(unsigned major, unsigned minor, unsigned micro);

#endif
