// What both back ends have in common: sticky errors, bounds, and cursors that outlive writes to their table.
#include "kv.h"

#include <assert.h>
#include <string.h>

const char *kv_table_name(enum kv_table table)
{
	static const char *const names[] = {
#define X(table, name) name,
	    KV_TABLE_LIST(X)
#undef X
	};
	return names[table];
}

const struct bytes kv_start = {(const uint8_t *)"", 1}; // one zero byte; keys are not empty

void kv_close(struct kv *kv)
{
	if (!kv)
		return;
	if (kv->running)
		kv_abort(kv);
	kv->ops->close(kv);
}

void kv_begin(struct kv *kv)
{
	assert(!kv->running);
	kv->running = true;
	kv->dirty = false;
	kv->error = ERR_OK;
	memset(kv->writes, 0, sizeof(kv->writes));
	kv->ops->begin(kv);
}

enum err kv_commit(struct kv *kv)
{
	assert(kv->running);
	enum err err = kv->error;
	if (err) {
		kv_abort(kv);
		return err;
	}
	kv->running = false;
	return kv->ops->commit(kv);
}

void kv_abort(struct kv *kv)
{
	assert(kv->running);
	kv->running = false;
	kv->error = ERR_OK;
	kv->ops->abort(kv);
}

void kv_fail(struct kv *kv, enum err err)
{
	if (!kv->error)
		kv->error = err;
}

static bool key_fits(struct kv *kv, struct bytes key)
{
	assert(kv->running);
	if (!kv->error && (key.count == 0 || key.count > KV_KEY_BYTES_MAX))
		kv_fail(kv, ERR_INTERNAL);
	return !kv->error;
}

bool kv_get(struct kv *kv, enum kv_table table, struct bytes key, struct bytes *value)
{
	*value = (struct bytes){0};
	return key_fits(kv, key) && kv->ops->get(kv, table, key, value);
}

static void put(struct kv *kv, enum kv_table table, struct bytes key, struct bytes value, bool append)
{
	if (!key_fits(kv, key))
		return;
	if (value.count > KV_VALUE_BYTES_MAX) {
		kv_fail(kv, ERR_TOO_LARGE);
		return;
	}
	kv->dirty = true;
	kv->writes[table]++;
	kv->ops->put(kv, table, key, value, append);
}

void kv_put(struct kv *kv, enum kv_table table, struct bytes key, struct bytes value)
{
	put(kv, table, key, value, false);
}

void kv_append(struct kv *kv, enum kv_table table, struct bytes key, struct bytes value)
{
	put(kv, table, key, value, true);
}

bool kv_del(struct kv *kv, enum kv_table table, struct bytes key)
{
	if (!key_fits(kv, key))
		return false;
	kv->dirty = true;
	kv->writes[table]++;
	return kv->ops->del(kv, table, key);
}

bool kv_last(struct kv *kv, enum kv_table table, struct bytes *key, struct bytes *value)
{
	assert(kv->running);
	return !kv->error && kv->ops->last(kv, table, key, value);
}

size_t kv_count(struct kv *kv, enum kv_table table)
{
	assert(kv->running);
	return kv->error ? 0 : kv->ops->count(kv, table);
}

// Remembers the key the cursor stands on. A key too long was not written by this program.
static bool cursor_placed(struct kv_cursor *cursor, bool found)
{
	if (found && cursor->key.count > KV_KEY_BYTES_MAX) {
		kv_fail(cursor->kv, ERR_INTERNAL);
		found = false;
	}
	if (!found) {
		kv_stop(cursor);
		return false;
	}
	cursor->at_count = cursor->key.count;
	memcpy(cursor->at, cursor->key.at, cursor->key.count);
	cursor->writes = cursor->kv->writes[cursor->table];
	return true;
}

bool kv_seek(struct kv *kv, enum kv_table table, struct bytes from, struct kv_cursor *cursor)
{
	*cursor = (struct kv_cursor){.kv = kv, .table = table};
	if (!key_fits(kv, from))
		return false;
	cursor->open = true;
	return cursor_placed(cursor, kv->ops->seek(cursor, from));
}

bool kv_next(struct kv_cursor *cursor)
{
	struct kv *kv = cursor->kv;
	if (!cursor->open || kv->error) {
		kv_stop(cursor);
		return false;
	}
	if (cursor->writes == kv->writes[cursor->table])
		return cursor_placed(cursor, kv->ops->next(cursor));
	// Written since: find the place again by its key, which may be gone.
	uint8_t from[KV_KEY_BYTES_MAX];
	memcpy(from, cursor->at, cursor->at_count);
	bool found = kv->ops->seek(cursor, (struct bytes){from, cursor->at_count});
	if (found && cursor->key.count == cursor->at_count && memcmp(cursor->key.at, from, cursor->at_count) == 0)
		found = kv->ops->next(cursor);
	return cursor_placed(cursor, found);
}

bool kv_read_begin(struct kv *kv, struct kv_reader *reader)
{
	*reader = (struct kv_reader){.kv = kv, .table = KV_TABLE_COUNT};
	assert(kv->ops->reads_beside || !kv->running);
	return kv->ops->read_begin(reader);
}

void kv_read_end(struct kv_reader *reader)
{
	reader->kv->ops->read_end(reader);
}

void kv_stop(struct kv_cursor *cursor)
{
	if (cursor->open)
		cursor->kv->ops->stop(cursor);
	cursor->open = false;
}
