// Box cells and the schedule they leave on. One HPKE context serves all cells of a box; the sequence stands in clear in
// each, so that lost cells do no harm.
#include "box.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "padding.h"

enum { SEQUENCE_AT = HPKE_ENC_BYTES, CIPHERTEXT_AT = SEQUENCE_AT + 8 };

enum err box_begin(struct box_sender *sender, const uint8_t reply_key[KEY_BYTES])
{
	struct hpke_context context;
	*sender = (struct box_sender){0};
	enum err err = hpke_setup_sender(&context, reply_key, BOX_INFO, sizeof(BOX_INFO), NULL, sender->enc);
	if (err)
		return err;
	memcpy(sender->key, context.key, sizeof(sender->key));
	memcpy(sender->base_nonce, context.base_nonce, sizeof(sender->base_nonce));
	hpke_context_wipe(&context);
	return ERR_OK;
}

// Anybody can seal to a reply key, and a guardian may guess which one is a box's: so the home signs what stands in the
// cell, and where (box, enc, sequence). *bytes points to what is signed: box id ‖ enc ‖ sequence ‖ message.
enum { SIGNED_HEAD_BYTES = BOX_ID_BYTES + CIPHERTEXT_AT };

static void signed_head(const uint8_t box_id[BOX_ID_BYTES], const uint8_t cell[BOX_CELL_BYTES], uint8_t *out)
{
	memcpy(out, box_id, BOX_ID_BYTES);
	memcpy(out + BOX_ID_BYTES, cell, CIPHERTEXT_AT);
}

void box_seal(const struct box_sender *sender, const struct sign_pair *home, const uint8_t box_id[BOX_ID_BYTES],
              const uint8_t *message, size_t message_bytes, uint8_t cell[BOX_CELL_BYTES])
{
	uint8_t plain[BOX_PLAIN_BYTES], input[SIGNED_HEAD_BYTES + BOX_MESSAGE_BYTES_MAX];
	uint8_t content[SIGNATURE_BYTES + BOX_MESSAGE_BYTES_MAX];
	struct hpke_context context = {.sequence = sender->sequence};
	assert(message_bytes <= BOX_MESSAGE_BYTES_MAX);
	memcpy(context.key, sender->key, sizeof(context.key));
	memcpy(context.base_nonce, sender->base_nonce, sizeof(context.base_nonce));
	memcpy(cell, sender->enc, HPKE_ENC_BYTES);
	for (int i = 0; i < 8; i++)
		cell[SEQUENCE_AT + i] = (uint8_t)(sender->sequence >> (56 - 8 * i));
	signed_head(box_id, cell, input);
	if (message_bytes > 0) {
		memcpy(input + SIGNED_HEAD_BYTES, message, message_bytes);
		memcpy(content + SIGNATURE_BYTES, message, message_bytes);
	}
	sign_bytes(home, TAG_BOX, input, SIGNED_HEAD_BYTES + message_bytes, content);
	padding_add(content, SIGNATURE_BYTES + message_bytes, plain, sizeof(plain));
	hpke_seal(&context, box_id, BOX_ID_BYTES, plain, sizeof(plain), cell + CIPHERTEXT_AT);
	hpke_context_wipe(&context);
	sodium_memzero(plain, sizeof(plain));
	sodium_memzero(input, sizeof(input));
	sodium_memzero(content, sizeof(content));
}

void box_sender_wipe(struct box_sender *sender)
{
	sodium_memzero(sender, sizeof(*sender));
}

static enum err check_home(const uint8_t home_key[KEY_BYTES], const uint8_t box_id[BOX_ID_BYTES],
                           const uint8_t cell[BOX_CELL_BYTES], const uint8_t **message, size_t *message_bytes)
{
	uint8_t input[SIGNED_HEAD_BYTES + BOX_MESSAGE_BYTES_MAX];
	const uint8_t *signature = *message;
	if (*message_bytes < SIGNATURE_BYTES)
		return ERR_BAD_FRAME;
	*message += SIGNATURE_BYTES;
	*message_bytes -= SIGNATURE_BYTES;
	signed_head(box_id, cell, input);
	memcpy(input + SIGNED_HEAD_BYTES, *message, *message_bytes);
	enum err err = sign_check(home_key, TAG_BOX, input, SIGNED_HEAD_BYTES + *message_bytes, signature);
	sodium_memzero(input, sizeof(input));
	return err;
}

