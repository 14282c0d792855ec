// The vendor's home file: read, locked, changed, written as a whole. Internal to liboyez.
//
//   vendor_home_begin   lock, read again if another process wrote since
//   ... change home->state ...
//   vendor_home_commit  write, fsync, rename, fsync the directory, unlock   (or vendor_home_abandon)
//
// Pointers into home->state are good until the next begin, refresh or abandon.
#ifndef OYEZ_CLIENT_VENDOR_HOME_H
#define OYEZ_CLIENT_VENDOR_HOME_H

#include "proto/hpke.h"
#include "proto/id.h"
#include "transport.h"
#include "vendor_home.pb-c.h"

enum {
	VENDOR_HOME_VERSION = 1,
	HOME_RELEASES_MAX = 5000, // kept without an offer or question of ours; the oldest go first
};

struct vendor_home {
	Oyez__VendorHome *state;
	struct sealed_file *file;
	bool locked;
};

// Makes the file "vendor" in `folder` (made if absent). ERR_VENDOR_EXISTS. `state` stays the caller's.
enum err vendor_home_create(const char *folder, const char *passphrase, const Oyez__VendorHome *state,
                            struct oyez_error *error);
// ERR_VENDOR_MISSING, ERR_WALLET_LOCKED, ERR_WALLET_DAMAGED.
enum err vendor_home_open(const char *folder, const char *passphrase, struct vendor_home **out,
                          struct oyez_error *error);
void vendor_home_close(struct vendor_home *home);

enum err vendor_home_begin(struct vendor_home *home, struct oyez_error *error);
enum err vendor_home_commit(struct vendor_home *home, struct oyez_error *error);
// Unlocks and forgets the changes.
void vendor_home_abandon(struct vendor_home *home);
// Reads again if another process wrote since. Not while locked.
enum err vendor_home_refresh(struct vendor_home *home, struct oyez_error *error);

// Commits, and overwrites the version before with zeros: what was deleted leaves the disk, where the file system writes
// in place.
enum err vendor_home_commit_wiping(struct vendor_home *home, struct oyez_error *error);

// Drops what is over and has nothing hanging on it: old releases, ended offers, answered questions.
void vendor_home_prune(Oyez__VendorHome *state, uint64_t now_ms);

// NULL if there is none.
Oyez__HomeSubscription *home_subscription(const Oyez__VendorHome *state, const struct id *id);
Oyez__HomeRelease *home_release(const Oyez__VendorHome *state, const struct release_id *id);
Oyez__HomeQuestion *home_question(const Oyez__VendorHome *state, const struct id *id);
Oyez__HomeOffer *home_offer(const Oyez__VendorHome *state, const struct id *id);
Oyez__HomeDeal *home_deal(const Oyez__VendorHome *state, const struct id *id);
Oyez__HomePending *home_pending(const Oyez__VendorHome *state, Oyez__HomePendingKind kind, const struct id *id);

// A new, initialised member at the end of the list; owned by the state.
Oyez__HomeSubscription *home_add_subscription(Oyez__VendorHome *state);
Oyez__HomeRelease *home_add_release(Oyez__VendorHome *state);
Oyez__HomeQuestion *home_add_question(Oyez__VendorHome *state);
Oyez__HomeOffer *home_add_offer(Oyez__VendorHome *state);
Oyez__HomeDeal *home_add_deal(Oyez__VendorHome *state);
Oyez__HomePending *home_add_pending(Oyez__VendorHome *state);

void home_remove_subscription(Oyez__VendorHome *state, const Oyez__HomeSubscription *which);
void home_remove_question(Oyez__VendorHome *state, const Oyez__HomeQuestion *which);
void home_remove_pending(Oyez__VendorHome *state, const Oyez__HomePending *which);

// Replace a field's value, freeing the old one.
void home_set_bytes(ProtobufCBinaryData *field, const void *bytes, size_t count);
void home_set_text(char **field, const char *text);
// An X25519 pair as the home stores it: secret key, then public key.
void home_set_pair(ProtobufCBinaryData *field, const struct hpke_pair *pair);
bool home_get_pair(const ProtobufCBinaryData *field, struct hpke_pair *pair);

static inline bool home_is_id(const ProtobufCBinaryData *field, const struct id *id)
{
	return field->len == ID_BYTES && memcmp(field->data, id->bytes, ID_BYTES) == 0;
}
static inline struct id home_id(const ProtobufCBinaryData *field)
{
	struct id id = {{0}};

	if (field->len == ID_BYTES)
		memcpy(id.bytes, field->data, ID_BYTES);
	return id;
}
static inline struct release_id home_release_id(const ProtobufCBinaryData *field)
{
	struct release_id id = {{0}};

	if (field->len == RELEASE_ID_BYTES)
		memcpy(id.bytes, field->data, RELEASE_ID_BYTES);
	return id;
}

#endif
