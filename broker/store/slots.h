// The slot file: one random key per live intent, outside the database, overwritten in place when the intent ends.
// Never part of a backup or of a compaction: who copies the database alone cannot read a mailbox.
//
// A slot's life:   FREE -take-> USED -doom-> DOOMED -wipe-> WIPED -retire-> FREE
//
// Taking and dooming belong to the running database transaction (slots_abort undoes both). The database holds a
// "pending wipe" row for every slot from DOOMED until it is retired, so a crash in between is made good when the
// store is next opened, and no slot is taken again while such a row exists.
#ifndef OYEZ_STORE_SLOTS_H
#define OYEZ_STORE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/err.h"

enum {
	SLOT_NONE = 0, // numbers count from 1: the file's header stands in the place of slot 0
	SLOT_KEY_BYTES = 32,
	SLOT_FILE_ID_BYTES = 16,
	SLOT_BATCH = 4096, // keys filled in and synced ahead at a time
	SLOT_BATCH_MEMORY = 64,
	SLOTS_MAX = 1 << 27,
};

struct slots;

// Creates the file (0600) when missing and locks it: ERR_UNAVAILABLE if another process, or this one, has it open.
// ERR_IO when it cannot be read or is no slot file. NULL for `path`: in memory.
enum err slots_open(const char *path, struct slots **out);
void slots_close(struct slots *slots);
// Random bytes made with the file; the database remembers them, so that the two are not mixed up.
const uint8_t *slots_file_id(const struct slots *slots);

// Loading, in this order: forget (everything is free), use each slot that a row of the database names, recover those
// with pending wipes, ready.
void slots_forget(struct slots *slots);
// ERR_INTERNAL: there is no such slot or it is in use already.
enum err slots_use(struct slots *slots, uint32_t slot);
// Overwrites them and syncs. ERR_STORAGE_FULL, ERR_UNAVAILABLE.
enum err slots_recover(struct slots *slots, const uint32_t *doomed, size_t count);
// Cuts off the unused end of the file, which a crash may have left half filled, and fills a batch ahead.
enum err slots_ready(struct slots *slots);

// Slots that were in use before come first, then fresh ones in ascending order. ERR_STORAGE_FULL, ERR_UNAVAILABLE.
enum err slots_take(struct slots *slots, uint32_t *slot);
// NULL unless the slot is in use.
const uint8_t *slots_key(const struct slots *slots, uint32_t slot);
// Its key cannot be used from now on. ERR_INTERNAL if it is not in use.
enum err slots_doom(struct slots *slots, uint32_t slot);

// The database transaction was given up.
void slots_abort(struct slots *slots);
// It is durable: overwrites the doomed keys and syncs. On error they stay doomed, and the next wipe tries again.
enum err slots_wipe(struct slots *slots);
// Doomed slots whose wipe failed after an earlier commit.
bool slots_overdue(const struct slots *slots);
// The wiped slots: the caller deletes their pending rows in a transaction and, once that is durable, retires them.
size_t slots_wiped(const struct slots *slots, const uint32_t **out);
void slots_retire(struct slots *slots);

uint64_t slots_bytes(const struct slots *slots);

#endif
