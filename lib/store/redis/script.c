/* SPDX-License-Identifier: BSD-2-Clause */
/* script.c - what runs inside Redis (Lua, Redis 5 or later).
 *
 * The budget.  Its hash has
 *
 *	run	the run of the server, and the history of its data, that it was last known to be whole in
 *	n	how many slots the zset has
 *	adj	server clock minus steady time
 *	off	UTC minus steady time
 *	hold	until when (steady) the minute counts as full
 *	again	from when on (steady) VirusTotal's count is needed once more; 0: it is not
 *	last	steady time when any host last came
 *	seq	the last slot
 *	d<day>	requests charged to a UTC day; m<month> likewise
 *	h<boot>	boot time and steady time when a host last came
 *
 * Steady time is the server's clock with its jumps taken out: each host brings its boot time, which does not jump, and
 * where the server's clock has gone another way than that of a host since it last came, by more than TOLERANCE, the
 * difference goes into adj.  So setting the server's clock frees no slot and begins no new day.  A host that is new
 * cannot tell: slots then last as if no time had passed since the last one came.
 *
 * The budget is lost when run or n are not what they should be: the data is new, was flushed, thrown out for want of
 * memory, or comes from another run of a server (restarted, or a replica that took over), which may lack the last
 * writes.  Then nothing is granted until raise brings VirusTotal's own count; and if that is not 0, or may be
 * because day and month are young, the minute counts as full for as long as a slot can last.  After that the count is
 * needed once more: requests that were in flight when the first was made are in the second.
 */
#include "store/redis/redis.h"

/* KEYS: b, w.  ARGV: what, time (empty: the server's), boot id, boot ms, slot ms, slot ms after the end,
 * TOLERANCE, MIDNIGHT before, after; then as each one says. */
