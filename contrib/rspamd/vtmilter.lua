-- What vtmilter found out, as rspamd symbols: append this to /etc/rspamd/rspamd.local.lua.
-- vtmilter must see the mail first (in smtpd_milters before rspamd).
config['regexp']['VTMILTER_BAD'] = {
  re = 'X-VT-Tag=/^VT_Bad$/H',
  score = 8.0,
  description = 'VirusTotal: engines call an attachment or link malicious',
  group = 'vtmilter',
}
config['regexp']['VTMILTER_NEW_FILE'] = {
  re = 'X-VT-Tag=/^VT_Hash_not_found$/H',
  score = 0.5,
  description = 'VirusTotal has never seen an attachment',
  group = 'vtmilter',
}
