// Signed records: Ed25519 over domain tag, zero byte, record (PROTOCOL.md §3; RFC 8032).
#ifndef OYEZ_PROTO_SIGN_H
#define OYEZ_PROTO_SIGN_H

#include "common.pb-c.h"
#include "err.h"
#include "id.h"

// Domain tags. Each signature, hash and sealing input begins with one of them and a zero byte.
#define TAG_CONFIG "oyez/1 config"
#define TAG_CUSTOMER "oyez/1 customer"
#define TAG_VENDOR "oyez/1 vendor"
#define TAG_LISTING "oyez/1 listing"
#define TAG_VOUCH "oyez/1 vouch"
#define TAG_QUESTION "oyez/1 question"
#define TAG_OFFER "oyez/1 offer"
#define TAG_ANSWER "oyez/1 answer"
#define TAG_AGREEMENT "oyez/1 agreement"
#define TAG_COUNTERSIGN "oyez/1 countersign"
#define TAG_OUTCOME "oyez/1 outcome"
#define TAG_REVEAL "oyez/1 reveal"
#define TAG_ACCOUNT "oyez/1 account"
#define TAG_VOUCHER "oyez/1 voucher"
#define TAG_PUSH "oyez/1 push"
#define TAG_BOX "oyez/1 box cell"
#define TAG_DEAL_RECORD "oyez/1 deal record"
#define TAG_MESSAGE "oyez/1 message"
#define TAG_ERASURE "oyez/1 erasure"
#define TAG_STANDING "oyez/1 standing"
#define TAG_WITHDRAWAL "oyez/1 withdrawal"
#define TAG_NOTICE "oyez/1 notice"
#define TAG_READ "oyez/1 read"
#define TAG_CARD "oyez/1 card"
#define TAG_DEAL "oyez/1 deal"
#define TAG_SIGNATURE "oyez/1 signature" // hash of the customer's signature
#define TAG_INTENT_ID "oyez/1 intent id"
#define TAG_VENDOR_ID "oyez/1 vendor id"
#define TAG_RECORD_ID "oyez/1 record id"
#define TAG_TERMS "oyez/1 terms"
#define TAG_ACCOUNT_ID "oyez/1 account id"
#define TAG_STAMP "oyez/1 stamp" // hashcash of a post or an account
#define TAG_GATEWAY_KEY "oyez/1 gateway key"

struct sign_pair {
	uint8_t public_key[KEY_BYTES];
	uint8_t secret_key[64]; // libsodium's form: seed, then public key
};

void sign_pair_new(struct sign_pair *pair);
void sign_pair_from_seed(struct sign_pair *pair, const uint8_t seed[32]);

// Detached signature over tag, 0, record.
void sign_bytes(const struct sign_pair *pair, const char *tag, const uint8_t *record, size_t record_bytes,
                uint8_t signature[SIGNATURE_BYTES]);
// ERR_BAD_KEY for small-order or non-canonical keys, ERR_BAD_SIGNATURE.
enum err sign_check(const uint8_t key[KEY_BYTES], const char *tag, const uint8_t *record, size_t record_bytes,
                    const uint8_t signature[SIGNATURE_BYTES]);

// Serialised Signed message around `record`. *out is malloc'd, the caller frees it.
enum err sign_wrap(const struct sign_pair *pair, const char *tag, const uint8_t *record, size_t record_bytes,
                   uint8_t **out, size_t *out_bytes);
// Checks lengths, key and signature of an unpacked Signed.
enum err sign_open(const Oyez__Signed *signed_record, const char *tag);

// SHA-256 over tag, 0, then the parts in order.
struct hash_part {
	const void *bytes;
	size_t count;
};
void hash_parts(const char *tag, const struct hash_part *parts, size_t part_count, uint8_t out[HASH_BYTES]);
struct id id_of(const char *tag, const void *bytes, size_t count);
// Intent = H(intent key); vendor = H(identity key); offer, question, subscription = H(record, signature).
struct id intent_id_of(const uint8_t intent_key[KEY_BYTES]);
struct id vendor_id_of(const uint8_t vendor_key[KEY_BYTES]);
// Over record then signature of a Signed; `tag` is TAG_RECORD_ID, or TAG_DEAL for the agreement.
struct id signed_id_of(const char *tag, const Oyez__Signed *signed_record);

// Lower-case hex. `out` has room for 2 * count + 1.
void hex_encode(const uint8_t *bytes, size_t count, char *out);
// Exactly `count` bytes from 2 * count hex digits of either case; false otherwise.
bool hex_decode(const char *text, uint8_t *out, size_t count);

#endif
