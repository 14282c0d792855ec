// Tables in memory: sorted arrays of entries, and a log of what each write replaced. For tests and the simulator;
// a million random keys would be slow here.
//
// Entries are never changed, only replaced, and what was replaced is kept until the transaction ends: so every view
// stays valid that long, and giving up the transaction puts the old entries back.
#include <stdlib.h>
#include <string.h>

#include "kv.h"

struct entry {
	size_t key_count, value_count;
	uint8_t bytes[]; // key, then value
};

struct table {
	struct entry **entries;
	size_t count, room;
};

struct undo {
	enum kv_table table;
	struct entry *before; // NULL: there was none
	struct entry *after;  // NULL: it was deleted
};

struct kv_memory {
	struct kv kv;
	struct table tables[KV_TABLE_COUNT];
	struct undo *undo;
	size_t undo_count, undo_room;
	enum err fail_commits;
	uint64_t bytes;
};

static struct kv_memory *memory_of(struct kv *kv)
{
	return (struct kv_memory *)kv;
}

static void *grow(void *array, size_t count, size_t *room, size_t item_bytes)
{
	if (count < *room)
		return array;
	*room = *room ? *room * 2 : 64;
	array = realloc(array, *room * item_bytes);
	if (!array)
		abort();
	return array;
}

static int compare(const struct entry *entry, struct bytes key)
{
	size_t shorter = entry->key_count < key.count ? entry->key_count : key.count;
	int order = memcmp(entry->bytes, key.at, shorter);
	return order ? order : (entry->key_count > key.count) - (entry->key_count < key.count);
}