static const char script_budget[] =
	"local b, w = KEYS[1], KEYS[2]\n"
	"local what, boot, bootms = ARGV[1], 'h' .. ARGV[3], tonumber(ARGV[4])\n"
	"local long, after, tolerance = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])\n"
	"local early, late = tonumber(ARGV[8]), tonumber(ARGV[9])\n"
	"local DAY = 86400000\n"
	"local function int(n) return string.format('%.0f', n) end\n"
	"local now = tonumber(ARGV[2])\n"
	"if not now then\n"
	"	local t = redis.call('TIME')\n"
	"	now = t[1] * 1000 + math.floor(t[2] / 1000)\n"
	"end\n"
	"local h = redis.call('HMGET', b, 'run', 'n', 'adj', 'off', 'hold', 'seq', boot, 'again', 'last')\n"
	"local slots = redis.call('ZCARD', w)\n"
	"local run, lost\n"
	"if what ~= 'read' and what ~= 'utc' then\n"
	"	run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') .. ' ' ..\n"
	"		string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')\n"
	"	lost = h[1] ~= run or tonumber(h[2]) ~= slots\n"
	"end\n"
	"local adj, off = tonumber(h[3] or 0), tonumber(h[4] or 0)\n"
	"local hold, seq = tonumber(h[5] or 0), tonumber(h[6] or 0)\n"
	"local again, last = tonumber(h[8] or 0), tonumber(h[9])\n"
	"local steady = now - adj\n"
	"local function slots_end(new, from)\n"
	"	local list = redis.call('ZRANGEBYSCORE', w, from, '+inf', 'WITHSCORES')\n"
	"	for i = 1, #list, 2 do redis.call('ZADD', w, int(new(tonumber(list[i + 1]))), list[i]) end\n"
	"end\n"
	"if h[7] then\n"
	"	local boot0, steady0 = string.match(h[7], '^(%d+) (%-?%d+)$')\n"
	"	local ahead = boot0 and steady - steady0 - (bootms - boot0) or 0\n"
	"	if math.abs(ahead) > tolerance then\n"
	"		adj = adj + ahead\n"
	"		steady = steady - ahead\n"
	"	end\n"
	"elseif last and run and not lost and math.abs(steady - last) > tolerance then\n"
	"	slots_end(function(t) return t + steady - last end, '(' .. int(last))\n"
	"end\n"
	"if not h[4] then off = now - steady end\n"
	"local utc = steady + off\n"
	"local function day(t) return math.floor(t / DAY) end\n"
	"local function leap(y) return y % 4 == 0 and (y % 100 ~= 0 or y % 400 == 0) end\n"
	"local function month(d)\n"
	"	local y, days = 1970, {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}\n"
	"	while d >= (leap(y) and 366 or 365) do\n"
	"		d = d - (leap(y) and 366 or 365)\n"
	"		y = y + 1\n"
	"	end\n"
	"	if leap(y) then days[2] = 29 end\n"
	"	local m = 1\n"
	"	while d >= days[m] do\n"
	"		d = d - days[m]\n"
	"		m = m + 1\n"
	"	end\n"
	"	return y * 12 + m - 1\n"
	"end\n"
	"local day1, day2 = day(utc - late), day(utc + early)\n"
	"local fields = {'d' .. day1, 'm' .. month(day1)}\n"
	"if day2 ~= day1 then fields[3] = 'd' .. day2 end\n"
	"if month(day2) ~= month(day1) then fields[4] = 'm' .. month(day2) end\n"
	"local function used(type)\n"
	"	local most = 0\n"
	"	for _, f in pairs(fields) do\n"
	"		if string.sub(f, 1, 1) == type then\n"
	"			most = math.max(most, tonumber(redis.call('HGET', b, f) or 0))\n"
	"		end\n"
	"	end\n"
	"	return most\n"
	"end\n"
	"local function save()\n"
	"	redis.call('HSET', b, 'n', redis.call('ZCARD', w), 'adj', int(adj), 'off', int(off), 'seq', int(seq),\n"
	"		boot, int(bootms) .. ' ' .. int(steady), 'again', int(again), 'last', int(steady))\n"
	"end\n"
	/* old days and months, and hosts that did not come for two days */
	"local function tidy()\n"
	"	redis.call('HDEL', b, 'd' .. (day1 - 60), 'm' .. (month(day1) - 3))\n"
	"	local all = redis.call('HGETALL', b)\n"
	"	for i = 1, #all, 2 do\n"
	"		local t = string.sub(all[i], 1, 1) == 'h' and string.match(all[i + 1], ' (%-?%d+)$')\n"
	"		if t and tonumber(t) < steady - 2 * DAY then redis.call('HDEL', b, all[i]) end\n"
	"	end\n"
	"end\n"
	"local function charge(n)\n"
	"	for _, f in pairs(fields) do\n"
	"		if redis.call('HINCRBY', b, f, n) == n then tidy() end\n"
	"	end\n"
	"end\n"
	/* want, a minute, the day's and the month's last number (-1: any) -> granted, first slot; -1 lost */
	"if what == 'take' then\n"
	"	local want, minute = tonumber(ARGV[10]), tonumber(ARGV[11])\n"
	"	local daycap, monthcap = tonumber(ARGV[12]), tonumber(ARGV[13])\n"
	"	if lost or (again > 0 and steady >= again) then return {-1} end\n"
	"	redis.call('ZREMRANGEBYSCORE', w, '-inf', int(steady))\n"
	/* set by a host that could not know of a jump of the clock */
	"	slots_end(function() return steady + long end, '(' .. int(steady + long))\n"
	"	hold = math.min(hold, steady + long)\n"
	"	again = math.min(again, steady + long)\n"
	"	slots = redis.call('ZCARD', w)\n"
	"	if hold > steady then\n"
	"		for i = slots + 1, minute do\n"
	"			seq = seq + 1\n"
	"			redis.call('ZADD', w, int(hold), int(seq))\n"
	"			slots = slots + 1\n"
	"		end\n"
	"	end\n"
	"	local n = want\n"
	"	if minute >= 0 then n = math.min(n, minute - slots) end\n"
	"	if daycap >= 0 then n = math.min(n, daycap - used('d')) end\n"
	"	if monthcap >= 0 then n = math.min(n, monthcap - used('m')) end\n"
	"	n = math.max(n, 0)\n"
	"	local first = seq + 1\n"
	"	for i = 1, n do\n"
	"		seq = seq + 1\n"
	"		redis.call('ZADD', w, int(steady + long), int(seq))\n"
	"	end\n"
	"	if n > 0 then charge(n) end\n"
	"	save()\n"
	"	return {n, int(first)}\n"
	"end\n"
	/* slot; one that is not there is of before a loss, and VirusTotal's count may have missed it */
	"if what == 'settle' then\n"
	"	if lost then\n"
	"		redis.call('HSET', b, 'hold', int(math.max(hold, steady + after)))\n"
	"	else\n"
	"		if redis.call('ZADD', w, int(steady + after), ARGV[10]) == 1 then charge(1) end\n"
	"		save()\n"
	"	end\n"
	"	return {0}\n"
	"end\n"
	/* -> utc, used by day and month, how long each slot lasts.  Slots whose hash is gone end at a time that nobody
	 * knows: with them shown nobody would come to take, and so find out */
	"if what == 'read' then\n"
	"	local out = {int(utc), int(used('d')), int(used('m'))}\n"
	"	if tonumber(h[2]) ~= slots then return out end\n"
	"	local list = redis.call('ZRANGEBYSCORE', w, '(' .. int(steady), '+inf', 'WITHSCORES')\n"
	"	for i = 2, #list, 2 do out[#out + 1] = int(list[i] - steady) end\n"
	"	return out\n"
	"end\n"
	/* used this day, this month, whether the asker took requests in the last minute */
	"if what == 'raise' then\n"
	"	local dayused, monthused = tonumber(ARGV[10]), tonumber(ARGV[11])\n"
	"	local certain = day(utc - early)\n"
	"	local list = {['d' .. certain] = dayused, ['m' .. month(certain)] = monthused}\n"
	"	if lost then\n"
	"		list['d' .. day(utc)], list['m' .. month(day(utc))] = dayused, monthused\n"
	"		local before = day(utc - long)\n"
	"		local young = before ~= day(utc) and (monthused > 0 or month(before) ~= month(day(utc)))\n"
	"		if dayused > 0 or used('d') > 0 or ARGV[12] == '1' or young then\n"
	"			hold = math.max(hold, steady + long)\n"
	"		end\n"
	"		again = hold > steady and hold or 0\n"
	"		seq = math.max(seq, now * 1000)\n"
	"		redis.call('HSET', b, 'run', run, 'hold', int(hold))\n"
	"	elseif steady >= again then\n"
	"		again = 0\n"
	"	end\n"
	"	for f, n in pairs(list) do\n"
	"		if n > tonumber(redis.call('HGET', b, f) or 0) then redis.call('HSET', b, f, int(n)) end\n"
	"	end\n"
	"	save()\n"
	"	return {lost and 1 or 0}\n"
	"end\n"
	/* the server's utc, how far it may be off -> whether it was */
	"if what == 'sync' then\n"
	"	local right, far = tonumber(ARGV[10]), tonumber(ARGV[11])\n"
	"	local wrong = math.abs(right - utc) > far\n"
	"	if wrong then off = right - steady end\n"
	"	if lost then redis.call('HSET', b, 'off', int(off)) else save() end\n"
	"	return {wrong and 1 or 0}\n"
	"end\n"
	"return {int(utc)}\n";