enum err box_open(const struct hpke_pair *reply, const uint8_t home_key[KEY_BYTES], const uint8_t box_id[BOX_ID_BYTES],
                  const uint8_t cell[BOX_CELL_BYTES], uint8_t plain[BOX_PLAIN_BYTES], const uint8_t **message,
                  size_t *message_bytes)
{
	struct hpke_context context;
	if (hpke_setup_receiver(&context, reply, BOX_INFO, sizeof(BOX_INFO), cell) != ERR_OK)
		return ERR_SEALED;
	context.sequence = 0;
	for (int i = 0; i < 8; i++)
		context.sequence = context.sequence << 8 | cell[SEQUENCE_AT + i];
	enum err err =
	    hpke_open(&context, box_id, BOX_ID_BYTES, cell + CIPHERTEXT_AT, BOX_CELL_BYTES - CIPHERTEXT_AT, plain);
	hpke_context_wipe(&context);
	if (err)
		return err;
	if (!padding_remove(plain, BOX_PLAIN_BYTES, message, message_bytes))
		return ERR_BAD_FRAME;
	return check_home(home_key, box_id, cell, message, message_bytes);
}

// ---- the schedule

uint64_t box_over_ms(uint64_t released_at_ms, uint8_t expiry_band)
{
	static const uint64_t days[] = {0, 1, 3, 7, 30, EXPIRES_MS_MAX / DAY_MS};
	enum { BANDS = sizeof(days) / sizeof(*days) };
	return released_at_ms + days[expiry_band < BANDS ? expiry_band : BANDS - 1] * DAY_MS;
}

// The first multiple of `every` above `age`.
static uint64_t next_multiple(uint64_t age, uint64_t every)
{
	return (age / every + 1) * every;
}

static uint64_t next_age(uint64_t age)
{
	// Each span's length is a multiple of the next one's step, so no step leads past a span's first time.
	if (age < BOX_FAST_UNTIL_MS)
		return next_multiple(age, BOX_FAST_EVERY_MS);
	if (age < BOX_STEADY_UNTIL_MS)
		return next_multiple(age, BOX_STEADY_EVERY_MS);
	return next_multiple(age, BOX_SLOW_EVERY_MS);
}

uint64_t box_slot_after(uint64_t released_at_ms, uint8_t expiry_band, uint64_t after_ms)
{
	uint64_t slot_ms =
	    after_ms < released_at_ms ? released_at_ms : released_at_ms + next_age(after_ms - released_at_ms);
	return slot_ms < box_over_ms(released_at_ms, expiry_band) ? slot_ms : 0;
}

// Times before `age`.
static uint64_t slots_before(uint64_t age)
{
	uint64_t fast = age < BOX_FAST_UNTIL_MS ? age : BOX_FAST_UNTIL_MS;
	uint64_t steady = age < BOX_STEADY_UNTIL_MS ? age : BOX_STEADY_UNTIL_MS;
	uint64_t count = (fast + BOX_FAST_EVERY_MS - 1) / BOX_FAST_EVERY_MS;
	if (age > BOX_FAST_UNTIL_MS)
		count += (steady - BOX_FAST_UNTIL_MS + BOX_STEADY_EVERY_MS - 1) / BOX_STEADY_EVERY_MS;
	if (age > BOX_STEADY_UNTIL_MS)
		count += (age - BOX_STEADY_UNTIL_MS + BOX_SLOW_EVERY_MS - 1) / BOX_SLOW_EVERY_MS;
	return count;
}

uint64_t box_slots_between(uint64_t from_ms, uint64_t to_ms)
{
	return slots_before(to_ms) - slots_before(from_ms);
}
