// Batches of box cells on their way to one guardian: filled on the state thread, sealed and signed on any other.
#ifndef OYEZ_SERVICE_PUSH_H
#define OYEZ_SERVICE_PUSH_H

#include <stdatomic.h>

#include "proto/box.h"
#include "proto/sign.h"

struct push_cell {
	uint8_t box_id[BOX_ID_BYTES];
	struct box_sender sender;
	uint8_t message[BOX_MESSAGE_BYTES_MAX]; // BoxPlain
	size_t message_bytes;
};

struct push_batch {
	uint8_t guardian[KEY_BYTES];
	struct push_cell cells[PUSH_CELLS_MAX];
	size_t count;
	atomic_size_t *under_way; // counted down when it is freed
	struct push_batch *next;
};

struct push_batch *push_batch_new(const uint8_t guardian[KEY_BYTES], atomic_size_t *under_way);
void push_batch_free(struct push_batch *batch);
// The request frame, malloc'd.
void push_frame(const struct push_batch *batch, const struct sign_pair *identity, uint64_t now_ms, uint8_t **frame,
                size_t *frame_bytes);

#endif
