/* SPDX-License-Identifier: BSD-2-Clause */
/* schema.h - the tables; included by store-sqlite.c only.
 *
 * schema_steps[n] brings a database from version n (PRAGMA user_version) to n + 1.  A step that was released never
 * changes again: add one.  Keys and reports are as in store-codec.h; *_ms are UTC, but those of slot, lease and known
 * are boot time of the boot that anchor and lease name.
 */
#ifndef VTM_STORE_SQLITE_SCHEMA_H
#define VTM_STORE_SQLITE_SCHEMA_H

static const char *const schema_steps[] = {
	"CREATE TABLE anchor("
	" id INTEGER PRIMARY KEY CHECK (id = 1), boot TEXT NOT NULL, boot_ms INTEGER NOT NULL,"
	" utc_ms INTEGER NOT NULL);"
	/* AUTOINCREMENT: a number is never given twice, so that a late settle cannot touch another's slot */
	"CREATE TABLE slot(id INTEGER PRIMARY KEY AUTOINCREMENT, until_ms INTEGER NOT NULL);"
	"CREATE INDEX slot_until ON slot(until_ms);"
	"CREATE TABLE used_day(day INTEGER PRIMARY KEY, used INTEGER NOT NULL);"
	"CREATE TABLE used_month(month INTEGER PRIMARY KEY, used INTEGER NOT NULL);"

	"CREATE TABLE verdict("
	" key BLOB PRIMARY KEY, expires_ms INTEGER NOT NULL, stored_ms INTEGER NOT NULL, report BLOB NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE INDEX verdict_expires ON verdict(expires_ms);"

	"CREATE TABLE queue("
	" key BLOB PRIMARY KEY, subject TEXT NOT NULL, op INTEGER NOT NULL, class INTEGER NOT NULL,"
	" since_ms INTEGER NOT NULL, not_before_ms INTEGER NOT NULL, attempts INTEGER NOT NULL, analysis TEXT,"
	" host TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX queue_since ON queue(since_ms);"
	"CREATE TABLE lease("
	" key BLOB PRIMARY KEY, owner TEXT NOT NULL, boot TEXT NOT NULL, until_ms INTEGER NOT NULL) WITHOUT ROWID;"

	"CREATE TABLE message("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, host TEXT NOT NULL, queue_id TEXT, message_id TEXT, sender TEXT,"
	" recipients BLOB, client TEXT, time_ms INTEGER NOT NULL, size INTEGER NOT NULL, tags INTEGER NOT NULL,"
	" tags_delivered INTEGER NOT NULL, done_ms INTEGER NOT NULL);"
	"CREATE INDEX message_time ON message(time_ms);"
	"CREATE INDEX message_queue_id ON message(queue_id);"
	"CREATE INDEX message_message_id ON message(message_id);"
	/* open: 2 never answered, 1 answered unknown, 0 final */
	"CREATE TABLE item("
	" message INTEGER NOT NULL, n INTEGER NOT NULL, key BLOB, open INTEGER NOT NULL, answered_ms INTEGER NOT NULL,"
	" report BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (message, n)) WITHOUT ROWID;"
	"CREATE INDEX item_open ON item(key, open, message) WHERE open > 0;"

	"CREATE TABLE late("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, host TEXT NOT NULL, json TEXT NOT NULL, attempts INTEGER NOT NULL,"
	" not_before_ms INTEGER NOT NULL);"
	"CREATE INDEX late_due ON late(host, not_before_ms);"
	"CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;",

	/* what was spent is known, in the file of this inode; full_ms: the minute counts as full until then, again_ms:
	 * from when on VirusTotal's count is needed once more (boot time; 0: not) */
	"CREATE TABLE known("
	" id INTEGER PRIMARY KEY CHECK (id = 1), inode INTEGER NOT NULL, full_ms INTEGER NOT NULL,"
	" again_ms INTEGER NOT NULL);",

	/* id: kind * 2^60 + the key's; seen: kind * 2^16 + the day it was last seen; record: as history.h packs it */
	"CREATE TABLE history(id INTEGER PRIMARY KEY, seen INTEGER NOT NULL, record BLOB NOT NULL);"
	"CREATE INDEX history_seen ON history(seen);"
	"CREATE TABLE history_day(day INTEGER PRIMARY KEY, messages INTEGER NOT NULL, wanted INTEGER NOT NULL);",
};
#define SCHEMA_VERSION ((int)G_N_ELEMENTS(schema_steps))
#define SCHEMA_APPLICATION 0x76746d6c	/* "vtml" */

#endif
