/* SPDX-License-Identifier: BSD-2-Clause */
/* features.c - copies of features. */
#include "risk/features.h"

#include <glib.h>
#include <string.h>

void vtm_item_features_copy(struct vtm_item_features *to, const struct vtm_item_features *from)
{
	*to = *from;
	to->group = g_strdup(from->group);
}

void vtm_item_features_clear(struct vtm_item_features *f)
{
	g_free(f->group);
	memset(f, 0, sizeof(*f));
}

void vtm_message_features_copy(struct vtm_message_features *to, const struct vtm_message_features *from)
{
	*to = *from;
	to->from_domain = g_strdup(from->from_domain);
	to->network = g_strdup(from->network);
}

void vtm_message_features_clear(struct vtm_message_features *f)
{
	g_free(f->from_domain);
	g_free(f->network);
	memset(f, 0, sizeof(*f));
}
