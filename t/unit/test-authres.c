/* SPDX-License-Identifier: BSD-2-Clause */
/* test-authres.c - whose Authentication-Results say what. */
#include "mail/authres.h"

#include "tap.h"

static const struct {
	const char *value;
	bool ours, pass;
} cases[] = {
	{ "mx.example.org; dmarc=pass (p=none dis=none) header.from=example.com", true, true },
	{ "MX.Example.ORG 1; spf=fail smtp.mailfrom=x.org;\tDMARC=Pass header.From=EXAMPLE.com", true, true },
	{ "(c) mx.example.org; dmarc = pass header.from = example.com", true, true },
	{ "\"mx.example.org\"; dmarc=pass reason=\"a; b\" header.from=example.com", true, true },
	{ "mx.example.org; dkim=pass header.d=x; dmarc=pass header.from=example.com; arc=none", true, true },
	{ "mx.example.org; none", true, false },
	{ "mx.example.org", true, false },
	{ "mx.example.org; dmarc=fail header.from=example.com", true, false },
	{ "mx.example.org; dmarc=pass header.from=example.com.evil.org", true, false },
	{ "mx.example.org; dmarc=pass header.from=sub.example.com", true, false },
	{ "mx.example.org; dmarc=pass header.from=x.org; spf=pass header.from=example.com", true, false },
	{ "mx.example.org; dmarc=passed header.from=example.com", true, false },
	{ "mx.example.org; spf=none reason=\"; dmarc=pass header.from=example.com\"", true, false },
	{ "mx.example.org; spf=none (; dmarc=pass header.from=example.com)", true, false },
	{ "mx.example.org; spf=none (\\); dmarc=pass header.from=example.com)", true, false },
	{ "mx.example.org; x-dmarc=pass header.from=example.com", true, false },
	{ "mx.example.org.evil.org; dmarc=pass header.from=example.com", false, true },
	{ "other (mx.example.org); dmarc=fail", false, false },
	{ "dmarc=pass header.from=example.com", false, false },
	{ "", false, false },
	{ ";;;;\"", false, false },
};

static const struct {
	const char *value;
	bool pass;
} senders[] = {
	{ "mx; spf=pass smtp.mailfrom=example.com", true },
	{ "mx; spf=pass (sender is known) smtp.mailfrom=a.b@Example.com; dkim=none", true },
	{ "mx; dkim=pass header.d=example.com header.i=@x.org", true },
	{ "mx; dkim=fail header.d=example.com; dkim=pass header.d=example.com", true },
	{ "mx; dmarc=pass header.from=example.com", true },
	{ "mx; spf=softfail smtp.mailfrom=example.com", false },
	{ "mx; spf=pass smtp.mailfrom=x.org; dkim=none header.d=example.com", false },
	{ "mx; spf=pass smtp.mailfrom=example.com@x.org", false },
	{ "mx; spf=pass smtp.mailfrom=sub.example.com", false },
	{ "mx; spf=pass smtp.helo=example.com", false },
	{ "mx; dkim=pass header.i=@example.com", false },
	{ "mx; dkim=pass header.d=x.org reason=\"; spf=pass smtp.mailfrom=example.com\"", false },
	{ "mx", false },
};

int main(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		ok(vtm_authres_is(cases[i].value, "mx.Example.org") == cases[i].ours, "%s: %s", cases[i].value,
		   cases[i].ours ? "ours" : "not ours");
		ok(vtm_authres_dmarc_pass(cases[i].value, "example.com") == cases[i].pass, "%s: %s", cases[i].value,
		   cases[i].pass ? "passed" : "did not pass");
	}
	for (size_t i = 0; i < G_N_ELEMENTS(senders); i++)
		ok(vtm_authres_sender_pass(senders[i].value, "example.com") == senders[i].pass, "sender: %s: %s",
		   senders[i].value, senders[i].pass ? "genuine" : "not said to be");
	return done_testing();
}
