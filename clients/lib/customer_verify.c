// Is a message what it claims to be? Signatures, ids, clear headers against what is signed inside, the broker's
// voucher, and the binding to this very intent: a broker that swaps keys is found out here.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/customer.h"
#include "proto/seal.h"

static bool equal(const ProtobufCBinaryData *field, const void *bytes, size_t count)
{
	return field->len == count && memcmp(field->data, bytes, count) == 0;
}

enum err verify_release(const struct intent_keys *keys, const uint8_t *bytes, size_t count, Oyez__Release **out)
{
	Oyez__Release *release;
	enum err err = codec_decode_release(NULL, bytes, count, &release, NULL);
	if (err)
		return err;
	if (!equal(&release->intent_key, keys->pair.public_key, KEY_BYTES) ||
	    !equal(&release->reply_key, keys->reply.public_key, KEY_BYTES) ||
	    (keys->broker_known && !equal(&release->home_broker, keys->broker_key, KEY_BYTES))) {
		oyez__release__free_unpacked(release, NULL);
		return ERR_BINDING_MISMATCH;
	}
	*out = release;
	return ERR_OK;
}

enum err verify_listing(const uint8_t broker_key[KEY_BYTES], const Oyez__VouchedListing *vouched, Oyez__Listing **out)
{
	const Oyez__Signed *signed_listing = vouched->listing;
	enum err err = sign_open(signed_listing, TAG_LISTING);
	if (!err && vouched->broker_signature.len != SIGNATURE_BYTES)
		err = ERR_BAD_SIGNATURE;
	if (!err)
		err = sign_check(broker_key, TAG_VOUCH, signed_listing->record.data, signed_listing->record.len,
		                 vouched->broker_signature.data);
	Oyez__Listing *listing = NULL;
	if (!err)
		err = codec_decode_listing(NULL, signed_listing->record.data, signed_listing->record.len, &listing, NULL);
	if (!err && !equal(&listing->vendor_key, signed_listing->key.data, signed_listing->key.len)) {
		oyez__listing__free_unpacked(listing, NULL);
		err = ERR_BAD_SIGNATURE;
	}
	if (!err)
		*out = listing;
	return err;
}

enum err verify_outcome(const uint8_t broker_key[KEY_BYTES], const Oyez__Signed *signed_outcome, const struct id *deal,
                        Oyez__OutcomeResult *result, uint64_t *at_ms)
{
	enum err err = sign_open(signed_outcome, TAG_OUTCOME);
	if (err)
		return err;
	if (!equal(&signed_outcome->key, broker_key, KEY_BYTES))
		return ERR_BAD_SIGNATURE;
	Oyez__Outcome *outcome;
	err = codec_decode_outcome(NULL, signed_outcome->record.data, signed_outcome->record.len, &outcome, NULL);
	if (err)
		return err;
	if (!equal(&outcome->deal_id, deal->bytes, ID_BYTES) || !equal(&outcome->broker_id, broker_key, KEY_BYTES))
		err = ERR_BAD_SIGNATURE;
	*result = outcome->result;
	*at_ms = outcome->at_ms;
	oyez__outcome__free_unpacked(outcome, NULL);
	return err;
}

static enum err check_binding(const struct intent_keys *keys, const Oyez__Binding *binding)
{
	bool own = keys->released && equal(&binding->release_id, keys->release.bytes, RELEASE_ID_BYTES) &&
	           equal(&binding->intent_key, keys->pair.public_key, KEY_BYTES) &&
	           equal(&binding->reply_key, keys->reply.public_key, KEY_BYTES) &&
	           equal(&binding->terms_hash, keys->terms_hash, HASH_BYTES);
	return own ? ERR_OK : ERR_BINDING_MISMATCH;
}

