/* SPDX-License-Identifier: BSD-2-Clause */
/* callbacks.h - the functions that libmilter calls; each passes its arguments on. */
#ifndef VTM_CALLBACKS_H
#define VTM_CALLBACKS_H

/* Registers with libmilter: 0, or -1. */
int vtm_callbacks_register(void);

#endif
