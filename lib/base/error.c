/* SPDX-License-Identifier: BSD-2-Clause */
/* error.c - the error domain. */
#include "base/error.h"

G_DEFINE_QUARK(vtmilter, vtm_error)
