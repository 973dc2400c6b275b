/* SPDX-License-Identifier: BSD-2-Clause */
/* mailbox-lines.c - see mailbox-lines.h. */
#include "ctl/mailbox-lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

struct vtm_lines {
	int fd;
	int64_t at, end;	/* the rest of the file, not yet in the window */
	size_t from, till;	/* the rest of the window, not yet returned */
	bool begins;
	char window[VTM_LINES_WINDOW];
};

struct vtm_lines *vtm_lines_new(int fd, int64_t start, int64_t end)
{
	struct vtm_lines *l = g_new(struct vtm_lines, 1);

	l->fd = fd;
	l->at = start;
	l->end = end;
	l->from = l->till = 0;
	l->begins = true;
	return l;
}

void vtm_lines_free(struct vtm_lines *l)
{
	g_free(l);
}

/* Fills the window. */
static int fill(struct vtm_lines *l, GError **error)
{
	memmove(l->window, l->window + l->from, l->till - l->from);
	l->till -= l->from;
	l->from = 0;
	while (l->at < l->end && l->till < VTM_LINES_WINDOW) {
		ssize_t n = pread(l->fd, l->window + l->till,
				  (size_t)MIN(VTM_LINES_WINDOW - (int64_t)l->till, l->end - l->at), l->at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			g_set_error_literal(error, VTM_ERROR, VTM_ERROR_FORMAT,
					    n ? g_strerror(errno) : "became shorter while it was read");
			return -1;
		}
		l->till += (size_t)n;
		l->at += n;
	}
	return 0;
}

/* The length of the first line in the window; 0: its end is not in the window. */
static size_t whole_line(const struct vtm_lines *l)
{
	const char *p = l->window + l->from, *eol = memchr(p, '\n', l->till - l->from);

	return eol ? (size_t)(eol + 1 - p) : 0;
}

int vtm_lines_next(struct vtm_lines *l, struct vtm_piece *p, GError **error)
{
	size_t n = whole_line(l);

	if (!n) {
		if (fill(l, error) < 0)
			return -1;
		n = whole_line(l);
	}
	if (!n) {
		n = l->till;
		if (n > 1 && l->at < l->end && l->window[n - 1] == '\r')
			n--;
	}
	if (!n)
		return 0;
	p->text = l->window + l->from;
	p->len = n;
	p->at = l->at - (int64_t)(l->till - l->from);
	p->begins = l->begins;
	l->begins = p->text[n - 1] == '\n';
	l->from += n;
	return 1;
}
