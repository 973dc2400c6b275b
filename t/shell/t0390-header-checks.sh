#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# t0390-header-checks.sh - contrib/postfix/header_checks keeps forged tags out while the milter is down.
. "${srcdir:-$(dirname "$0")/../..}/t/shell/lib.sh"
why=$(postfix_missing) && skip_all "$why"

# No milter listens there, and milter_default_action is accept.
start_postfix "header_checks=regexp:$srcdir/contrib/postfix/header_checks" nested_header_checks= ||
	bail 'Postfix did not start'
ok 'mail with forged tags' send_mail forged.eml
mail=$(delivered forged.eml)
is "$(vt_headers "$mail")" '' 'none of them arrives'
like "$(body_of "$mail")" '^X-VT-Tag: VT_Scanned$' 'the body is as it was'
like "$(head_of "$mail")" '^Subject: I was checked, believe me$' 'and so are the other headers'
ok 'mail with a tagged message inside' send_mail nested.eml
mail=$(delivered nested.eml)
is "$(vt_headers "$mail")" '' 'no tags on the message'
like "$(body_of "$mail")" '^X-VT-Tag: VT_Scanned$' 'the message inside is as it was'
like "$(cat "$postfix_dir/log/maillog")" 'connect to Milter service .*: No such file' 'the milter was down indeed'
done_testing
