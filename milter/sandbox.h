/* SPDX-License-Identifier: BSD-2-Clause */
/* sandbox.h - drops capabilities and system calls that the daemon does not need any more.
 *
 * Call them after everything that needs a privilege, and before there are threads, which inherit the result.
 */
#ifndef VTM_SANDBOX_H
#define VTM_SANDBOX_H

#include <glib.h>
#include <stdbool.h>

/* Drops all capabilities.  A process that stays root keeps access to other users' files (CAP_DAC_OVERRIDE, CAP_FOWNER),
 * and with <may_exec> all capabilities, for the programs that it runs.  -1: VTM_ERROR_IO. */
int vtm_sandbox_capabilities(bool may_exec, GError **error);

/* Makes the system calls in the lists of sandbox.c fail with EPERM.  Unless <may_exec>, they include those that run
 * programs or change the user.  -1: VTM_ERROR_NOT_BUILT, because the kernel has no filter; nothing was changed. */
int vtm_sandbox_syscalls(bool may_exec, GError **error);

#endif
