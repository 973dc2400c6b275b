/* SPDX-License-Identifier: BSD-2-Clause */
/* sandbox.h - gives away what the daemon does not need any more: capabilities and system calls.
 *
 * Called from main when everything that wants a privilege is done and before there are threads, which inherit it.
 */
#ifndef VTM_SANDBOX_H
#define VTM_SANDBOX_H

#include <glib.h>
#include <stdbool.h>

/* Gives up all capabilities.  A process that stays root keeps its access to files, which may be another user's
 * (CAP_DAC_OVERRIDE, CAP_FOWNER); with <may_exec> it keeps all, for the programs that it runs.  -1: VTM_ERROR_IO. */
int vtm_sandbox_capabilities(bool may_exec, GError **error);

/* From now on the system calls in sandbox.c's lists fail with EPERM; to run programs, and to become another user as
 * these may want to, are among them unless <may_exec>.
 * -1: VTM_ERROR_NOT_BUILT, this kernel cannot filter; nothing has changed then. */
int vtm_sandbox_syscalls(bool may_exec, GError **error);

#endif
