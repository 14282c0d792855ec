// Tables on disk: one LMDB environment over data.mdb. A commit has reached the disk when it returns (LMDB's default:
// fdatasync of the pages, then the meta page through a synchronous descriptor).
//
// A view of a value points into the file's map as long as its table was not written in this transaction: LMDB copies
// a page before it changes it and does not reuse the old one before the transaction is over. Pages already copied
// move their contents at every write, hence the contract in kv.h.
#include "kv_lmdb.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/base/log.h"

#define MAP_BYTES_DEFAULT (UINT64_C(1) << 40) // address space only; the file grows as it is written

static struct kv_lmdb *lmdb_of(struct kv *kv)
{
	return (struct kv_lmdb *)kv;
}

enum err kv_lmdb_err(int code)
{
	switch (code) {
	case MDB_SUCCESS:
		return ERR_OK;
	case MDB_MAP_FULL:
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ERR_STORAGE_FULL;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
		log_event(LOG_ERROR, "store_database_damaged", LOG_NUMBER("code", code));
		return ERR_INTERNAL;
	case MDB_BAD_DBI:
	case MDB_BAD_TXN:
	case MDB_BAD_VALSIZE:
	case MDB_INCOMPATIBLE:
	case EINVAL:
		log_event(LOG_ERROR, "store_database_misused", LOG_NUMBER("code", code));
		return ERR_INTERNAL;
	default:
		log_event(LOG_ERROR, "store_database_failed", LOG_NUMBER("code", code));
		return ERR_UNAVAILABLE;
	}
}

int kv_lmdb_full_code(MDB_env *env, int code)
{
	static const uint8_t zeros[4096];
	int fd;
	struct stat stat;
	if (code != EIO || mdb_env_get_fd(env, &fd) || fstat(fd, &stat) != 0)
		return code;
	// Can it grow by a page? LMDB does not look at what stands behind its last page.
	ssize_t written = pwrite(fd, zeros, sizeof(zeros), stat.st_size);
	if (written == (ssize_t)sizeof(zeros) || (written < 0 && errno == EIO))
		return EIO;
	return ENOSPC;
}

static MDB_val val_of(struct bytes bytes)
{
	return (MDB_val){.mv_size = bytes.count, .mv_data = (void *)bytes.at};
}

static struct bytes bytes_of(MDB_val val)
{
	return (struct bytes){val.mv_data, val.mv_size};
}

static void failed(struct kv *kv, int code)
{
	kv_fail(kv, kv_lmdb_err(kv_lmdb_full_code(lmdb_of(kv)->env, code)));
}

// True if it was found; everything but "not found" is an error that sticks.
static bool found(struct kv *kv, int code)
{
	if (code != MDB_SUCCESS && code != MDB_NOTFOUND)
		failed(kv, code);
	return code == MDB_SUCCESS;
}

static void lmdb_begin(struct kv *kv)
{
	struct kv_lmdb *lmdb = lmdb_of(kv);
	lmdb->txn = NULL;
	if (!lmdb->env) {
		kv_fail(kv, ERR_UNAVAILABLE);
		return;
	}
	int code = mdb_txn_begin(lmdb->env, NULL, 0, &lmdb->txn);
	if (code)
		kv_fail(kv, kv_lmdb_err(code));
}

static enum err lmdb_commit(struct kv *kv)
{
	struct kv_lmdb *lmdb = lmdb_of(kv);
	MDB_txn *txn = lmdb->txn;
	lmdb->txn = NULL;
	return kv_lmdb_err(kv_lmdb_full_code(lmdb->env, mdb_txn_commit(txn)));
}

static void lmdb_abort(struct kv *kv)
{
	struct kv_lmdb *lmdb = lmdb_of(kv);
	if (lmdb->txn)
		mdb_txn_abort(lmdb->txn);
	lmdb->txn = NULL;
}

static bool lmdb_get(struct kv *kv, enum kv_table table, struct bytes key, struct bytes *value)
{
	struct kv_lmdb *lmdb = lmdb_of(kv);
	MDB_val at = val_of(key), got;
	if (!found(kv, mdb_get(lmdb->txn, lmdb->tables[table], &at, &got)))
		return false;
	*value = bytes_of(got);
	return true;
}

static void lmdb_put(struct kv *kv, enum kv_table table, struct bytes key, struct bytes value, bool append)
{
	struct kv_lmdb *lmdb = lmdb_of(kv);
	MDB_val at = val_of(key), given = val_of(value);
	// Appending fills pages to the end instead of splitting them in the middle.
	int code = mdb_put(lmdb->txn, lmdb->tables[table], &at, &given, append ? MDB_APPEND : 0);
	if (code == MDB_KEYEXIST && append)
		code = mdb_put(lmdb->txn, lmdb->tables[table], &at, &given, 0);
	if (code)
		failed(kv, code);
}

