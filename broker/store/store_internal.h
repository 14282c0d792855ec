// What the store_*.c files share. Included by them and by their tests alone.
#ifndef OYEZ_STORE_INTERNAL_H
#define OYEZ_STORE_INTERNAL_H

#include "kv.h"
#include "number_map.h"
#include "row.h"
#include "slots.h"
#include "store.h"

enum {
	SEAL_NONCE_BYTES = 24,
	SEAL_TAG_BYTES = 16,
	SEAL_OVERHEAD_BYTES = SEAL_NONCE_BYTES + SEAL_TAG_BYTES,
	ROW_BYTES_MAX = 512, // of rows without bytes of variable length
};

// A block of match headers as it is changed: put back before the commit, or when another one is needed.
struct feed_block {
	uint64_t number;
	bool loaded, dirty;
	struct match_header headers[FEED_BLOCK_HEADERS]; // kind 0: nothing there
};

// What opening the store has seen of the intents, until one is written or somebody has asked.
struct intents_opened {
	bool known;
	struct intent_totals totals;
	uint64_t *waiting; // numbers
	size_t count, room;
};

// store_block.c
struct store_reader {
	struct kv_reader kv;
	uint64_t last;
	bool placed;     // the cursor stands on a block of headers, which is
	uint64_t number; // this one
};

struct store {
	struct kv *kv;
	struct slots *slots;
	bool in_memory;
	struct arena arena; // of the running transaction
	struct feed_bounds {
		uint64_t first, last; // first = last + 1 when empty
	} feed, feed_before;      // now, and when the transaction began
	struct number_map intents, releases; // ids of intents and of releases to the numbers of intent rows
	uint64_t intent_last, intent_last_before; // highest number given, now and when the transaction began
	struct intents_opened opened;
	struct feed_block block_last, block_other; // the feed's last block, and the one changed most recently besides
	uint8_t nonce[SEAL_NONCE_BYTES]; // random since the store was opened, and a counter; see store_seal.c
	void (*after_database)(void);    // tests only: called between the database's commit and the wipe
};

// ---- keys: each noun's are built by one of these
struct key {
	uint8_t bytes[KV_KEY_BYTES_MAX];
	size_t count;
};
struct key key_id(const struct id *id);
struct key key_number(uint64_t number);                          // intent, feed
struct key key_slot(uint32_t slot);                              // wipe
struct key key_item(uint32_t slot, uint64_t seq);                // mailbox
struct key key_id_number(const struct id *id, uint64_t number);  // inbox, deal_box
struct key key_pair(const struct id *id, const struct id *other); // word
struct key key_link(uint64_t intent_number, uint8_t kind, const struct id *id);
struct key key_voucher(uint32_t day, const uint8_t *id, size_t id_bytes);
struct key key_cell(const struct cell_place *place);
struct key key_timer(uint64_t at_ms, uint8_t kind, const struct id *id);
static inline struct bytes key_bytes(const struct key *key)
{
	return (struct bytes){key->bytes, key->count};
}
bool bytes_start_with(struct bytes bytes, const void *prefix, size_t count);

// A view that lasts until the transaction ends: copied if its table was written (kv.h).
struct bytes store_keep(struct store *store, enum kv_table table, struct bytes view);
struct bytes store_copy(struct arena *arena, struct bytes view);
// A row that cannot be read: logged, and the transaction fails with ERR_INTERNAL.
void store_damaged(struct store *store, enum kv_table table);
// The caller broke a rule of store.h: logged, and the transaction fails with ERR_INTERNAL.
void store_misused(struct store *store, const char *what);

// ---- rows by id, as most nouns have them, all of version 1
enum { ROW_VERSION = 1 };
// `value` is left as it was if there is none; bytes in it are views of the row.
bool store_row_find(struct store *store, enum kv_table table, const struct id *id, row_fields *fields, void *value);
// `room`: at least the row's size.
void store_row_put(struct store *store, enum kv_table table, const struct id *id, row_fields *fields, void *value,
                   size_t room);
// The id a key of 32 bytes is; false and damaged if it is none.
bool store_key_id(struct store *store, enum kv_table table, struct bytes key, struct id *id);

// ---- rows appended under numbers from 1
// The greatest number there is, 0 if none: the first 8 bytes of the last key.
uint64_t store_number_last(struct store *store, enum kv_table table);
void store_numbered_put(struct store *store, enum kv_table table, uint64_t number, row_fields *fields, void *value);
// The row the cursor stands on; false and damaged if it cannot be read.
bool store_numbered_read(struct store *store, enum kv_table table, const struct kv_cursor *cursor, row_fields *fields,
                         void *value, uint64_t *number);

// ---- what hangs on an intent: link rows "number of the intent, kind, id"
enum link_kind { LINK_OFFER = 1, LINK_QUESTION, LINK_DEAL };
void store_link_put(struct store *store, const struct id *intent, enum link_kind kind, const struct id *id);
// The intent must exist. For each id of this kind until `each` returns false; bool = go on.
void store_link_each(struct store *store, const struct id *intent, enum link_kind kind,
                     bool (*each)(struct store *store, const struct id *id, void *context), void *context);
// Nothing if the intent is gone.
void store_link_remove(struct store *store, const struct id *intent, enum link_kind kind, const struct id *id);
// Deletes all links of the intent and the rows they lead to.
void store_link_delete_all(struct store *store, const struct id *intent);

// The rows that hang on a deal (store_after.c).
void store_after_delete_all(struct store *store, const struct id *deal);

// The number of the intent's row, 0 if there is none.
uint64_t store_intent_number(struct store *store, const struct id *id);

// ---- sealing under an intent's mailbox key (store_seal.c)
struct seal_place {
	const struct id *intent;
	uint32_t slot;
	uint64_t seq; // of the mailbox item; SEAL_SEQ_INTENT for the sealed part of the intent's own row
	uint64_t at_ms;
};
#define SEAL_SEQ_INTENT UINT64_MAX
enum { SEAL_SEQ_POST = 0 };
// Writes nonce, ciphertext and tag (plain + SEAL_OVERHEAD_BYTES) to `out`. False: the slot is not in use (misused).
bool store_seal(struct store *store, const struct seal_place *place, const void *plain, size_t count, uint8_t *out);
// Writes sealed.count - SEAL_OVERHEAD_BYTES to `out`; false if it was not sealed at this place with this key.
bool store_open_sealed(struct store *store, const struct seal_place *place, struct bytes sealed, uint8_t *out);

// ---- what is kept in memory besides: read at opening and after an abort
void store_intent_load(struct store *store);          // the slots in use, and which number is whose
void store_intent_opened_forget(struct store *store); // with the first write, what opening has seen is out of date
void store_feed_load(struct store *store);

// ---- match headers in blocks (store_block.c)
// NULL takes the header away.
void store_block_set(struct store *store, uint64_t seq, const struct match_header *header);
void store_block_flush(struct store *store);  // before the commit
void store_block_forget(struct store *store); // after giving up a transaction

// ---- the number of a vendor's next inbox item
uint64_t store_inbox_end(struct store *store, const struct id *vendor);

// ---- mailbox, for the intent
void store_mailbox_put(struct store *store, const struct intent *intent, uint64_t seq, uint64_t at_ms, const void *item,
                       size_t item_bytes);
bool store_mailbox_get(struct store *store, const struct intent *intent, struct kv_cursor *cursor, struct arena *arena,
                       uint64_t *seq, uint64_t *at_ms, struct bytes *item);
void store_mailbox_delete_all(struct store *store, const struct intent *intent);

#endif
