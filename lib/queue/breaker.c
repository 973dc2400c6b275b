/* SPDX-License-Identifier: BSD-2-Clause */
/* breaker.c - circuit and pauses. */
#include "queue/breaker.h"

#include <glib.h>
#include <string.h>

static const char *const circuit_names[] = {
	[VTM_CIRCUIT_CLOSED] = "closed",
	[VTM_CIRCUIT_OPEN] = "open",
	[VTM_CIRCUIT_HALF_OPEN] = "half-open",
};

void vtm_breaker_init(struct vtm_breaker *b)
{
	memset(b, 0, sizeof(*b));
}

static bool open_until(struct vtm_breaker *b, enum vtm_reason cause, int64_t until_ms)
{
	bool changed = b->state == VTM_CIRCUIT_CLOSED || b->cause != cause;

	b->state = VTM_CIRCUIT_OPEN;
	b->cause = cause;
	b->until_ms = until_ms;
	b->probing = false;
	return changed;
}

bool vtm_breaker_would_allow(const struct vtm_breaker *b, int64_t now_ms)
{
	switch (b->state) {
	case VTM_CIRCUIT_CLOSED:
		return true;
	case VTM_CIRCUIT_OPEN:
		return now_ms >= b->until_ms;
	case VTM_CIRCUIT_HALF_OPEN:
		return !b->probing;
	}
	return false;
}

bool vtm_breaker_allows(struct vtm_breaker *b, int64_t now_ms)
{
	if (!vtm_breaker_would_allow(b, now_ms))
		return false;
	if (b->state != VTM_CIRCUIT_CLOSED) {
		b->state = VTM_CIRCUIT_HALF_OPEN;
		b->probing = true;
	}
	return true;
}

bool vtm_breaker_success(struct vtm_breaker *b)
{
	bool changed = b->state != VTM_CIRCUIT_CLOSED;

	vtm_breaker_init(b);
	return changed;
}

/* <first> doubled for every one of <n> repetitions, at most <max>. */
static int64_t back_off(int64_t first, unsigned n, int64_t max)
{
	int64_t pause = first;

	while (n-- > 0 && pause < max)
		pause *= 2;
	return MIN(pause, max);
}

bool vtm_breaker_failure(struct vtm_breaker *b, int64_t now_ms)
{
	b->failures++;
	if (b->state == VTM_CIRCUIT_CLOSED && b->failures < VTM_BREAKER_FAILURES)
		return false;
	/* an answer that was under way when the circuit opened tells nothing new */
	if (b->state == VTM_CIRCUIT_OPEN)
		return false;
	return open_until(b, VTM_WHY_SERVICE,
			  now_ms + back_off(VTM_BREAKER_SERVICE_MS,
					    b->failures > VTM_BREAKER_FAILURES ? b->failures - VTM_BREAKER_FAILURES : 0,
					    VTM_BREAKER_SERVICE_MAX_MS));
}

bool vtm_breaker_denied(struct vtm_breaker *b, int64_t now_ms)
{
	return open_until(b, VTM_WHY_DENIED, now_ms + VTM_BREAKER_DENIED_MS);
}

bool vtm_breaker_quota(struct vtm_breaker *b, int64_t now_ms, int64_t retry_after_ms)
{
	int64_t pause;

	/* several requests that were under way together are one refusal */
	if (b->state != VTM_CIRCUIT_OPEN || b->cause != VTM_WHY_BUDGET)
		b->quotas++;
	if (b->quotas >= VTM_BREAKER_QUOTA_DAY)
		pause = VTM_BREAKER_QUOTA_MAX_MS;
	else
		pause = back_off(VTM_BREAKER_QUOTA_MS, b->quotas - 1, VTM_BREAKER_QUOTA_MAX_MS);
	if (retry_after_ms >= 0)
		pause = MAX(pause, MIN(retry_after_ms, VTM_RETRY_AFTER_MAX_MS));
	return open_until(b, VTM_WHY_BUDGET, now_ms + pause);
}

void vtm_breaker_retry_now(struct vtm_breaker *b)
{
	if (b->state == VTM_CIRCUIT_OPEN)
		b->until_ms = 0;	/* of the boot: long ago */
}

const char *vtm_circuit_name(enum vtm_circuit c)
{
	g_return_val_if_fail((unsigned)c < G_N_ELEMENTS(circuit_names), "open");
	return circuit_names[c];
}
