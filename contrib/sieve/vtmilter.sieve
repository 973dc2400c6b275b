# What vtmilter found out, for Sieve (RFC 5228; Dovecot's Pigeonhole and others).
# There is one X-VT-Tag header for each tag; see README in this directory.
require ["fileinto", "mailbox", "imap4flags"];

# At least one engine too many says that an attachment or a link is malicious.
if header :is "X-VT-Tag" "VT_Bad" {
	addflag "\\Flagged";
	fileinto :create "Quarantine";
	stop;
}

# VirusTotal has never seen an attachment.  Most letters of your own colleagues are like that: mark, do not judge.
if header :is "X-VT-Tag" "VT_Hash_not_found" {
	addflag "vt-unknown-file";
}

# Not everything was asked, or not everything was answered in time.
if header :is "X-VT-Tag" ["VT_Pending", "VT_Bypassed"] {
	addflag "vt-unchecked";
}
