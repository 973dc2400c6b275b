/* SPDX-License-Identifier: BSD-2-Clause */
/* test-privacy.c - which URLs look personal. */
#include "url/privacy.h"
#include "tap.h"
#include "url/unwrap.h"

static const struct {
	const char *rule, *url;
} cases[] = {
	{ "userinfo", "https://user@example.com/" },
	{ "userinfo", "https://user:pw@example.com/a" },

	{ "unsubscribe", "https://example.com/unsubscribe" },
	{ "unsubscribe", "https://example.com/u/Unsub?x=1" },
	{ "unsubscribe", "https://example.com/emailUnsubscribe.php" },
	{ "unsubscribe", "https://example.com/list?action=opt-out&l=3" },
	{ "unsubscribe", "https://example.com/newsletter/abmelden/17" },
	{ "unsubscribe", "https://example.com/%75nsubscribe/1" },
	{ "unsubscribe", "https://example.com/email-preferences/17" },

	{ "confirm", "https://example.com/confirm/abc" },
	{ "confirm", "https://example.com/user/verify?c=123" },
	{ "confirm", "https://example.com/activate.php?id=5" },
	{ "confirm", "https://example.com/account/emailVerification/77" },
	{ NULL, "https://example.com/verify" },
	{ NULL, "https://example.com/verify/" },
	{ NULL, "https://example.com/verify/login.php" },
	{ NULL, "https://example.com/confirmed-cases-rise/?utm_source=newsletter" },
	{ NULL, "https://example.com/how-to-verify-your-email" },

	{ "reset", "https://example.com/password/reset/abc" },
	{ "reset", "https://example.com/reset?u=1" },
	{ "reset", "https://example.com/users/resetPassword/5" },
	{ NULL, "https://example.com/forgot-password" },
	{ NULL, "https://example.com/presets/17" },

	{ "invite", "https://example.com/invite/xyz" },
	{ "invite", "https://example.com/invitations/17/accept" },
	{ "invite", "https://example.com/event/RSVP?guest=3" },
	{ "login", "https://example.com/magic-link/abc" },
	{ "login", "https://example.com/autologin?u=1" },

	{ "session", "https://example.com/shop;jsessionid=1A2B3C4D" },
	{ "session", "https://example.com/?PHPSESSID=abc123" },
	{ "session", "https://example.com/?a=b&sid=0123456789" },
	{ NULL, "https://example.com/?sid=3" },

	{ "token", "https://example.com/?token=abcd" },
	{ "token", "https://example.com/a?b=c&access_token=x1y2" },
	{ "token", "https://example.com/a?key=0123456789ab" },
	{ "token", "https://bucket.s3.amazonaws.com/a.pdf?X-Amz-Signature=0a1b2c3d4e" },
	{ "token", "https://us02web.zoom.us/j/1234567890?pwd=abcd" },
	{ NULL, "https://example.com/a?key=value" },
	{ NULL, "https://example.com/?token=" },

	{ "recipient", "https://example.com/c?mc_eid=0123456789" },
	{ "recipient", "https://example.com/?email=x" },
	{ "recipient", "https://example.com/?a=1&userId=5" },

	{ "email", "https://example.com/c/user@example.org/x" },
	{ "email", "https://example.com/?x=user%40example.org" },
	{ "email", "https://example.com/?x=user%2540example.org" },
	{ "email", "https://example.com/p/dXNlckBleGFtcGxlLm9yZw" },
	{ "email", "https://example.com/?x=dXNlckBleGFtcGxlLm9yZw==" },
	{ NULL, "https://example.com/@user.name/post" },
	{ NULL, "https://example.com/img/logo@2x.png" },
	{ NULL, "https://cdn.example.com/npm/jquery@3.6.0/dist/jquery.min.js" },
	{ NULL, "https://example.com/maps/@48.85,2.35,15z" },

	{ "random", "https://example.com/c/Ab3dE5fG7hI9jK1lM3nO5pQ7" },
	{ "random", "https://example.com/?u=0a1b2c3d4e5f60718293a4b5c6d7e8f9" },
	{ "random", "https://example.com/?upn=u001.x9-2Fj3Kd8-2BqLm4ZpR7tVw1Yb6Nc5Hs0G" },
	{ "random", "https://example.com/?x=5f1c0a0e-3a75-4d49-8a3e-0c2b7d1f9a10" },
	{ "random", "https://example.com/d/5f1c0a0e-3a75-4d49-8a3e-0c2b7d1f9a10" },
	{ "random", "https://example.com/track/12345678901234567890" },
	{ "random", "https://docs.example.com/document/d/1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms/edit" },
	{ NULL, "https://storage.googleapis.com/bucket/5f1c0a0e-3a75-4d49-8a3e-0c2b7d1f9a10/a.html" },
	{ NULL, "https://github.com/a/b/commit/0a1b2c3d4e5f60718293a4b5c6d7e8f901234567" },
	{ "random", "https://storage.googleapis.com/bucket/a.html?x=5f1c0a0e-3a75-4d49-8a3e-0c2b7d1f9a10" },

	/* names of several words */
	{ "token", "https://example.com/?user[token]=abcd" },
	{ "token", "https://example.com/?user%5Btoken%5D=abcd" },
	{ "token", "https://example.com/?reset-token=abcd" },
	{ "token", "https://example.com/?resetToken=abcd" },
	{ "token", "https://example.com/?X-Auth-Token=abcd" },
	{ "token", "https://example.com/?user.secret=abcd" },
	{ "session", "https://example.com/?my_session_id=abcd" },
	{ "recipient", "https://example.com/?contact[email]=x" },
	{ "recipient", "https://example.com/?to-email=x" },
	{ NULL, "https://example.com/?email_type=html" },
	{ NULL, "https://example.com/?tokens=5" },

	/* what is inside of another URL */
	{ "token", "https://t.example/c?u=https%3A%2F%2Fexample.com%2F%3Ftoken%3Dabcd" },
	{ "token", "https://t.example/c?u=https%253A%252F%252Fexample.com%252F%253Ftoken%253Dabcd" },
	{ "token", "https://t.example/c?u=https%25253A%25252F%25252Fexample.com%25252F%25253Ftoken%25253Dabcd" },
	{ "token", "https://t.example/c/https%3A%2F%2Fexample.com%2F%3Ftoken%3Dabcd" },
	{ "token", "https://t.example/c?u=https%3A%2F%2Fexample.com%2F%23token%3Dabcd" },
	{ "random", "https://t.example/c?u=aHR0cHM6Ly9leGFtcGxlLmNvbS8_dG9rZW49YWJjZA" },
	{ "random", "https://t.example/c/a1aHR0cHM6Ly9leGFtcGxlLmNvbS8_dG9rZW49YWJjZA/x" },
	{ "email", "https://t.example/c?u=https%3A%2F%2Fexample.com%2Fa%2540example.org" },
	{ NULL, "https://t.example/c?u=https%3A%2F%2Fexample.com%2Fa" },

	{ NULL, "https://example.com/" },
	{ NULL, "https://example.com/2024/01/15/how-the-new-law-will-change-12-things-in-2024-and-beyond/" },
	{ NULL, "https://example.com/ThisIsAVeryLongArticleTitleInCamelCaseAboutNothing" },
	{ NULL, "https://example.com/img/IMG_20240115_123456_large_header_image.jpg" },
	{ NULL, "https://example.com/wp-content/uploads/2024/01/report-2024-final-v2.pdf" },
	{ NULL, "https://example.com/?utm_source=newsletter&utm_medium=email&utm_campaign=winter_sale_2024_de" },
	{ NULL, "https://example.com/product/B08N5WRWNW?ref=pd_sl_1" },
	{ NULL, "https://www.example.com/watch?v=dQw4w9WgXcQ" },
	{ NULL, "https://example.com/a/index.php?id=42&lang=en" },
	{ NULL, "https://example.com/static/main.3f2a9c1b7d.js" },
	{ NULL, "https://example.com/%00" },
};

int main(void)
{
	struct vtm_url *u;
	GPtrArray *inside;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		u = vtm_url_parse(cases[i].url, -1);
		is_str(u ? vtm_privacy_rule(u) : "not parsed", cases[i].rule, "%s", cases[i].url);
		vtm_url_free(u);
	}
	u = vtm_url_parse("https://protect-us.mimecast.com/s/AbCdEf?domain=www.example.com", -1);
	inside = vtm_unwrap(u, NULL);
	is_str(vtm_privacy_rule(inside->pdata[0]), "host-only", "a target of which only the host is known");
	g_ptr_array_unref(inside);
	vtm_url_free(u);
	return done_testing();
}