// Where the first entry >= key stands.
static size_t place_of(const struct table *table, struct bytes key)
{
	size_t low = 0, high = table->count;
	if (high > 0 && compare(table->entries[high - 1], key) < 0)
		return high; // appending
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare(table->entries[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct bytes entry_key(const struct entry *entry)
{
	return (struct bytes){entry->bytes, entry->key_count};
}

static struct bytes entry_value(const struct entry *entry)
{
	return (struct bytes){entry->bytes + entry->key_count, entry->value_count};
}

static struct entry *table_find(const struct table *table, struct bytes key, size_t *place)
{
	*place = place_of(table, key);
	if (*place < table->count && compare(table->entries[*place], key) == 0)
		return table->entries[*place];
	return NULL;
}

// Puts `after` in the place of the entry with this key; NULL removes it.
static struct entry *table_replace(struct table *table, struct bytes key, struct entry *after)
{
	size_t place;
	struct entry *before = table_find(table, key, &place);
	if (before && after) {
		table->entries[place] = after;
	} else if (before) {
		table->count--;
		memmove(table->entries + place, table->entries + place + 1, (table->count - place) * sizeof(after));
	} else if (after) {
		table->entries = grow(table->entries, table->count, &table->room, sizeof(after));
		memmove(table->entries + place + 1, table->entries + place, (table->count - place) * sizeof(after));
		table->entries[place] = after;
		table->count++;
	}
	return before;
}

static void account(struct kv_memory *memory, const struct entry *before, const struct entry *after)
{
	memory->bytes += after ? after->key_count + after->value_count : 0;
	memory->bytes -= before ? before->key_count + before->value_count : 0;
}

static void replace(struct kv_memory *memory, enum kv_table table, struct bytes key, struct entry *after)
{
	struct entry *before = table_replace(&memory->tables[table], key, after);
	account(memory, before, after);
	memory->undo = grow(memory->undo, memory->undo_count, &memory->undo_room, sizeof(*memory->undo));
	memory->undo[memory->undo_count++] = (struct undo){table, before, after};
}

static void memory_begin(struct kv *kv)
{
	(void)kv;
}

static void memory_abort(struct kv *kv)
{
	struct kv_memory *memory = memory_of(kv);
	while (memory->undo_count > 0) {
		struct undo *undo = &memory->undo[--memory->undo_count];
		if (!undo->before && !undo->after)
			continue;
		struct bytes key = entry_key(undo->before ? undo->before : undo->after);
		table_replace(&memory->tables[undo->table], key, undo->before);
		account(memory, undo->after, undo->before);
		free(undo->after);
	}
}

static enum err memory_commit(struct kv *kv)
{
	struct kv_memory *memory = memory_of(kv);
	if (memory->fail_commits) {
		memory_abort(kv);
		return memory->fail_commits;
	}
	for (size_t i = 0; i < memory->undo_count; i++)
		free(memory->undo[i].before);
	memory->undo_count = 0;
	return ERR_OK;
}

static bool memory_get(struct kv *kv, enum kv_table table, struct bytes key, struct bytes *value)
{
	size_t place;
	struct entry *entry = table_find(&memory_of(kv)->tables[table], key, &place);
	if (entry)
		*value = entry_value(entry);
	return entry != NULL;
}

static void memory_put(struct kv *kv, enum kv_table table, struct bytes key, struct bytes value, bool append)
{
	(void)append;
	struct entry *entry = malloc(sizeof(*entry) + key.count + value.count);
	if (!entry)
		abort();
	entry->key_count = key.count;
	entry->value_count = value.count;
	memcpy(entry->bytes, key.at, key.count);
	if (value.count > 0)
		memcpy(entry->bytes + key.count, value.at, value.count);
	replace(memory_of(kv), table, key, entry);
}

static bool memory_del(struct kv *kv, enum kv_table table, struct bytes key)
{
	size_t place;
	if (!table_find(&memory_of(kv)->tables[table], key, &place))
		return false;
	replace(memory_of(kv), table, key, NULL);
	return true;
}

static size_t memory_count(struct kv *kv, enum kv_table table)
{
	return memory_of(kv)->tables[table].count;
}

static bool memory_last(struct kv *kv, enum kv_table table, struct bytes *key, struct bytes *value)
{
	const struct table *rows = &memory_of(kv)->tables[table];
	if (rows->count == 0)
		return false;
	*key = entry_key(rows->entries[rows->count - 1]);
	*value = entry_value(rows->entries[rows->count - 1]);
	return true;
}

// A cursor's native place is the position plus one, carried in the pointer.
static bool cursor_place(struct kv_cursor *cursor, size_t place)
{
	const struct table *rows = &memory_of(cursor->kv)->tables[cursor->table];
	if (place >= rows->count)
		return false;
	cursor->native = (void *)(uintptr_t)(place + 1);
	cursor->key = entry_key(rows->entries[place]);
	cursor->value = entry_value(rows->entries[place]);
	return true;
}

static bool memory_seek(struct kv_cursor *cursor, struct bytes from)
{
	return cursor_place(cursor, place_of(&memory_of(cursor->kv)->tables[cursor->table], from));
}

static bool memory_next(struct kv_cursor *cursor)
{
	return cursor_place(cursor, (size_t)(uintptr_t)cursor->native);
}

static void memory_stop(struct kv_cursor *cursor)
{
	cursor->native = NULL;
}

// ---- reading between transactions

static bool memory_read_begin(struct kv_reader *reader)
{
	(void)reader;
	return true;
}

static void memory_read_end(struct kv_reader *reader)
{
	(void)reader;
}

static bool memory_read_get(struct kv_reader *reader, enum kv_table table, struct bytes key, struct bytes *value)
{
	return memory_get(reader->kv, table, key, value);
}

static bool memory_read_next(struct kv_reader *reader, struct bytes *key, struct bytes *value)
{
	const struct table *rows = &memory_of(reader->kv)->tables[reader->table];
	if (reader->place >= rows->count)
		return false;
	*key = entry_key(rows->entries[reader->place]);
	*value = entry_value(rows->entries[reader->place]);
	reader->place++;
	return true;
}

static bool memory_read_seek(struct kv_reader *reader, enum kv_table table, struct bytes from, struct bytes *key,
                             struct bytes *value)
{
	const struct table *rows = &memory_of(reader->kv)->tables[table];
	reader->table = table;
	reader->place = from.count > 0 ? place_of(rows, from) : rows->count - (rows->count > 0);
	return memory_read_next(reader, key, value);
}

static enum err memory_compact(struct kv *kv)
{
	(void)kv;
	return ERR_OK;
}

static uint64_t memory_bytes_used(struct kv *kv)
{
	return memory_of(kv)->bytes;
}

static void memory_close(struct kv *kv)
{
	struct kv_memory *memory = memory_of(kv);
	for (size_t i = 0; i < KV_TABLE_COUNT; i++) {
		for (size_t j = 0; j < memory->tables[i].count; j++)
			free(memory->tables[i].entries[j]);
		free(memory->tables[i].entries);
	}
	free(memory->undo);
	free(memory);
}

void kv_memory_fail_commits(struct kv *kv, enum err err)
{
	memory_of(kv)->fail_commits = err;
}

struct kv *kv_open_memory(void)
{
	static const struct kv_ops ops = {
	    .begin = memory_begin,
	    .commit = memory_commit,
	    .abort = memory_abort,
	    .get = memory_get,
	    .put = memory_put,
	    .del = memory_del,
	    .last = memory_last,
	    .count = memory_count,
	    .seek = memory_seek,
	    .next = memory_next,
	    .stop = memory_stop,
	    .read_begin = memory_read_begin,
	    .read_end = memory_read_end,
	    .read_get = memory_read_get,
	    .read_seek = memory_read_seek,
	    .read_next = memory_read_next,
	    .compact = memory_compact,
	    .bytes_used = memory_bytes_used,
	    .close = memory_close,
	};
	struct kv_memory *memory = calloc(1, sizeof(*memory));
	if (!memory)
		abort();
	memory->kv.ops = &ops;
	return &memory->kv;
}
