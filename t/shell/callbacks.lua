-- SPDX-License-Identifier: BSD-2-Clause
-- callbacks.lua - an MTA that answers for itself at every step, by OpenDKIM's miltertest; t0215-miltertest.sh runs it.
--
-- miltertest -s callbacks.lua -D socket=unix:PATH -D first=VT_...  : two messages and an abort on one connection; <first> is
-- the tag that the first message must get.  An answer of more than 1 KB would crash miltertest: ReportHeaders no.

local c = mt.connect(socket)
if c == nil then error "cannot connect" end

local function sent(result, step)
	if result ~= nil then error(step .. ": " .. tostring(result)) end
	local r = mt.getreply(c)
	if r ~= nil and r ~= SMFIR_CONTINUE then error(step .. ": reply " .. tostring(r)) end
end

-- miltertest ends without a word at a step that the milter does not want.
local function begin(id)
	mt.macro(c, SMFIC_MAIL, "i", id, "{mail_addr}", "a@example.org")
	sent(mt.mailfrom(c, "<a@example.org>"), "mail")
	mt.macro(c, SMFIC_RCPT, "i", id, "{rcpt_addr}", "u@example.test")
	sent(mt.rcptto(c, "<u@example.test>"), "rcpt")
	if not mt.test_option(c, SMFIP_NODATA) then sent(mt.data(c), "data") end
end

local function head(...)
	for _, h in ipairs({ ... }) do
		sent(mt.header(c, h[1], h[2]), "header " .. h[1])
	end
	sent(mt.eoh(c), "end of headers")
end

local function finish(id)
	mt.macro(c, 69, "i", id)	-- 69: end of message; miltertest has no name for it
	if mt.eom(c) ~= nil then error "end of message" end
	local r = mt.getreply(c)
	if r ~= SMFIR_CONTINUE and r ~= SMFIR_ACCEPT then error("end of message: reply " .. tostring(r)) end
end

mt.set_timeout(30)
if mt.negotiate(c, 6, nil, nil) ~= nil then error "negotiation" end
mt.macro(c, SMFIC_CONNECT, "j", "mx.example.test")
sent(mt.conninfo(c, "client.example.org", "192.0.2.7"), "connect")
if not mt.test_option(c, SMFIP_NOHELO) then sent(mt.helo(c, "client.example.org"), "helo") end

begin "LUA1"
head({ "From", "a@example.org" }, { "X-VT-Tag", "forged" }, { "Subject", "first" }, { "MIME-Version", "1.0" },
	{ "Content-Type", "application/octet-stream; name=a.bin" })
sent(mt.bodystring(c, "unknown to everybody\r\n"), "body")
finish "LUA1"
if not mt.eom_check(c, MT_HDRDELETE, "x-vt-tag") then error "the forged header is not deleted" end
if not mt.eom_check(c, MT_HDRINSERT, "X-VT-Tag", first) then error("no tag " .. first) end

begin "LUA2"
head({ "From", "a@example.org" }, { "X-VT-Tag", "forged" })
if mt.abort(c) ~= nil then error "abort" end

begin "LUA3"
head({ "From", "a@example.org" }, { "Subject", "third" })
sent(mt.bodystring(c, "nothing to ask about\r\n"), "body")
finish "LUA3"
if mt.eom_check(c, MT_HDRDELETE, "x-vt-tag") then error "the aborted message left something behind" end
if mt.eom_check(c, MT_HDRINSERT, "X-VT-Tag") then error "a tag for nothing" end
mt.disconnect(c)
mt.echo "done"
