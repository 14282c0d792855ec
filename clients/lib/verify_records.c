// Is one exported record what it claims to be? Its own signature under its own tag; then the chain: agreement,
// countersignature, outcome, request to erase, receipt; a vendor's listing and its broker's word; notices in their
// order.
#include "clients/lib/verify_internal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/customer.h"
#include "proto/terms.h"

static const struct {
	const char *type, *tag;
	const ProtobufCMessageDescriptor *inside;
} kinds[] = {
    {"config", TAG_CONFIG, &oyez__config__descriptor},
    {"listing", TAG_LISTING, &oyez__listing__descriptor},
    {"standing", TAG_STANDING, &oyez__standing__descriptor},
    {"offer", TAG_OFFER, &oyez__offer__descriptor},
    {"agreement", TAG_AGREEMENT, &oyez__agreement__descriptor},
    {"outcome", TAG_OUTCOME, &oyez__outcome__descriptor},
    {"message", TAG_MESSAGE, &oyez__deal_text__descriptor},
    {"erase", TAG_DEAL_RECORD, &oyez__deal_record__descriptor},
    {"erasure_receipt", TAG_ERASURE, &oyez__erasure_receipt__descriptor},
    {"withdrawal", TAG_WITHDRAWAL, &oyez__withdrawal_receipt__descriptor},
    {"notice", TAG_NOTICE, &oyez__notice__descriptor},
};

static bool equal(const ProtobufCBinaryData *field, const void *bytes, size_t count)
{
	return field->len == count && memcmp(field->data, bytes, count) == 0;
}

static bool type_is(const struct proof *proof, const char *type)
{
	return strcmp(proof->type, type) == 0;
}

// ---- bytes

bool base64_decode(const char *text, uint8_t **out, size_t *count)
{
	size_t length = strlen(text), room = length / 4 * 3 + 3;
	*out = malloc(room);
	if (!*out || sodium_base642bin(*out, room, text, length, NULL, count, NULL, sodium_base64_VARIANT_ORIGINAL) == 0) {
		// One way to write it only: what decodes to the same bytes but reads otherwise was changed.
		size_t again_room = sodium_base64_encoded_len(*count, sodium_base64_VARIANT_ORIGINAL);
		char *again = *out ? malloc(again_room) : NULL;
		bool same = again && strcmp(sodium_bin2base64(again, again_room, *out, *count, sodium_base64_VARIANT_ORIGINAL),
		                            text) == 0;
		free(again);
		if (same)
			return true;
	}
	free(*out);
	*out = NULL;
	return false;
}

static enum err open_signed(struct proof *proof, const uint8_t *bytes, size_t count,
                            const ProtobufCMessageDescriptor *inside)
{
	uint8_t *again = NULL;
	size_t again_count = 0;
	enum err err = codec_decode_signed(NULL, bytes, count, &proof->message, NULL);
	if (!err)
		err = codec_encode(&proof->message->base, &again, &again_count);
	if (!err && (again_count != count || memcmp(again, bytes, count) != 0))
		err = ERR_BAD_MESSAGE;
	free(again);
	if (!err)
		err = sign_open(proof->message, proof->tag);
	if (!err)
		err = codec_decode(inside, NULL, proof->message->record.data, proof->message->record.len, &proof->inside, NULL);
	if (!err)
		proof->id = signed_id_of(type_is(proof, "agreement") ? TAG_DEAL : TAG_RECORD_ID, proof->message);
	return err;
}

void proof_open(struct proof *proof, const json_t *record)
{
	const char *type = json_string_value(json_object_get(record, "type"));
	const char *text = json_string_value(json_object_get(record, "signed"));
	*proof = (struct proof){.json = record, .type = type ? type : "", .err = ERR_BAD_MESSAGE};
	if (type_is(proof, "countersignature")) {
		proof->err = ERR_OK; // no Signed: judged with its agreement
		return;
	}
	uint8_t *bytes;
	size_t count;
	if (!text || !base64_decode(text, &bytes, &count))
		return;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!type_is(proof, kinds[i].type))
			continue;
		proof->tag = kinds[i].tag;
		proof->err = open_signed(proof, bytes, count, kinds[i].inside);
	}
	free(bytes);
}

