// The broker's signed word that an intent was withdrawn: kept, and shown to whoever asks.
#include <stdlib.h>
#include <string.h>

#include "clients/lib/customer.h"

static enum err proof_check(const Oyez__Wallet__Intent *intent, const Oyez__Signed *proof)
{
	enum err err = sign_open(proof, TAG_WITHDRAWAL);
	if (!err &&
	    (intent->broker_key.len != KEY_BYTES || memcmp(proof->key.data, intent->broker_key.data, KEY_BYTES) != 0))
		err = ERR_BAD_SIGNATURE;
	Oyez__WithdrawalReceipt *receipt = NULL;
	if (!err)
		err = codec_decode_withdrawal_receipt(NULL, proof->record.data, proof->record.len, &receipt, NULL);
	if (err)
		return err;
	struct id id = field_id(&intent->id);
	if (!field_is_id(&receipt->intent_id, &id) || receipt->broker_id.len != KEY_BYTES ||
	    memcmp(receipt->broker_id.data, intent->broker_key.data, KEY_BYTES) != 0)
		err = ERR_RECEIPT_MISMATCH;
	oyez__withdrawal_receipt__free_unpacked(receipt, NULL);
	return err;
}

void withdrawal_take(struct oyez_customer *customer, Oyez__Wallet__Intent *intent, const Oyez__Signed *proof)
{
	struct id id = field_id(&intent->id);
	enum err err = proof_check(intent, proof);
	if (err) {
		customer_problem(customer, &id, err, "withdrawal");
		return;
	}
	field_set_signed(&intent->withdrawn_proof, proof);
}
