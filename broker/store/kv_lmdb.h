// The LMDB back end's insides, shared by kv_lmdb.c and kv_lmdb_compact.c alone. No LMDB type leaves them.
#ifndef OYEZ_STORE_KV_LMDB_H
#define OYEZ_STORE_KV_LMDB_H

#include <lmdb.h>
#include <pthread.h>

#include "kv.h"

struct kv_lmdb {
	struct kv kv;
	MDB_env *env; // NULL only after a compaction could not open the file again
	MDB_txn *txn;
	MDB_dbi tables[KV_TABLE_COUNT];
	pthread_rwlock_t swap; // held for reading by each snapshot, for writing while the file changes places
	char *directory;
	uint64_t map_bytes;
};

// Our code for one of LMDB's or the system's; logs what an operator must know about.
enum err kv_lmdb_err(int code);
// ENOSPC in the place of the EIO that LMDB gives for a short write when the file cannot grow; other codes as they are.
int kv_lmdb_full_code(MDB_env *env, int code);
// An environment over one file in the directory, with every table open. `flags` are added to the usual ones.
int kv_lmdb_env_open(const char *directory, const char *file, uint64_t map_bytes, unsigned flags, MDB_env **env,
                     MDB_dbi tables[KV_TABLE_COUNT]);
enum err kv_lmdb_compact(struct kv *kv);

#endif