void proof_close(struct proof *proof)
{
	if (proof->message)
		oyez__signed__free_unpacked(proof->message, NULL);
	if (proof->inside)
		protobuf_c_message_free_unpacked(proof->inside, NULL);
}

// ---- who

// A broker's key: the one known from elsewhere, else one whose configuration is in the document. With neither, only
// that the record holds by itself can be said.
static enum err broker_check(const struct document *document, const uint8_t *key)
{
	bool any = false;
	if (document->has_key)
		return memcmp(key, document->key, KEY_BYTES) == 0 ? ERR_OK : ERR_WRONG_BROKER;
	for (size_t i = 0; i < document->count; i++) {
		const struct proof *config = &document->proofs[i];
		if (!type_is(config, "config"))
			continue;
		any = true;
		if (!config->err && equal(&config->message->key, key, KEY_BYTES))
			return ERR_OK;
	}
	return any ? ERR_WRONG_BROKER : ERR_OK;
}

static enum err by_broker(const struct document *document, const struct proof *proof, const ProtobufCBinaryData *named)
{
	if (!equal(named, proof->message->key.data, KEY_BYTES))
		return ERR_BAD_SIGNATURE;
	return broker_check(document, proof->message->key.data);
}

const struct proof *agreement_proof(const struct document *document, const struct id *deal)
{
	for (size_t i = 0; i < document->count; i++) {
		const struct proof *proof = &document->proofs[i];
		if (!proof->err && type_is(proof, "agreement") && id_equal(&proof->id, deal))
			return proof;
	}
	return NULL;
}

static const Oyez__Agreement *agreement_in(const struct document *document, const struct id *deal)
{
	const struct proof *proof = agreement_proof(document, deal);
	return proof ? (const Oyez__Agreement *)proof->inside : NULL;
}

// The deal named beside the record, if one is, is the one inside.
static enum err deal_check(const struct proof *proof, const struct id *inside)
{
	const json_t *named = json_object_get(proof->json, "deal");
	char hex[2 * ID_BYTES + 1];
	hex_encode(inside->bytes, ID_BYTES, hex);
	return !named || (json_is_string(named) && strcmp(json_string_value(named), hex) == 0) ? ERR_OK : ERR_CONFLICT;
}

static enum err vendor_check(const struct proof *proof, const ProtobufCBinaryData *vendor_id)
{
	struct id id = vendor_id_of(proof->message->key.data);
	return equal(vendor_id, id.bytes, ID_BYTES) ? ERR_OK : ERR_VENDOR_MISMATCH;
}

// ---- each type

static enum err judge_config(const struct proof *proof)
{
	const Oyez__Config *config = (const Oyez__Config *)proof->inside;
	return equal(&config->broker_id, proof->message->key.data, KEY_BYTES) ? ERR_OK : ERR_BAD_SIGNATURE;
}

static enum err judge_listing(const struct document *document, const struct proof *proof)
{
	const Oyez__Listing *listing = (const Oyez__Listing *)proof->inside;
	const char *text = json_string_value(json_object_get(proof->json, "vouch"));
	uint8_t *vouch = NULL;
	size_t count = 0;
	if (!equal(&listing->vendor_key, proof->message->key.data, KEY_BYTES))
		return ERR_VENDOR_MISMATCH;
	enum err err =
	    text && base64_decode(text, &vouch, &count) && count == SIGNATURE_BYTES ? ERR_WRONG_BROKER : ERR_BAD_SIGNATURE;
	const ProtobufCBinaryData *record = &proof->message->record;
	if (err == ERR_WRONG_BROKER && document->has_key)
		err = sign_check(document->key, TAG_VOUCH, record->data, record->len, vouch);
	for (size_t i = 0; err == ERR_WRONG_BROKER && i < document->count; i++) {
		const struct proof *config = &document->proofs[i];
		if (type_is(config, "config") && !config->err &&
		    sign_check(config->message->key.data, TAG_VOUCH, record->data, record->len, vouch) == ERR_OK)
			err = ERR_OK;
	}
	free(vouch);
	// Whose listing it is for a deal: the agreement's vendor.
	const char *deal_text = json_string_value(json_object_get(proof->json, "deal"));
	struct id deal;
	const Oyez__Agreement *agreement =
	    deal_text && hex_decode(deal_text, deal.bytes, ID_BYTES) ? agreement_in(document, &deal) : NULL;
	if (!err && json_object_get(proof->json, "deal"))
		err = agreement ? vendor_check(proof, &agreement->vendor_id) : ERR_NOT_FOUND;
	return err;
}

