/* SPDX-License-Identifier: BSD-2-Clause */
/* error.h - the error codes of lib/ and milter/.
 *
 * A function that can fail reports it by its return value and, if a person should read the reason, by a GError of the
 * domain VTM_ERROR.  It does not log an error that it returns: the caller that handles the error logs it, once.
 *
 * Searches return 1 if they found something, 0 if not, and -1 with an error set if they failed.
 */
#ifndef VTM_ERROR_H
#define VTM_ERROR_H

#include <glib.h>

#define VTM_ERROR vtm_error_quark()

enum vtm_error {
	VTM_ERROR_CONFIG,	/* the configuration is wrong; the text names file, line and remedy */
	VTM_ERROR_IO,		/* a file, socket or disk failed */
	VTM_ERROR_STORE,	/* the store failed or cannot be reached */
	VTM_ERROR_FORMAT,	/* data from outside is malformed */
	VTM_ERROR_LIMIT,	/* a documented limit was reached */
	VTM_ERROR_BUSY,		/* try again later (locked, budget) */
	VTM_ERROR_NOT_BUILT,	/* this build does not have the feature */
	VTM_ERROR_BUDGET_LOST	/* the store lost the count of used requests (store.h) */
};

/* The error domain.  Any thread. */
GQuark vtm_error_quark(void);

#endif
