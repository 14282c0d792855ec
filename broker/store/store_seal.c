// Encryption under an intent's mailbox key: XChaCha20-Poly1305 (libsodium). Not the sealing between people, which is
// HPKE in proto/: this one only makes content vanish with its key.
//
// Nonce: 16 bytes random per opened store, then a counter of seals since. The sequence number alone would not do: a
// transaction given up can leave its pages in the file, and the number is used again for other content.
// Additional data: intent id | slot | seq | at_ms, so that an item cannot stand for another one.
#include <sodium.h>
#include <string.h>

#include "store_internal.h"

_Static_assert(SEAL_NONCE_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(SEAL_TAG_BYTES == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag");
_Static_assert(SLOT_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key");

enum { PLACE_BYTES = ID_BYTES + 4 + 8 + 8, COUNTER_AT = 16 };

static void place_write(const struct seal_place *place, uint8_t out[PLACE_BYTES])
{
	struct writer writer;
	writer_init(&writer, out, PLACE_BYTES);
	writer_bytes(&writer, place->intent->bytes, ID_BYTES);
	writer_u32(&writer, place->slot);
	writer_u64(&writer, place->seq);
	writer_u64(&writer, place->at_ms);
}

bool store_seal(struct store *store, const struct seal_place *place, const void *plain, size_t count, uint8_t *out)
{
	const uint8_t *key = slots_key(store->slots, place->slot);
	if (!key) {
		store_misused(store, "sealed_after_wipe");
		return false;
	}
	uint8_t about[PLACE_BYTES];
	place_write(place, about);
	sodium_increment(store->nonce + COUNTER_AT, SEAL_NONCE_BYTES - COUNTER_AT);
	memcpy(out, store->nonce, SEAL_NONCE_BYTES);
	crypto_aead_xchacha20poly1305_ietf_encrypt(out + SEAL_NONCE_BYTES, NULL, plain, count, about, sizeof(about), NULL,
	                                           store->nonce, key);
	return true;
}

bool store_open_sealed(struct store *store, const struct seal_place *place, struct bytes sealed, uint8_t *out)
{
	const uint8_t *key = slots_key(store->slots, place->slot);
	if (!key || sealed.count < SEAL_OVERHEAD_BYTES)
		return false;
	uint8_t about[PLACE_BYTES];
	place_write(place, about);
	return crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed.at + SEAL_NONCE_BYTES,
	                                                  sealed.count - SEAL_NONCE_BYTES, about, sizeof(about), sealed.at,
	                                                  key) == 0;
}