static enum err judge_agreement(const struct proof *proof)
{
	const Oyez__Agreement *agreement = (const Oyez__Agreement *)proof->inside;
	uint8_t hash[HASH_BYTES];
	if (!equal(&agreement->intent_key, proof->message->key.data, KEY_BYTES))
		return ERR_BAD_SIGNATURE;
	for (size_t i = 0; i < terms_count(); i++) {
		const struct terms *terms = terms_at(i);
		if (strcmp(terms->iri, agreement->terms_iri) != 0 || terms->version != agreement->terms_version)
			continue; // of another version of this program: its text is not here to compare
		terms_hash(terms, hash);
		if (!equal(&agreement->terms_hash, hash, HASH_BYTES))
			return ERR_UNKNOWN_TERMS;
	}
	return deal_check(proof, &proof->id);
}

static enum err judge_countersignature(const struct document *document, const struct proof *proof)
{
	const char *deal_text = json_string_value(json_object_get(proof->json, "deal"));
	const char *key_text = json_string_value(json_object_get(proof->json, "key"));
	const char *text = json_string_value(json_object_get(proof->json, "signature"));
	struct id deal;
	uint8_t *key = NULL, *signature = NULL, hash[HASH_BYTES];
	size_t key_bytes = 0, bytes = 0;
	const struct proof *signed_by_both =
	    deal_text && hex_decode(deal_text, deal.bytes, ID_BYTES) ? agreement_proof(document, &deal) : NULL;
	if (!signed_by_both || deal_check(proof, &deal))
		return ERR_NOT_FOUND;
	enum err err = key_text && text && base64_decode(key_text, &key, &key_bytes) && key_bytes == KEY_BYTES &&
	                       base64_decode(text, &signature, &bytes) && bytes == SIGNATURE_BYTES
	                   ? ERR_OK
	                   : ERR_BAD_MESSAGE;
	if (!err) {
		struct id vendor = vendor_id_of(key);
		signature_hash(signed_by_both->message->signature.data, hash);
		err = equal(&((const Oyez__Agreement *)signed_by_both->inside)->vendor_id, vendor.bytes, ID_BYTES)
		          ? countersign_check(key, &deal, hash, signature)
		          : ERR_VENDOR_MISMATCH;
	}
	free(key);
	free(signature);
	return err;
}

static enum err judge_outcome(const struct document *document, const struct proof *proof)
{
	const Oyez__Outcome *outcome = (const Oyez__Outcome *)proof->inside;
	struct id deal = field_id(&outcome->deal_id);
	enum err err = by_broker(document, proof, &outcome->broker_id);
	return err ? err : deal_check(proof, &deal);
}

static enum err judge_message(const struct document *document, const struct proof *proof)
{
	const Oyez__DealText *text = (const Oyez__DealText *)proof->inside;
	struct id deal = field_id(&text->deal_id);
	const Oyez__Agreement *agreement = agreement_in(document, &deal);
	enum err err = deal_check(proof, &deal);
	if (err || !agreement)
		return err;
	if (text->from_vendor)
		return vendor_check(proof, &agreement->vendor_id);
	return equal(&agreement->agreement_key, proof->message->key.data, KEY_BYTES) ? ERR_OK : ERR_NOT_YOURS;
}

