// What became of a request to erase: the vendor's receipt or refusal, verified, and its meaning said honestly.
#include <stdlib.h>
#include <string.h>

#include "clients/lib/customer.h"
#include "clients/lib/view.h"
#include "proto/seal.h"

static const char PROMISE[] = "the vendor signed that it erased; this proves the promise, not the deletion";
static const char REFUSAL[] =
    "the vendor signed that a law makes it keep the data, and which; whether it does can be asked "
    "of the data protection authority";

// The request as it was signed: its record id is what a receipt must name.
static enum err request_hash(const Oyez__Wallet__Deal *deal, struct id *hash)
{
	Oyez__Signed *request;
	if (codec_decode_signed(NULL, deal->erase.data, deal->erase.len, &request, NULL))
		return ERR_RECEIPT_MISMATCH; // none was asked for
	*hash = signed_id_of(TAG_RECORD_ID, request);
	oyez__signed__free_unpacked(request, NULL);
	return ERR_OK;
}

static enum err receipt_check(const Oyez__Wallet__Deal *deal, const struct deal_keys *keys,
                              const Oyez__ErasureAnswer *answer, const Oyez__Signed *signed_receipt,
                              Oyez__ErasureReceipt **out)
{
	struct id hash;
	enum err err = sign_open(signed_receipt, TAG_ERASURE);
	if (!err && memcmp(signed_receipt->key.data, keys->vendor_key, KEY_BYTES) != 0)
		err = ERR_BAD_SIGNATURE;
	if (!err)
		err = codec_decode_erasure_receipt(NULL, signed_receipt->record.data, signed_receipt->record.len, out, NULL);
	if (!err)
		err = request_hash(deal, &hash);
	const Oyez__ErasureReceipt *receipt = *out;
	if (!err && (!field_is_id(&receipt->deal_id, &keys->id) || !field_is_id(&receipt->vendor_id, &keys->vendor) ||
	             !field_is_id(&receipt->request_hash, &hash) || receipt->result != answer->result))
		err = ERR_RECEIPT_MISMATCH;
	return err;
}

enum err erasure_take(struct oyez_customer *customer, Oyez__Wallet__Deal *deal, const struct deal_keys *keys,
                      const Oyez__DealItem *item)
{
	const Oyez__ErasureAnswer *answer = item->erasure;
	struct seal_header header = {.from = keys->vendor, .release = keys->release, .object = keys->id};
	uint8_t *plain = NULL;
	size_t count = 0;
	Oyez__Signed *signed_receipt = NULL;
	Oyez__ErasureReceipt *receipt = NULL;
	enum err err =
	    open_message(SEAL_ERASURE, &keys->box, &header, answer->sealed.data, answer->sealed.len, &plain, &count);
	if (!err)
		err = codec_decode_signed(NULL, plain, count, &signed_receipt, NULL);
	if (!err)
		err = receipt_check(deal, keys, answer, signed_receipt, &receipt);
	if (!err && !deal->erase_answered_at_ms) {
		field_set(&deal->erase_receipt, plain, count);
		deal->erase_acknowledged = true;
		deal->erase_result = receipt->result;
		deal->erase_answered_at_ms = item->at_ms;
		field_set_text(&deal->erase_ground, receipt->ground);
		json_t *event = erasure_json(deal, item->at_ms);
		json_object_set_new(event, "deal", json_binary(&deal->id));
		json_object_set_new(event, "vendor", json_binary(&deal->vendor_id));
		json_object_set_new(event, "vendor_name", json_text(deal->vendor_name));
		customer_event(customer, "erasure", &keys->intent, event);
	}
	if (receipt)
		oyez__erasure_receipt__free_unpacked(receipt, NULL);
	if (signed_receipt)
		oyez__signed__free_unpacked(signed_receipt, NULL);
	free(plain);
	return err;
}

json_t *erasure_json(const Oyez__Wallet__Deal *deal, uint64_t now_ms)
{
	if (!deal->erase.len)
		return json_null();
	bool answered = deal->erase_answered_at_ms > 0;
	bool erased = deal->erase_result == OYEZ__ERASURE_RESULT__ERASURE_ERASED;
	const char *status = answered                      ? erased ? "erased" : "refused"
	                     : !deal->erase_acknowledged   ? "pending"
	                     : now_ms >= deal->erase_by_ms ? "overdue"
	                                                   : "asked";
	json_t *object = json_object();
	json_object_set_new(object, "status", json_string(status));
	json_object_set_new(object, "asked_at", json_time(deal->erase_at_ms));
	json_object_set_new(object, "answer_by", json_time(deal->erase_by_ms));
	json_object_set_new(object, "answered_at", json_time(deal->erase_answered_at_ms));
	json_object_set_new(object, "in_time",
	                    answered ? json_boolean(deal->erase_answered_at_ms < deal->erase_by_ms) : json_null());
	if (answered && !erased)
		json_object_set_new(object, "ground", json_text(deal->erase_ground));
	if (answered)
		json_object_set_new(object, "proves", json_string(erased ? PROMISE : REFUSAL));
	return object;
}