// The sealed part opened; the Signed checked against its tag and the id in the clear header.
static enum err open_note(const struct intent_keys *keys, const Oyez__VendorMessage *message, bool is_offer,
                          struct vendor_note *note, Oyez__Signed **signed_message)
{
	struct seal_header header = {.from = note->vendor_id, .object = note->id, .expires_at_ms = message->expires_at_ms};
	memcpy(header.release.bytes, message->release_id.data, RELEASE_ID_BYTES);
	enum err err = open_message(is_offer ? SEAL_OFFER : SEAL_QUESTION, &keys->reply, &header, message->sealed.data,
	                            message->sealed.len, &note->signed_bytes, &note->signed_count);
	if (err)
		return err;
	err = codec_decode_signed(NULL, note->signed_bytes, note->signed_count, signed_message, NULL);
	if (!err)
		err = sign_open(*signed_message, is_offer ? TAG_OFFER : TAG_QUESTION);
	if (err)
		return err;
	struct id id = signed_id_of(TAG_RECORD_ID, *signed_message);
	if (!id_equal(&id, &note->id) || !equal(&(*signed_message)->key, note->vendor_key, KEY_BYTES))
		return ERR_BAD_SIGNATURE;
	return ERR_OK;
}

static enum err check_inside(const struct intent_keys *keys, const Oyez__VendorMessage *message, bool is_offer,
                             struct vendor_note *note, const Oyez__Signed *signed_message)
{
	const ProtobufCBinaryData *record = &signed_message->record;
	const Oyez__Binding *binding;
	const ProtobufCBinaryData *vendor_id;
	uint64_t expires_at_ms = 0;
	enum err err;
	if (is_offer) {
		err = codec_decode_offer(NULL, record->data, record->len, &note->offer, NULL);
		if (err)
			return err;
		binding = note->offer->binding;
		vendor_id = &note->offer->vendor_id;
		expires_at_ms = note->offer->valid_until_ms;
	} else {
		err = codec_decode_question(NULL, record->data, record->len, &note->question, NULL);
		if (err)
			return err;
		binding = note->question->binding;
		vendor_id = &note->question->vendor_id;
	}
	if (!equal(vendor_id, note->vendor_id.bytes, ID_BYTES) || message->expires_at_ms != expires_at_ms ||
	    !equal(&message->release_id, binding->release_id.data, binding->release_id.len))
		return ERR_BAD_SIGNATURE;
	return check_binding(keys, binding);
}

enum err verify_vendor_message(const struct intent_keys *keys, const Oyez__VendorMessage *message, bool is_offer,
                               struct vendor_note *note)
{
	Oyez__Signed *signed_message = NULL;
	memset(note, 0, sizeof(*note));
	if (message->id.len != ID_BYTES || message->release_id.len != RELEASE_ID_BYTES || !message->listing)
		return ERR_BAD_MESSAGE;
	note->id = field_id(&message->id);
	enum err err = verify_listing(keys->broker_key, message->listing, &note->listing);
	if (!err) {
		memcpy(note->vendor_key, note->listing->vendor_key.data, KEY_BYTES);
		note->vendor_id = vendor_id_of(note->vendor_key);
		err = open_note(keys, message, is_offer, note, &signed_message);
	}
	if (!err)
		err = check_inside(keys, message, is_offer, note, signed_message);
	if (!err && message->standing) {
		note->standing_err = standing_verify(keys->broker_key, &note->vendor_id, message->standing);
		note->standing = note->standing_err ? NULL : message->standing;
	}
	if (signed_message)
		oyez__signed__free_unpacked(signed_message, NULL);
	if (err)
		vendor_note_free(note);
	return err;
}

void vendor_note_free(struct vendor_note *note)
{
	if (note->offer)
		oyez__offer__free_unpacked(note->offer, NULL);
	if (note->question)
		oyez__question__free_unpacked(note->question, NULL);
	if (note->listing)
		oyez__listing__free_unpacked(note->listing, NULL);
	free(note->signed_bytes);
	memset(note, 0, sizeof(*note));
}