static enum err judge_erase(const struct document *document, const struct proof *proof)
{
	const Oyez__DealRecord *record = (const Oyez__DealRecord *)proof->inside;
	struct id deal = field_id(&record->deal_id);
	const Oyez__Agreement *agreement = agreement_in(document, &deal);
	if (record->body_case != OYEZ__DEAL_RECORD__BODY_ERASE)
		return ERR_BAD_MESSAGE;
	enum err err = deal_check(proof, &deal);
	if (!err)
		err = broker_check(document, record->broker_id.data);
	if (!err && agreement && !equal(&agreement->agreement_key, proof->message->key.data, KEY_BYTES))
		err = ERR_NOT_YOURS;
	return err;
}

static enum err judge_receipt(const struct document *document, const struct proof *proof)
{
	const Oyez__ErasureReceipt *receipt = (const Oyez__ErasureReceipt *)proof->inside;
	struct id deal = field_id(&receipt->deal_id);
	const Oyez__Agreement *agreement = agreement_in(document, &deal);
	enum err err = vendor_check(proof, &receipt->vendor_id);
	if (!err)
		err = deal_check(proof, &deal);
	if (!err && agreement)
		err = vendor_check(proof, &agreement->vendor_id);
	bool asked = false, this_one = false;
	for (size_t i = 0; i < document->count; i++) {
		const struct proof *other = &document->proofs[i];
		if (other->err || !type_is(other, "erase") ||
		    !equal(&((const Oyez__DealRecord *)other->inside)->deal_id, deal.bytes, ID_BYTES))
			continue;
		asked = true;
		this_one = this_one || equal(&receipt->request_hash, other->id.bytes, ID_BYTES);
	}
	return err ? err : asked && !this_one ? ERR_RECEIPT_MISMATCH : ERR_OK;
}

static enum err judge_notice(const struct document *document, const struct proof *proof)
{
	const Oyez__Notice *notice = (const Oyez__Notice *)proof->inside;
	enum err err = by_broker(document, proof, &notice->broker_id);
	bool first = true, found = notice->number == 1;
	if (!err && notice->number == 1 && notice->previous.len)
		err = ERR_NOTICE_CHAIN;
	for (size_t i = 0; !err && i < document->count; i++) {
		const struct proof *other = &document->proofs[i];
		if (other == proof || other->err || !type_is(other, "notice") ||
		    !equal(&other->message->key, proof->message->key.data, KEY_BYTES))
			continue;
		uint64_t number = ((const Oyez__Notice *)other->inside)->number;
		if (number == notice->number && !id_equal(&other->id, &proof->id))
			err = ERR_NOTICE_CHAIN; // two contents under one number
		first = first && number >= notice->number;
		if (number + 1 == notice->number) {
			found = true;
			if (!equal(&notice->previous, other->id.bytes, ID_BYTES))
				err = ERR_NOTICE_CHAIN;
		}
	}
	// A document may begin anywhere, but nothing is missing in between.
	return err ? err : found || first ? ERR_OK : ERR_NOTICE_CHAIN;
}

enum err proof_judge(const struct document *document, const struct proof *proof)
{
	if (proof->err)
		return proof->err;
	if (type_is(proof, "countersignature"))
		return judge_countersignature(document, proof);
	if (type_is(proof, "config"))
		return judge_config(proof);
	if (type_is(proof, "listing"))
		return judge_listing(document, proof);
	if (type_is(proof, "standing"))
		return by_broker(document, proof, &((const Oyez__Standing *)proof->inside)->broker_id);
	if (type_is(proof, "offer"))
		return vendor_check(proof, &((const Oyez__Offer *)proof->inside)->vendor_id);
	if (type_is(proof, "agreement"))
		return judge_agreement(proof);
	if (type_is(proof, "outcome"))
		return judge_outcome(document, proof);
	if (type_is(proof, "message"))
		return judge_message(document, proof);
	if (type_is(proof, "erase"))
		return judge_erase(document, proof);
	if (type_is(proof, "erasure_receipt"))
		return judge_receipt(document, proof);
	if (type_is(proof, "withdrawal"))
		return by_broker(document, proof, &((const Oyez__WithdrawalReceipt *)proof->inside)->broker_id);
	return judge_notice(document, proof);
}
