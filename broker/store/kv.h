// Ordered tables of bytes under the store: one interface, two back ends. Knows no rows and no nouns of the field.
//
// One writing transaction at a time, in one thread. Its first error sticks: after it nothing is read or written, and
// commit gives it back. A view of a value (or of a key from a cursor) is valid until the next write to its table in
// the same transaction; if its table is not written before the read, until the transaction ends (kv_written).
#ifndef OYEZ_STORE_KV_H
#define OYEZ_STORE_KV_H

#include "store.h"

// Tables, with their names on disk. README.md has the keys and values of each.
#define KV_TABLE_LIST(X)                                                                                               \
	X(KV_META, "meta")                                                                                                 \
	X(KV_INTENT, "intent")                                                                                             \
	X(KV_MAILBOX, "mailbox")                                                                                           \
	X(KV_WIPE, "wipe")                                                                                                 \
	X(KV_LINK, "link")                                                                                                 \
	X(KV_OFFER, "offer")                                                                                               \
	X(KV_QUESTION, "question")                                                                                         \
	X(KV_DEAL, "deal")                                                                                                 \
	X(KV_AFTER, "after")                                                                                               \
	X(KV_WORD, "word")                                                                                                 \
	X(KV_DEAL_BOX, "deal_box")                                                                                         \
	X(KV_STANDING, "standing")                                                                                         \
	X(KV_NOTICE, "notice")                                                                                             \
	X(KV_VENDOR, "vendor")                                                                                             \
	X(KV_INBOX_END, "inbox_end")                                                                                       \
	X(KV_INBOX, "inbox")                                                                                               \
	X(KV_SUBSCRIPTION, "subscription")                                                                                 \
	X(KV_FEED, "feed")                                                                                                 \
	X(KV_FEED_BLOCK, "feed_block")                                                                                     \
	X(KV_ACCOUNT, "account")                                                                                           \
	X(KV_INVITE, "invite")                                                                                             \
	X(KV_VOUCHER, "voucher")                                                                                           \
	X(KV_BOX, "box")                                                                                                   \
	X(KV_CELL, "cell")                                                                                                 \
	X(KV_TIMER, "timer")                                                                                               \
	X(KV_HELD, "held")                                                                                                 \
	X(KV_ISSUED, "issued")                                                                                             \
	X(KV_PUSH, "push")

enum kv_table {
#define X(table, name) table,
	KV_TABLE_LIST(X)
#undef X
		KV_TABLE_COUNT
};

enum {
	KV_KEY_BYTES_MAX = 80,
	KV_VALUE_BYTES_MAX = 1024 * 1024,
};

struct kv {
	const struct kv_ops *ops;
	bool running; // between begin and commit or abort
	bool dirty;   // something was written
	enum err error;
	uint64_t writes[KV_TABLE_COUNT]; // to each table, in this transaction
};

struct kv_cursor {
	struct kv *kv;
	enum kv_table table;
	bool open;
	struct bytes key, value;
	uint64_t writes; // of the table when the cursor was placed
	size_t at_count;
	uint8_t at[KV_KEY_BYTES_MAX]; // the key it stands on, for when the table was written under it
	void *native;                 // the back end's own
};

// A snapshot of what is committed, read beside the writer by any one thread at a time (kv_reads_beside), else between
// transactions. Views are valid until its end. Keep it short: it keeps the pages it sees from being used again.
struct kv_reader {
	struct kv *kv;
	enum kv_table table; // the cursor's
	void *snapshot, *cursor;
	size_t place;
};

// What a back end does. It reports errors by kv_fail and leaves stickiness, bounds and bookkeeping to kv.c.
struct kv_ops {
	void (*begin)(struct kv *kv);
	enum err (*commit)(struct kv *kv); // ends the transaction either way
	void (*abort)(struct kv *kv);
	bool (*get)(struct kv *kv, enum kv_table table, struct bytes key, struct bytes *value);
	// `append`: the key is likely greater than all others; only a hint.
	void (*put)(struct kv *kv, enum kv_table table, struct bytes key, struct bytes value, bool append);
	bool (*del)(struct kv *kv, enum kv_table table, struct bytes key);
	bool (*last)(struct kv *kv, enum kv_table table, struct bytes *key, struct bytes *value);
	size_t (*count)(struct kv *kv, enum kv_table table);
	// Opens cursor->native and places it on the first key >= from (replacing an open one's place), or fails.
	bool (*seek)(struct kv_cursor *cursor, struct bytes from);
	bool (*next)(struct kv_cursor *cursor); // the table was not written since the cursor was placed
	void (*stop)(struct kv_cursor *cursor);
	bool (*read_begin)(struct kv_reader *reader);
	void (*read_end)(struct kv_reader *reader);
	bool (*read_get)(struct kv_reader *reader, enum kv_table table, struct bytes key, struct bytes *value);
	// The first entry with a key >= from; with `from` empty the last one of all.
	bool (*read_seek)(struct kv_reader *reader, enum kv_table table, struct bytes from, struct bytes *key,
	                  struct bytes *value);
	bool (*read_next)(struct kv_reader *reader, struct bytes *key, struct bytes *value);
	bool reads_beside; // snapshots may be read while a transaction runs
	enum err (*compact)(struct kv *kv);
	uint64_t (*bytes_used)(struct kv *kv);
	void (*close)(struct kv *kv);
};

// Opens or creates the database file in `directory`. ERR_IO, ERR_STORAGE_FULL, ERR_UNAVAILABLE.
enum err kv_open_lmdb(const char *directory, uint64_t map_bytes, struct kv **out);
struct kv *kv_open_memory(void);
void kv_memory_fail_commits(struct kv *kv, enum err err);
void kv_close(struct kv *kv);

void kv_begin(struct kv *kv);
enum err kv_commit(struct kv *kv);
void kv_abort(struct kv *kv);
// The first error of the transaction wins.
void kv_fail(struct kv *kv, enum err err);

bool kv_get(struct kv *kv, enum kv_table table, struct bytes key, struct bytes *value);
void kv_put(struct kv *kv, enum kv_table table, struct bytes key, struct bytes value);
void kv_append(struct kv *kv, enum kv_table table, struct bytes key, struct bytes value);
bool kv_del(struct kv *kv, enum kv_table table, struct bytes key);
// The entry with the greatest key.
bool kv_last(struct kv *kv, enum kv_table table, struct bytes *key, struct bytes *value);
// How many entries the table has; 0 after an error.
size_t kv_count(struct kv *kv, enum kv_table table);
static inline bool kv_written(const struct kv *kv, enum kv_table table)
{
	return kv->writes[table] > 0;
}

// No key comes before this one.
extern const struct bytes kv_start;
// for (bool on = kv_seek(kv, table, from, &cursor); on; on = kv_next(&cursor)) ...; kv_stop(&cursor);
// The table may be written in between: next goes to the first key after the one it stood on.
bool kv_seek(struct kv *kv, enum kv_table table, struct bytes from, struct kv_cursor *cursor);
bool kv_next(struct kv_cursor *cursor);
void kv_stop(struct kv_cursor *cursor);

// False: there is no database, or too many readers.
bool kv_read_begin(struct kv *kv, struct kv_reader *reader);
void kv_read_end(struct kv_reader *reader);

const char *kv_table_name(enum kv_table table);

#endif
