// The slot file. Not a key-value store: it knows numbers and keys, not whose they are. All keys are held in memory too
// (32 bytes per live intent, left out of core dumps), so reading costs nothing.
//
// File: 32 bytes of header, then 32 bytes per slot; slot n stands at 32 * n. An overwrite never crosses a disk sector.
//   "oyezkeys" | version u32 | zero u32 | file id (16)
#define _GNU_SOURCE // mremap
#include "slots.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/base/cursor.h"

enum { VERSION = 1, HEADER_BYTES = SLOT_KEY_BYTES };
static const char magic[8] = "oyezkeys";

enum slot_state { FREE, USED, DOOMED, WIPED };

struct slot_list {
	uint32_t *at;
	size_t count, room;
};

struct slots {
	int fd; // -1 in memory
	uint8_t file_id[SLOT_FILE_ID_BYTES];
	uint8_t *keys; // of slot n at 32 * n; entry 0 is not used
	size_t keys_bytes;
	uint8_t *states; // enum slot_state
	uint32_t count;  // slots in the file, numbered 1 to count
	uint32_t highest_used;
	struct slot_list free, taken, doomed, wiped;
	size_t overdue; // at the front of `doomed`
};

static void list_push(struct slot_list *list, uint32_t slot)
{
	if (list->count == list->room) {
		list->room = list->room ? list->room * 2 : 256;
		list->at = realloc(list->at, list->room * sizeof(*list->at));
		if (!list->at)
			abort();
	}
	list->at[list->count++] = slot;
}

// ---- the file

static enum err io_error(int code)
{
	return code == ENOSPC || code == EDQUOT || code == EFBIG ? ERR_STORAGE_FULL : ERR_UNAVAILABLE;
}

static enum err write_at(int fd, const void *bytes, size_t count, uint64_t offset)
{
	const uint8_t *at = bytes;
	while (count > 0) {
		ssize_t written = pwrite(fd, at, count, (off_t)offset);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? io_error(errno) : ERR_UNAVAILABLE;
		at += written;
		offset += (uint64_t)written;
		count -= (size_t)written;
	}
	return ERR_OK;
}

