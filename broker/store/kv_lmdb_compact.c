// Rewriting the database without what was deleted.
//
// LMDB's own compacting copy (MDB_CP_COMPACT) is not enough here. It leaves out free pages and the gaps of the others,
// but copies overflow pages whole, and the tail of such a page behind its value holds whatever the recycled buffer
// held before: bytes of rows deleted since (tried with 0.9.24: 2 of 500 deleted records were still readable after a
// copy, none after this). So every row is appended, in order, to a new file whose buffers never held anything else.
// tests/unit/test_store_crash.c searches it.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "broker/base/log.h"
#include "kv_lmdb.h"

enum { ROWS_PER_COMMIT = 8192 }; // keeps the list of changed pages short

struct copy {
	MDB_txn *from;
	MDB_env *env;
	MDB_txn *to; // committed and begun anew every ROWS_PER_COMMIT rows
	size_t rows;
};

static int copy_row(struct copy *copy, MDB_dbi table, MDB_val *key, MDB_val *value)
{
	int code = mdb_put(copy->to, table, key, value, MDB_APPEND);
	if (code || ++copy->rows % ROWS_PER_COMMIT != 0)
		return code;
	code = mdb_txn_commit(copy->to);
	copy->to = NULL;
	return code ? code : mdb_txn_begin(copy->env, NULL, 0, &copy->to);
}

static int copy_table(struct copy *copy, MDB_dbi from, MDB_dbi to)
{
	MDB_cursor *cursor;
	int code = mdb_cursor_open(copy->from, from, &cursor);
	if (code)
		return code;
	MDB_val key, value;
	while (!code && !(code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)))
		code = copy_row(copy, to, &key, &value);
	mdb_cursor_close(cursor);
	return code == MDB_NOTFOUND ? 0 : code;
}

static int copy_tables(struct kv_lmdb *lmdb, MDB_env *env, const MDB_dbi tables[KV_TABLE_COUNT])
{
	struct copy copy = {.env = env};
	int code = mdb_txn_begin(lmdb->env, NULL, MDB_RDONLY, &copy.from);
	if (code)
		return code;
	code = mdb_txn_begin(env, NULL, 0, &copy.to);
	for (int table = 0; table < KV_TABLE_COUNT && !code; table++)
		code = copy_table(&copy, lmdb->tables[table], tables[table]);
	if (!code) {
		code = mdb_txn_commit(copy.to);
		copy.to = NULL;
	}
	if (copy.to)
		mdb_txn_abort(copy.to);
	mdb_txn_abort(copy.from);
	return code ? code : mdb_env_sync(env, 1);
}

// Puts the new file in the place of the old one, durably, and opens it. Without a database afterwards
// (lmdb->env NULL) every transaction fails with ERR_UNAVAILABLE.
static int swap_files(struct kv_lmdb *lmdb, int directory)
{
	pthread_rwlock_wrlock(&lmdb->swap); // until no snapshot is read any more
	mdb_env_close(lmdb->env);
	lmdb->env = NULL;
	int failed = renameat(directory, "data.mdb.new", directory, "data.mdb") != 0 ? errno : 0;
	if (!failed && fsync(directory) != 0)
		failed = errno;
	int code = kv_lmdb_env_open(lmdb->directory, "data.mdb", lmdb->map_bytes, 0, &lmdb->env, lmdb->tables);
	pthread_rwlock_unlock(&lmdb->swap);
	return failed ? failed : code;
}

enum err kv_lmdb_compact(struct kv *kv)
{
	struct kv_lmdb *lmdb = (struct kv_lmdb *)kv;
	MDB_env *env = NULL;
	MDB_dbi tables[KV_TABLE_COUNT];
	if (!lmdb->env)
		return ERR_UNAVAILABLE;
	int directory = open(lmdb->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return ERR_IO;
	unlinkat(directory, "data.mdb.new", 0); // of a compaction cut short
	// Synced once at the end; nobody else opens it, so it needs no lock file.
	int code =
	    kv_lmdb_env_open(lmdb->directory, "data.mdb.new", lmdb->map_bytes, MDB_NOSYNC | MDB_NOLOCK, &env, tables);
	if (!code) {
		code = kv_lmdb_full_code(env, copy_tables(lmdb, env, tables));
		mdb_env_close(env);
	}
	if (!code)
		code = swap_files(lmdb, directory);
	else
		unlinkat(directory, "data.mdb.new", 0);
	close(directory);
	enum err err = kv_lmdb_err(code);
	if (err)
		log_event(LOG_ERROR, "store_compact_failed", LOG_NUMBER("code", code));
	return err == ERR_OK || err == ERR_STORAGE_FULL ? err : ERR_IO;
}