static bool lmdb_del(struct kv *kv, enum kv_table table, struct bytes key)
{
	struct kv_lmdb *lmdb = lmdb_of(kv);
	MDB_val at = val_of(key);
	return found(kv, mdb_del(lmdb->txn, lmdb->tables[table], &at, NULL));
}

static bool lmdb_last(struct kv *kv, enum kv_table table, struct bytes *key, struct bytes *value)
{
	struct kv_lmdb *lmdb = lmdb_of(kv);
	MDB_cursor *cursor;
	int code = mdb_cursor_open(lmdb->txn, lmdb->tables[table], &cursor);
	if (!found(kv, code))
		return false;
	MDB_val at, got;
	code = mdb_cursor_get(cursor, &at, &got, MDB_LAST);
	mdb_cursor_close(cursor);
	if (!found(kv, code))
		return false;
	*key = bytes_of(at);
	*value = bytes_of(got);
	return true;
}

static size_t lmdb_count(struct kv *kv, enum kv_table table)
{
	struct kv_lmdb *lmdb = lmdb_of(kv);
	MDB_stat stat;
	return found(kv, mdb_stat(lmdb->txn, lmdb->tables[table], &stat)) ? stat.ms_entries : 0;
}

static bool cursor_move(struct kv_cursor *cursor, struct bytes from, MDB_cursor_op op)
{
	MDB_val at = val_of(from), got;
	if (!found(cursor->kv, mdb_cursor_get(cursor->native, &at, &got, op)))
		return false;
	cursor->key = bytes_of(at);
	cursor->value = bytes_of(got);
	return true;
}

static bool lmdb_seek(struct kv_cursor *cursor, struct bytes from)
{
	struct kv_lmdb *lmdb = lmdb_of(cursor->kv);
	if (!cursor->native) {
		MDB_cursor *native = NULL;
		if (!found(cursor->kv, mdb_cursor_open(lmdb->txn, lmdb->tables[cursor->table], &native)))
			return false;
		cursor->native = native;
	}
	return cursor_move(cursor, from, MDB_SET_RANGE);
}

static bool lmdb_next(struct kv_cursor *cursor)
{
	return cursor_move(cursor, (struct bytes){0}, MDB_NEXT);
}

static void lmdb_stop(struct kv_cursor *cursor)
{
	if (cursor->native)
		mdb_cursor_close(cursor->native);
	cursor->native = NULL;
}

// ---- reading beside the writer

static bool lmdb_read_begin(struct kv_reader *reader)
{
	struct kv_lmdb *lmdb = lmdb_of(reader->kv);
	MDB_txn *txn = NULL;
	pthread_rwlock_rdlock(&lmdb->swap);
	if (lmdb->env && mdb_txn_begin(lmdb->env, NULL, MDB_RDONLY, &txn) == MDB_SUCCESS) {
		reader->snapshot = txn;
		return true;
	}
	pthread_rwlock_unlock(&lmdb->swap);
	return false;
}

static void lmdb_read_end(struct kv_reader *reader)
{
	if (reader->cursor)
		mdb_cursor_close(reader->cursor);
	mdb_txn_abort(reader->snapshot);
	pthread_rwlock_unlock(&lmdb_of(reader->kv)->swap);
}

static bool lmdb_read_get(struct kv_reader *reader, enum kv_table table, struct bytes key, struct bytes *value)
{
	MDB_val at = val_of(key), got;
	if (mdb_get(reader->snapshot, lmdb_of(reader->kv)->tables[table], &at, &got) != MDB_SUCCESS)
		return false;
	*value = bytes_of(got);
	return true;
}

static bool read_move(struct kv_reader *reader, struct bytes from, MDB_cursor_op op, struct bytes *key,
                      struct bytes *value)
{
	MDB_val at = val_of(from), got;
	if (mdb_cursor_get(reader->cursor, &at, &got, op) != MDB_SUCCESS)
		return false;
	*key = bytes_of(at);
	*value = bytes_of(got);
	return true;
}

static bool lmdb_read_seek(struct kv_reader *reader, enum kv_table table, struct bytes from, struct bytes *key,
                           struct bytes *value)
{
	if (reader->cursor && reader->table != table) {
		mdb_cursor_close(reader->cursor);
		reader->cursor = NULL;
	}
	if (!reader->cursor) {
		MDB_cursor *cursor;
		if (mdb_cursor_open(reader->snapshot, lmdb_of(reader->kv)->tables[table], &cursor) != MDB_SUCCESS)
			return false;
		reader->cursor = cursor;
		reader->table = table;
	}
	return read_move(reader, from, from.count > 0 ? MDB_SET_RANGE : MDB_LAST, key, value);
}

