/* SPDX-License-Identifier: BSD-2-Clause */
/* error.c - the error domain. */
#include "error.h"

G_DEFINE_QUARK(vtmilter, vtm_error)
