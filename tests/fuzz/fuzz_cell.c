// Any bytes as a cell, as what a stranger sealed into one, as a customer's record, and as a reply.
// First byte: which of these. The keys are fixed, so that the same input does the same every time.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/cell.h"
#include "proto/codec.h"
#include "proto/frame.h"
#include "proto/sign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static const uint64_t now_ms = UINT64_C(1790000000000);
static struct gateway_key gateway;
static struct hpke_pair ephemeral;
static struct sign_pair customer;
static uint8_t cell[CELL_BYTES], plain[CELL_BYTES];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	static const uint8_t seed[32] = "a seed that is 32 bytes long...";
	if (sodium_init() < 0)
		abort();
	hpke_pair_derive(&gateway.pair, seed, 31);
	hpke_pair_derive(&ephemeral, seed, 30);
	sign_pair_from_seed(&customer, seed);
	gateway_key_id_of(gateway.pair.public_key, gateway.id);
	gateway.accepted_until_ms = now_ms;
	return 0;
}

static void try_record(const Oyez__Signed *signed_record)
{
	Oyez__CustomerRecord *record;
	if (sign_open(signed_record, TAG_CUSTOMER) != ERR_OK)
		return;
	if (codec_decode_customer_record(NULL, signed_record->record.data, signed_record->record.len, &record, NULL) ==
	    ERR_OK)
		oyez__customer_record__free_unpacked(record, NULL);
}

static void try_body(const uint8_t *message, size_t message_bytes)
{
	Oyez__CellBody *body;
	if (codec_decode_cell_body(NULL, message, message_bytes, &body, NULL) != ERR_OK)
		return;
	if (body->body_case == OYEZ__CELL_BODY__BODY_CUSTOMER)
		try_record(body->customer);
	oyez__cell_body__free_unpacked(body, NULL);
}

static void try_request(const uint8_t *bytes, size_t count)
{
	struct cell_exchange exchange;
	const uint8_t *message;
	size_t message_bytes;
	if (cell_open_request(&gateway, 1, now_ms, bytes, count, plain, &message, &message_bytes, &exchange) == ERR_OK)
		try_body(message, message_bytes);
}

// The bytes as the whole plaintext, length and padding included.
static void seal_as_cell(const uint8_t *bytes, size_t count)
{
	static uint8_t padded[CELL_REQUEST_PLAIN_BYTES];
	struct hpke_context context;
	memset(padded, 0, sizeof(padded));
	memcpy(padded, bytes, count < sizeof(padded) ? count : sizeof(padded));
	frame_header(cell, FRAME_CELL);
	memcpy(cell + 4, gateway.id, GATEWAY_KEY_ID_BYTES);
	if (hpke_setup_sender(&context, gateway.pair.public_key, CELL_INFO, sizeof(CELL_INFO), &ephemeral, cell + 12))
		abort();
	hpke_seal(&context, cell, 12, padded, sizeof(padded), cell + 44);
}

static void try_signed(const uint8_t *record, size_t count)
{
	uint8_t *bytes;
	size_t bytes_count;
	Oyez__Signed *signed_record;
	if (sign_wrap(&customer, TAG_CUSTOMER, record, count, &bytes, &bytes_count) != ERR_OK)
		return;
	if (codec_decode_signed(NULL, bytes, bytes_count, &signed_record, NULL) == ERR_OK) {
		try_record(signed_record);
		oyez__signed__free_unpacked(signed_record, NULL);
	}
	free(bytes);
}

static void try_reply(const uint8_t *bytes, size_t count)
{
	struct cell_exchange exchange = {{1}, {2}};
	const uint8_t *message;
	size_t message_bytes;
	Oyez__CustomerReply *reply;
	cell_open_reply(&exchange, bytes, count, plain, &message, &message_bytes);
	if (cell_seal_reply(&exchange, bytes, count, cell) != ERR_OK)
		return;
	if (cell_open_reply(&exchange, cell, CELL_BYTES, plain, &message, &message_bytes) != ERR_OK ||
	    message_bytes != count || (count > 0 && memcmp(message, bytes, count) != 0))
		abort();
	if (codec_decode_customer_reply(NULL, message, message_bytes, &reply, NULL) == ERR_OK)
		oyez__customer_reply__free_unpacked(reply, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (data[0] % 5) {
	case 0:
		try_request(data + 1, size - 1);
		break;
	case 1:
		seal_as_cell(data + 1, size - 1);
		try_request(cell, CELL_BYTES);
		break;
	case 2:
		try_body(data + 1, size - 1);
		break;
	case 3:
		try_signed(data + 1, size - 1);
		break;
	default:
		try_reply(data + 1, size - 1);
	}
	return 0;
}