/* KEYS: the lease.  ARGV: owner, ms (0: drop it), the channel ("": none) and what to say there -> 1 ours.  A user who
 * may not speak drops it all the same. */
static const char script_lease[] =
	"if ARGV[3] ~= '' then redis.pcall('PUBLISH', ARGV[3], ARGV[4]) end\n"
	"local owner = redis.call('GET', KEYS[1])\n"
	"if owner and owner ~= ARGV[1] then return 0 end\n"
	"if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end\n"
	"redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])\n"
	"return 1\n";

/* KEYS: js, jt, the indices that name the message, then jw<key> of each item that waits.  ARGV: the prefix of messages,
 * time, tags, done, packed, how many indices; the number of items, value and report of each; how each waits -> id */
static const char script_add[] =
	"local id = string.format('%016d', redis.call('INCR', KEYS[1]))\n"
	"local message, indices, items = ARGV[1] .. id, tonumber(ARGV[6]), tonumber(ARGV[7])\n"
	"redis.call('HSET', message, 'm', ARGV[5], 't', ARGV[3], 'd', ARGV[4], 'c', 0)\n"
	"for i = 0, items - 1 do\n"
	"	redis.call('HSET', message, 'i' .. i, ARGV[8 + 2 * i], 'r' .. i, ARGV[9 + 2 * i])\n"
	"end\n"
	"for i = 3, 2 + indices do redis.call('SADD', KEYS[i], id) end\n"
	"for i = 3 + indices, #KEYS do\n"
	"	redis.call('ZADD', KEYS[i], ARGV[7 + 2 * items + i - 2 - indices], id)\n"
	"end\n"
	"redis.call('ZADD', KEYS[2], ARGV[2], id)\n"
	"return id\n";

