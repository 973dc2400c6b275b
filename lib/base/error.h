/* SPDX-License-Identifier: BSD-2-Clause */
/* error.h - error values shared by all of libvtmilter.
 *
 * A function that can fail says so in its return value and, where a person
 * has to read why, fills a GError of the domain VTM_ERROR.  Nothing in lib/
 * logs an error that it also returns: the caller that handles it logs it, once.
 *
 * Look-ups are three-way: 1 found, 0 not found, -1 failed (error set).
 */
#ifndef VTM_ERROR_H
#define VTM_ERROR_H

#include <glib.h>

#define VTM_ERROR vtm_error_quark()

enum vtm_error {
	VTM_ERROR_CONFIG,	/* the administrator's input is wrong; the text names file, line, remedy */
	VTM_ERROR_IO,		/* a file, socket or disk failed */
	VTM_ERROR_STORE,	/* the store failed or cannot be reached */
	VTM_ERROR_FORMAT,	/* bytes from outside do not have the form they should have */
	VTM_ERROR_LIMIT,	/* a stated bound was reached */
	VTM_ERROR_BUSY,		/* try again later (locked, budget) */
	VTM_ERROR_NOT_BUILT,	/* asked for something this build does not have */
	VTM_ERROR_BUDGET_LOST	/* the store forgot what was spent (store.h) */
};

/* The domain.  Any thread. */
GQuark vtm_error_quark(void);

#endif
