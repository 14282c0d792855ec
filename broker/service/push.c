// From plaintexts to one signed request frame.
#include "push.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"
#include "proto/frame.h"

struct push_batch *push_batch_new(const uint8_t guardian[KEY_BYTES], atomic_size_t *under_way)
{
	struct push_batch *batch = calloc(1, sizeof *batch);
	if (!batch)
		abort();
	memcpy(batch->guardian, guardian, KEY_BYTES);
	batch->under_way = under_way;
	atomic_fetch_add(under_way, 1);
	return batch;
}

void push_batch_free(struct push_batch *batch)
{
	atomic_fetch_sub(batch->under_way, 1);
	sodium_memzero(batch, sizeof *batch);
	free(batch);
}

static uint8_t *pack_batch(const struct push_batch *batch, const struct sign_pair *identity, uint64_t now_ms,
                           size_t *count)
{
	uint8_t cells[PUSH_CELLS_MAX][BOX_CELL_BYTES];
	Oyez__BoxCell items[PUSH_CELLS_MAX], *list[PUSH_CELLS_MAX];
	Oyez__PushBatch message = OYEZ__PUSH_BATCH__INIT;
	message.guardian_id = (ProtobufCBinaryData){KEY_BYTES, (uint8_t *)(uintptr_t)batch->guardian};
	message.made_at_ms = now_ms;
	message.cells = list;
	message.n_cells = batch->count;
	for (size_t i = 0; i < batch->count; i++) {
		const struct push_cell *cell = &batch->cells[i];
		box_seal(&cell->sender, identity, cell->box_id, cell->message, cell->message_bytes, cells[i]);
		oyez__box_cell__init(&items[i]);
		items[i].box_id = (ProtobufCBinaryData){BOX_ID_BYTES, (uint8_t *)(uintptr_t)cell->box_id};
		items[i].cell = (ProtobufCBinaryData){BOX_CELL_BYTES, cells[i]};
		list[i] = &items[i];
	}
	uint8_t *bytes;
	if (codec_encode(&message.base, &bytes, count))
		abort();
	return bytes;
}

void push_frame(const struct push_batch *batch, const struct sign_pair *identity, uint64_t now_ms, uint8_t **frame,
                size_t *frame_bytes)
{
	Oyez__Signed record = OYEZ__SIGNED__INIT;
	Oyez__Request request = OYEZ__REQUEST__INIT;
	uint8_t signature[SIGNATURE_BYTES];
	size_t count;
	uint8_t *bytes = pack_batch(batch, identity, now_ms, &count);
	sign_bytes(identity, TAG_PUSH, bytes, count, signature);
	record.record = (ProtobufCBinaryData){count, bytes};
	record.key = (ProtobufCBinaryData){KEY_BYTES, (uint8_t *)(uintptr_t)identity->public_key};
	record.signature = (ProtobufCBinaryData){SIGNATURE_BYTES, signature};
	request.body_case = OYEZ__REQUEST__BODY_PUSH;
	request.push = &record;
	if (codec_encode_frame(&request.base, FRAME_REQUEST, frame, frame_bytes))
		abort();
	free(bytes);
}