/* KEYS: the message, jw<key>, l, ls, lz:<host>.  ARGV: id, changes as read, tags, done, the items' report, how they
 * wait from now on (0: not), how many late verdicts, each; then the items' numbers -> 1 done, 0 another was quicker */
static const char script_turn[] =
	"if redis.call('HGET', KEYS[1], 'c') ~= ARGV[2] then return 0 end\n"
	"local late = tonumber(ARGV[7])\n"
	"redis.call('HINCRBY', KEYS[1], 'c', 1)\n"
	"redis.call('HSET', KEYS[1], 't', ARGV[3], 'd', ARGV[4])\n"
	"for i = 8 + late, #ARGV do redis.call('HSET', KEYS[1], 'r' .. ARGV[i], ARGV[5]) end\n"
	"if ARGV[6] == '0' then\n"
	"	redis.call('ZREM', KEYS[2], ARGV[1])\n"
	"else\n"
	"	redis.call('ZADD', KEYS[2], ARGV[6], ARGV[1])\n"
	"end\n"
	"for i = 8, 7 + late do\n"
	"	local id = redis.call('INCR', KEYS[4])\n"
	"	redis.call('HSET', KEYS[3], id, '0 0 ' .. ARGV[i])\n"
	"	redis.call('ZADD', KEYS[5], 0, id)\n"
	"end\n"
	"return 1\n";

/* KEYS: l, ls, lz:<host>.  ARGV: add, the bound, JSON -> 1 added, 0 too many; or: retry, id, when */
static const char script_late[] =
	"if ARGV[1] == 'add' then\n"
	"	if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end\n"
	"	local id = redis.call('INCR', KEYS[2])\n"
	"	redis.call('HSET', KEYS[1], id, '0 0 ' .. ARGV[3])\n"
	"	redis.call('ZADD', KEYS[3], 0, id)\n"
	"	return 1\n"
	"end\n"
	"local v = redis.call('HGET', KEYS[1], ARGV[2])\n"
	"local attempts, json = string.match(v or '', '^(%d+) %-?%d+ (.*)$')\n"
	"if not attempts then return 0 end\n"
	"redis.call('HSET', KEYS[1], ARGV[2], attempts + 1 .. ' ' .. ARGV[3] .. ' ' .. json)\n"
	"redis.call('ZADD', KEYS[3], ARGV[3], ARGV[2])\n"
	"return 1\n";

/* KEYS: the hash and the zset of each record.  ARGV: id, value as read ("": none), new value, day of each -> for each
 * 1 new, 0 changed, -1 another host was quicker */
static const char script_history[] =
	"local out = {}\n"
	"for i = 1, #KEYS / 2 do\n"
	"	local hash, order = KEYS[2 * i - 1], KEYS[2 * i]\n"
	"	local id, old, new, day = ARGV[4 * i - 3], ARGV[4 * i - 2], ARGV[4 * i - 1], ARGV[4 * i]\n"
	"	if (redis.call('HGET', hash, id) or '') ~= old then\n"
	"		out[i] = -1\n"
	"	else\n"
	"		out[i] = redis.call('HSET', hash, id, new)\n"
	"		redis.call('ZADD', order, day, id)\n"
	"	end\n"
	"end\n"
	"return out\n";

/* KEYS: the zset.  ARGV: how names of the hashes begin, the first day to keep, records to keep, how many may go ->
 * how many went */
static const char script_history_old[] =
	"local function drop(ids)\n"
	"	for _, id in ipairs(ids) do\n"
	"		redis.call('HDEL', ARGV[1] .. string.sub(id, 1, 3), id)\n"
	"		redis.call('ZREM', KEYS[1], id)\n"
	"	end\n"
	"	return #ids\n"
	"end\n"
	"local max = tonumber(ARGV[4])\n"
	"local n = drop(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[2], 'LIMIT', 0, max))\n"
	"local over = math.min(redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[3]), max - n)\n"
	"if over > 0 then n = n + drop(redis.call('ZRANGE', KEYS[1], 0, over - 1)) end\n"
	"return n\n";

const char *const vtm_redis_scripts[SCRIPTS] = {
	[SCRIPT_BUDGET] = script_budget,
	[SCRIPT_LEASE] = script_lease,
	[SCRIPT_ADD] = script_add,
	[SCRIPT_TURN] = script_turn,
	[SCRIPT_LATE] = script_late,
	[SCRIPT_HISTORY] = script_history,
	[SCRIPT_HISTORY_OLD] = script_history_old,
};
