// The store as a whole: opening and recovery, transactions, rows by id, upkeep. The nouns are in store_*.c; bytes on
// disk are described in README.md.
#include "store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/base/log.h"
#include "store_internal.h"

#define FORMAT_ROW "store.format"
#define SLOT_FILE_ROW "store.slot_file"
enum { FORMAT = 1 };

// ---- loading: after opening, and after a crash of the memory store

static struct bytes text_bytes(const char *text)
{
	return (struct bytes){(const uint8_t *)text, strlen(text)};
}

// A new database remembers its format and its slot file; an old one must have these.
static enum err check_format(struct store *store)
{
	struct kv *kv = store->kv;
	uint8_t format[4];
	struct writer writer;
	writer_init(&writer, format, sizeof(format));
	writer_u32(&writer, FORMAT);
	struct bytes found, slot_file = {slots_file_id(store->slots), SLOT_FILE_ID_BYTES};
	if (!kv_get(kv, KV_META, text_bytes(FORMAT_ROW), &found)) {
		kv_put(kv, KV_META, text_bytes(FORMAT_ROW), (struct bytes){format, sizeof(format)});
		kv_put(kv, KV_META, text_bytes(SLOT_FILE_ROW), slot_file);
		return kv->error;
	}
	if (found.count != sizeof(format) || memcmp(found.at, format, sizeof(format)) != 0) {
		log_event(LOG_ERROR, "store_format_unknown");
		return ERR_IO;
	}
	if (!kv_get(kv, KV_META, text_bytes(SLOT_FILE_ROW), &found) || found.count != slot_file.count ||
	    memcmp(found.at, slot_file.at, slot_file.count) != 0) {
		log_event(LOG_ERROR, "store_slot_file_of_another_database");
		return ERR_IO;
	}
	return ERR_OK;
}

// The slots whose overwriting a crash may have cut short, in the transaction's arena.
static uint32_t *pending_wipes(struct store *store, size_t *count)
{
	size_t room = 0;
	uint32_t *slots = NULL;
	struct kv_cursor cursor;
	*count = 0;
	for (bool on = kv_seek(store->kv, KV_WIPE, kv_start, &cursor); on; on = kv_next(&cursor)) {
		struct reader reader;
		reader_init(&reader, cursor.key.at, cursor.key.count);
		if (*count == room) {
			room = room ? room * 2 : 64;
			uint32_t *grown = arena_alloc(&store->arena, room * sizeof(*slots));
			if (*count > 0)
				memcpy(grown, slots, *count * sizeof(*slots));
			slots = grown;
		}
		slots[(*count)++] = reader_u32(&reader);
	}
	kv_stop(&cursor);
	return slots;
}

static void delete_wipe_rows(struct store *store, const uint32_t *slots, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct key key = key_slot(slots[i]);
		kv_del(store->kv, KV_WIPE, key_bytes(&key));
	}
}

// Everything that is kept in memory besides the tables, from the tables.
static enum err load(struct store *store)
{
	slots_forget(store->slots);
	store_block_forget(store);
	kv_begin(store->kv);
	enum err err = check_format(store);
	if (err)
		kv_fail(store->kv, err);
	size_t doomed_count = 0;
	uint32_t *doomed = pending_wipes(store, &doomed_count);
	store_intent_load(store);
	store_feed_load(store);
	if (!store->kv->error && doomed_count > 0) {
		err = slots_recover(store->slots, doomed, doomed_count);
		if (err)
			kv_fail(store->kv, err);
		delete_wipe_rows(store, doomed, doomed_count);
	}
	err = kv_commit(store->kv);
	arena_reset(&store->arena);
	return err ? err : slots_ready(store->slots);
}

// ---- opening

static struct store *store_new(void)
{
	struct store *store = calloc(1, sizeof(*store));
	if (!store || sodium_init() < 0)
		abort();
	arena_init(&store->arena);
	number_map_init(&store->intents);
	number_map_init(&store->releases);
	randombytes_buf(store->nonce, sizeof(store->nonce));
	return store;
}

static enum err sync_directory(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ERR_IO;
	int failed = fsync(fd);
	close(fd);
	return failed ? ERR_IO : ERR_OK;
}

enum err store_open(const char *directory, uint64_t map_bytes, struct store **out)
{
	char path[PATH_MAX];
	*out = NULL;
	if (snprintf(path, sizeof(path), "%s/mailbox.keys", directory) >= (int)sizeof(path))
		return ERR_IO;
	if (mkdir(directory, 0700) != 0 && errno != EEXIST)
		return ERR_IO;
	struct store *store = store_new();
	// The slot file's lock guards the whole directory, so it comes first.
	enum err err = slots_open(path, &store->slots);
	if (!err)
		err = kv_open_lmdb(directory, map_bytes, &store->kv);
	// The names of both files must last before the database refers to the slot file.
	if (!err)
		err = sync_directory(directory);
	if (!err)
		err = load(store);
	if (err) {
		store_close(store);
		return err;
	}
	*out = store;
	return ERR_OK;
}

struct store *store_open_memory(void)
{
	struct store *store = store_new();
	store->in_memory = true;
	store->kv = kv_open_memory();
	if (slots_open(NULL, &store->slots) || load(store))
		abort();
	return store;
}

void store_crash(struct store *store)
{
	assert(store->in_memory);
	if (store->kv->running)
		store_abort(store);
	if (load(store))
		abort();
}

void store_fail_commits(struct store *store, enum err err)
{
	assert(store->in_memory);
	kv_memory_fail_commits(store->kv, err);
}

void store_close(struct store *store)
{
	if (!store)
		return;
	kv_close(store->kv);
	slots_close(store->slots);
	number_map_fini(&store->intents);
	number_map_fini(&store->releases);
	store_intent_opened_forget(store);
	arena_fini(&store->arena);
	sodium_memzero(store->nonce, sizeof(store->nonce));
	free(store);
}