static enum err read_at(int fd, void *bytes, size_t count, uint64_t offset)
{
	uint8_t *at = bytes;
	while (count > 0) {
		ssize_t got = pread(fd, at, count, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return ERR_IO;
		at += got;
		offset += (uint64_t)got;
		count -= (size_t)got;
	}
	return ERR_OK;
}

static enum err sync_file(int fd)
{
	while (fdatasync(fd) != 0)
		if (errno != EINTR)
			return io_error(errno);
	return ERR_OK;
}

// ---- memory

// Room for `count` slots, in memory only. The kernel's pages are zero and are left out of core dumps.
static void slots_resize(struct slots *slots, uint32_t count)
{
	size_t bytes = ((size_t)count + 1) * SLOT_KEY_BYTES;
	if (bytes > slots->keys_bytes) {
		size_t grown = bytes > 2 * slots->keys_bytes ? bytes : 2 * slots->keys_bytes;
		void *keys = slots->keys ? mremap(slots->keys, slots->keys_bytes, grown, MREMAP_MAYMOVE)
		                         : mmap(NULL, grown, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		slots->states = realloc(slots->states, grown / SLOT_KEY_BYTES);
		if (keys == MAP_FAILED || !slots->states)
			abort();
		madvise(keys, grown, MADV_DONTDUMP);
		slots->keys = keys;
		slots->keys_bytes = grown;
	}
	if (count > slots->count)
		memset(slots->states + slots->count + 1, FREE, count - slots->count);
	slots->count = count;
}

static uint8_t *key_of(const struct slots *slots, uint32_t slot)
{
	return slots->keys + (size_t)slot * SLOT_KEY_BYTES;
}

// ---- opening

static enum err slots_create_header(struct slots *slots)
{
	uint8_t header[HEADER_BYTES];
	struct writer writer;
	writer_init(&writer, header, sizeof(header));
	writer_bytes(&writer, magic, sizeof(magic));
	writer_u32(&writer, VERSION);
	writer_u32(&writer, 0);
	randombytes_buf(slots->file_id, SLOT_FILE_ID_BYTES);
	writer_bytes(&writer, slots->file_id, SLOT_FILE_ID_BYTES);
	if (slots->fd < 0)
		return ERR_OK;
	enum err err = write_at(slots->fd, header, sizeof(header), 0);
	return err ? err : sync_file(slots->fd);
}

static enum err slots_read_header(struct slots *slots)
{
	uint8_t header[HEADER_BYTES];
	enum err err = read_at(slots->fd, header, sizeof(header), 0);
	struct reader reader;
	reader_init(&reader, header, sizeof(header));
	const uint8_t *found = reader_view(&reader, sizeof(magic));
	if (err || memcmp(found, magic, sizeof(magic)) != 0 || reader_u32(&reader) != VERSION)
		return ERR_IO;
	reader_u32(&reader);
	reader_bytes(&reader, slots->file_id, SLOT_FILE_ID_BYTES);
	return ERR_OK;
}

static enum err slots_load(struct slots *slots)
{
	struct stat stat;
	if (flock(slots->fd, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ? ERR_UNAVAILABLE : ERR_IO;
	if (fstat(slots->fd, &stat) != 0 || !S_ISREG(stat.st_mode))
		return ERR_IO;
	// A header cut short is a file whose creation was interrupted: nothing can depend on it yet.
	if (stat.st_size < HEADER_BYTES)
		return slots_create_header(slots);
	enum err err = slots_read_header(slots);
	uint64_t count = (uint64_t)(stat.st_size - HEADER_BYTES) / SLOT_KEY_BYTES;
	if (err || count > SLOTS_MAX)
		return ERR_IO;
	slots_resize(slots, (uint32_t)count);
	return read_at(slots->fd, key_of(slots, 1), count * SLOT_KEY_BYTES, HEADER_BYTES);
}

enum err slots_open(const char *path, struct slots **out)
{
	if (sodium_init() < 0)
		return ERR_INTERNAL;
	struct slots *slots = calloc(1, sizeof(*slots));
	if (!slots)
		abort();
	slots_resize(slots, 0);
	slots->fd = -1;
	enum err err;
	if (path) {
		slots->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		err = slots->fd < 0 ? ERR_IO : slots_load(slots);
	} else {
		err = slots_create_header(slots);
	}
	if (err) {
		slots_close(slots);
		return err;
	}
	*out = slots;
	return ERR_OK;
}

void slots_close(struct slots *slots)
{
	if (!slots)
		return;
	if (slots->fd >= 0)
		close(slots->fd);
	sodium_memzero(slots->keys, slots->keys_bytes);
	munmap(slots->keys, slots->keys_bytes);
	free(slots->states);
	free(slots->free.at);
	free(slots->taken.at);
	free(slots->doomed.at);
	free(slots->wiped.at);
	free(slots);
}

const uint8_t *slots_file_id(const struct slots *slots)
{
	return slots->file_id;
}

uint64_t slots_bytes(const struct slots *slots)
{
	return ((uint64_t)slots->count + 1) * SLOT_KEY_BYTES;
}

// ---- filling and overwriting

// Adds a batch of random keys at the end. They are in use only after this sync, so it is the only one they cost.
static enum err slots_grow(struct slots *slots)
{
	if (slots->count > SLOTS_MAX - SLOT_BATCH)
		return ERR_STORAGE_FULL;
	uint32_t before = slots->count, batch = slots->fd < 0 ? SLOT_BATCH_MEMORY : SLOT_BATCH;
	slots_resize(slots, before + batch);
	uint8_t *keys = key_of(slots, before + 1);
	size_t bytes = (size_t)batch * SLOT_KEY_BYTES;
	randombytes_buf(keys, bytes);
	if (slots->fd >= 0) {
		enum err err = write_at(slots->fd, keys, bytes, ((uint64_t)before + 1) * SLOT_KEY_BYTES);
		if (!err)
			err = sync_file(slots->fd);
		if (err) {
			slots->count = before;
			return err;
		}
	}
	for (uint32_t slot = slots->count; slot > before; slot--)
		list_push(&slots->free, slot);
	return ERR_OK;
}

static enum err slots_overwrite(struct slots *slots, const uint32_t *list, size_t count)
{
	enum err err = ERR_OK;
	for (size_t i = 0; i < count; i++) {
		uint8_t *key = key_of(slots, list[i]);
		randombytes_buf(key, SLOT_KEY_BYTES);
		enum err written =
		    slots->fd < 0 ? ERR_OK : write_at(slots->fd, key, SLOT_KEY_BYTES, (uint64_t)list[i] * SLOT_KEY_BYTES);
		if (!err)
			err = written;
	}
	if (count > 0 && slots->fd >= 0 && !err)
		err = sync_file(slots->fd);
	return err;
}

// ---- loading

void slots_forget(struct slots *slots)
{
	memset(slots->states, FREE, (size_t)slots->count + 1);
	slots->free.count = slots->taken.count = slots->doomed.count = slots->wiped.count = 0;
	slots->overdue = 0;
	slots->highest_used = 0;
}

enum err slots_use(struct slots *slots, uint32_t slot)
{
	if (slot == SLOT_NONE || slot > slots->count || slots->states[slot] != FREE)
		return ERR_INTERNAL;
	slots->states[slot] = USED;
	if (slot > slots->highest_used)
		slots->highest_used = slot;
	return ERR_OK;
}

enum err slots_recover(struct slots *slots, const uint32_t *doomed, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (doomed[i] == SLOT_NONE || doomed[i] > slots->count || slots->states[doomed[i]] != FREE)
			return ERR_INTERNAL;
	return slots_overwrite(slots, doomed, count);
}

enum err slots_ready(struct slots *slots)
{
	uint64_t bytes = ((uint64_t)slots->highest_used + 1) * SLOT_KEY_BYTES;
	if (slots->fd >= 0 && ftruncate(slots->fd, (off_t)bytes) != 0)
		return io_error(errno);
	slots->count = slots->highest_used;
	for (uint32_t slot = slots->count; slot > SLOT_NONE; slot--)
		if (slots->states[slot] == FREE)
			list_push(&slots->free, slot);
	return slots->free.count > 0 ? ERR_OK : slots_grow(slots);
}

// ---- a transaction

enum err slots_take(struct slots *slots, uint32_t *slot)
{
	if (slots->free.count == 0) {
		enum err err = slots_grow(slots);
		if (err)
			return err;
	}
	*slot = slots->free.at[--slots->free.count];
	slots->states[*slot] = USED;
	list_push(&slots->taken, *slot);
	return ERR_OK;
}

const uint8_t *slots_key(const struct slots *slots, uint32_t slot)
{
	bool used = slot != SLOT_NONE && slot <= slots->count && slots->states[slot] == USED;
	return used ? key_of(slots, slot) : NULL;
}

enum err slots_doom(struct slots *slots, uint32_t slot)
{
	if (!slots_key(slots, slot))
		return ERR_INTERNAL;
	slots->states[slot] = DOOMED;
	list_push(&slots->doomed, slot);
	return ERR_OK;
}

void slots_abort(struct slots *slots)
{
	for (; slots->doomed.count > slots->overdue; slots->doomed.count--)
		slots->states[slots->doomed.at[slots->doomed.count - 1]] = USED;
	for (; slots->taken.count > 0; slots->taken.count--) {
		uint32_t slot = slots->taken.at[slots->taken.count - 1];
		slots->states[slot] = FREE;
		list_push(&slots->free, slot);
	}
}

enum err slots_wipe(struct slots *slots)
{
	slots->taken.count = 0;
	slots->overdue = slots->doomed.count;
	enum err err = slots_overwrite(slots, slots->doomed.at, slots->doomed.count);
	if (err)
		return err;
	for (size_t i = 0; i < slots->doomed.count; i++) {
		slots->states[slots->doomed.at[i]] = WIPED;
		list_push(&slots->wiped, slots->doomed.at[i]);
	}
	slots->doomed.count = slots->overdue = 0;
	return ERR_OK;
}

bool slots_overdue(const struct slots *slots)
{
	return slots->overdue > 0;
}

size_t slots_wiped(const struct slots *slots, const uint32_t **out)
{
	*out = slots->wiped.at;
	return slots->wiped.count;
}

void slots_retire(struct slots *slots)
{
	for (size_t i = 0; i < slots->wiped.count; i++) {
		slots->states[slots->wiped.at[i]] = FREE;
		list_push(&slots->free, slots->wiped.at[i]);
	}
	slots->wiped.count = 0;
}