static bool lmdb_read_next(struct kv_reader *reader, struct bytes *key, struct bytes *value)
{
	return read_move(reader, (struct bytes){0}, MDB_NEXT, key, value);
}

static uint64_t lmdb_bytes_used(struct kv *kv)
{
	struct kv_lmdb *lmdb = lmdb_of(kv);
	MDB_envinfo info;
	MDB_stat stat;
	if (!lmdb->env || mdb_env_info(lmdb->env, &info) || mdb_env_stat(lmdb->env, &stat))
		return 0;
	return ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
}

static void lmdb_close(struct kv *kv)
{
	struct kv_lmdb *lmdb = lmdb_of(kv);
	if (lmdb->env)
		mdb_env_close(lmdb->env);
	pthread_rwlock_destroy(&lmdb->swap);
	free(lmdb->directory);
	free(lmdb);
}

static int tables_open(MDB_env *env, MDB_dbi tables[KV_TABLE_COUNT])
{
	MDB_txn *txn;
	int code = mdb_txn_begin(env, NULL, 0, &txn);
	if (code)
		return code;
	for (int table = 0; table < KV_TABLE_COUNT && !code; table++)
		code = mdb_dbi_open(txn, kv_table_name((enum kv_table)table), MDB_CREATE, &tables[table]);
	if (!code)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return code;
}

int kv_lmdb_env_open(const char *directory, const char *file, uint64_t map_bytes, unsigned flags, MDB_env **env,
                     MDB_dbi tables[KV_TABLE_COUNT])
{
	char path[PATH_MAX];
	if (snprintf(path, sizeof(path), "%s/%s", directory, file) >= (int)sizeof(path))
		return ENAMETOOLONG;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	int code = mdb_env_create(env);
	if (code)
		return code;
	if (!code)
		code = mdb_env_set_mapsize(*env, (size_t)((map_bytes + page - 1) / page * page));
	if (!code)
		code = mdb_env_set_maxdbs(*env, KV_TABLE_COUNT);
	// NOTLS: readers belong to their transaction, not to a thread, so that slices of catch-up can move about.
	// Read-ahead stays on: a restart walks whole tables, and appended ones lie in order.
	if (!code)
		code = mdb_env_open(*env, path, MDB_NOSUBDIR | MDB_NOTLS | flags, 0600);
	if (!code)
		code = tables_open(*env, tables);
	if (code) {
		mdb_env_close(*env);
		*env = NULL;
	}
	return code;
}

enum err kv_open_lmdb(const char *directory, uint64_t map_bytes, struct kv **out)
{
	static const struct kv_ops ops = {
	    .begin = lmdb_begin,
	    .commit = lmdb_commit,
	    .abort = lmdb_abort,
	    .get = lmdb_get,
	    .put = lmdb_put,
	    .del = lmdb_del,
	    .last = lmdb_last,
	    .count = lmdb_count,
	    .seek = lmdb_seek,
	    .next = lmdb_next,
	    .stop = lmdb_stop,
	    .read_begin = lmdb_read_begin,
	    .read_end = lmdb_read_end,
	    .read_get = lmdb_read_get,
	    .read_seek = lmdb_read_seek,
	    .read_next = lmdb_read_next,
	    .reads_beside = true,
	    .compact = kv_lmdb_compact,
	    .bytes_used = lmdb_bytes_used,
	    .close = lmdb_close,
	};
	struct kv_lmdb *lmdb = calloc(1, sizeof(*lmdb));
	if (!lmdb || !(lmdb->directory = strdup(directory)))
		abort();
	lmdb->kv.ops = &ops;
	// A file that waits to be changed must not be kept waiting by ever new readers.
	pthread_rwlockattr_t attributes;
	pthread_rwlockattr_init(&attributes);
	pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&lmdb->swap, &attributes);
	pthread_rwlockattr_destroy(&attributes);
	lmdb->map_bytes = map_bytes ? map_bytes : MAP_BYTES_DEFAULT;
	int code = kv_lmdb_env_open(directory, "data.mdb", lmdb->map_bytes, 0, &lmdb->env, lmdb->tables);
	if (code) {
		lmdb_close(&lmdb->kv);
		enum err err = kv_lmdb_err(code);
		return err == ERR_STORAGE_FULL ? err : ERR_IO;
	}
	*out = &lmdb->kv;
	return ERR_OK;
}