// ---- transactions

void store_begin(struct store *store)
{
	kv_begin(store->kv);
	store->feed_before = store->feed;
	store->intent_last_before = store->intent_last;
	// An earlier commit is in the database but its keys could not be overwritten: nothing new before they are.
	if (slots_overdue(store->slots)) {
		enum err err = slots_wipe(store->slots);
		if (err)
			kv_fail(store->kv, err);
	}
}

static void forget_transaction(struct store *store)
{
	slots_abort(store->slots);
	number_map_abort(&store->intents);
	number_map_abort(&store->releases);
	store_block_forget(store);
	store->feed = store->feed_before;
	store->intent_last = store->intent_last_before;
	arena_reset(&store->arena);
}

enum err store_commit(struct store *store)
{
	const uint32_t *wiped;
	size_t wiped_count = slots_wiped(store->slots, &wiped);
	store_block_flush(store);
	bool retiring = store->kv->dirty && wiped_count > 0;
	if (retiring)
		delete_wipe_rows(store, wiped, wiped_count);
	enum err err = kv_commit(store->kv);
	if (err) {
		forget_transaction(store);
		return err;
	}
	number_map_commit(&store->intents);
	number_map_commit(&store->releases);
	if (store->after_database)
		store->after_database();
	if (retiring)
		slots_retire(store->slots);
	arena_reset(&store->arena);
	err = slots_wipe(store->slots);
	if (err)
		log_event(LOG_ERROR, "store_wipe_failed", LOG_TEXT("error", err_name(err)));
	return err;
}

void store_abort(struct store *store)
{
	kv_abort(store->kv);
	forget_transaction(store);
}

enum err store_error(const struct store *store)
{
	return store->kv->error;
}

// ---- rows

struct bytes store_copy(struct arena *arena, struct bytes view)
{
	return (struct bytes){arena_copy(arena, view.at, view.count), view.count};
}

struct bytes store_keep(struct store *store, enum kv_table table, struct bytes view)
{
	return kv_written(store->kv, table) ? store_copy(&store->arena, view) : view;
}

void store_damaged(struct store *store, enum kv_table table)
{
	if (store->kv->error)
		return; // nothing can be read after the first error, so this row may be sound
	log_event(LOG_ERROR, "store_row_damaged", LOG_TEXT("table", kv_table_name(table)));
	kv_fail(store->kv, ERR_INTERNAL);
}

void store_misused(struct store *store, const char *what)
{
	log_event(LOG_ERROR, "store_misused", LOG_TEXT("what", what));
	kv_fail(store->kv, ERR_INTERNAL);
}

bool store_row_find(struct store *store, enum kv_table table, const struct id *id, row_fields *fields, void *value)
{
	struct key key = key_id(id);
	struct bytes row;
	if (!kv_get(store->kv, table, key_bytes(&key), &row))
		return false;
	if (row_read(row, ROW_VERSION, fields, value))
		return true;
	store_damaged(store, table);
	return false;
}

void store_row_put(struct store *store, enum kv_table table, const struct id *id, row_fields *fields, void *value,
                   size_t room)
{
	struct key key = key_id(id);
	uint8_t small[ROW_BYTES_MAX];
	uint8_t *buffer = room <= sizeof(small) ? small : arena_alloc(&store->arena, room);
	kv_put(store->kv, table, key_bytes(&key), row_write(buffer, room, ROW_VERSION, fields, value));
}

bool store_key_id(struct store *store, enum kv_table table, struct bytes key, struct id *id)
{
	if (key.count != ID_BYTES) {
		store_damaged(store, table);
		return false;
	}
	memcpy(id->bytes, key.at, ID_BYTES);
	return true;
}

// ---- rows by number

uint64_t store_number_last(struct store *store, enum kv_table table)
{
	struct bytes key, value;
	struct reader reader;
	if (!kv_last(store->kv, table, &key, &value))
		return 0;
	reader_init(&reader, key.at, key.count);
	return reader_u64(&reader);
}

void store_numbered_put(struct store *store, enum kv_table table, uint64_t number, row_fields *fields, void *value)
{
	struct key key = key_number(number);
	uint8_t buffer[ROW_BYTES_MAX];
	kv_append(store->kv, table, key_bytes(&key), row_write(buffer, sizeof(buffer), ROW_VERSION, fields, value));
}

bool store_numbered_read(struct store *store, enum kv_table table, const struct kv_cursor *cursor, row_fields *fields,
                         void *value, uint64_t *number)
{
	struct reader reader;
	reader_init(&reader, cursor->key.at, cursor->key.count);
	*number = reader_u64(&reader);
	if (!reader.failed && reader_left(&reader) == 0 && row_read(cursor->value, ROW_VERSION, fields, value))
		return true;
	store_damaged(store, table);
	return false;
}

// ---- small named values

bool store_meta_get(struct store *store, const char *name, struct arena *arena, struct bytes *out)
{
	struct bytes found;
	bool there = kv_get(store->kv, KV_META, text_bytes(name), &found);
	*out = there ? store_copy(arena, found) : (struct bytes){0};
	return there;
}

void store_meta_put(struct store *store, const char *name, const void *bytes, size_t count)
{
	kv_put(store->kv, KV_META, text_bytes(name), (struct bytes){bytes, count});
}

// ---- upkeep

enum err store_compact(struct store *store)
{
	if (store->kv->running)
		return ERR_INTERNAL;
	return store->kv->ops->compact(store->kv);
}

uint64_t store_bytes_used(struct store *store)
{
	return store->kv->ops->bytes_used(store->kv) + slots_bytes(store->slots);
}
