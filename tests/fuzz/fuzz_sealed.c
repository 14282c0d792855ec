// Any bytes as a sealed message, as what a stranger sealed properly, and as the record signed inside one.
// First byte: which kind of message and how deep the bytes go.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"
#include "proto/seal.h"
#include "proto/sign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static const struct kind {
	const char *info, *tag;
	const ProtobufCMessageDescriptor *descriptor;
} kinds[] = {
    {SEAL_OFFER, TAG_OFFER, &oyez__offer__descriptor},
    {SEAL_QUESTION, TAG_QUESTION, &oyez__question__descriptor},
    {SEAL_ANSWER, TAG_ANSWER, &oyez__answer_text__descriptor},
    {SEAL_AGREEMENT, TAG_AGREEMENT, &oyez__agreement__descriptor},
    {SEAL_REVEAL, TAG_REVEAL, &oyez__card__descriptor},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static const struct seal_header header = {.from = {{1}}, .release = {{2}}, .object = {{3}}, .expires_at_ms = 4};
static struct hpke_pair recipient;
static struct sign_pair sender;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	static const uint8_t seed[32] = "a seed that is 32 bytes long...";
	if (sodium_init() < 0)
		abort();
	hpke_pair_derive(&recipient, seed, 31);
	sign_pair_from_seed(&sender, seed);
	return 0;
}

static void try_record(const struct kind *kind, const uint8_t *bytes, size_t count)
{
	ProtobufCMessage *message;
	if (codec_decode(kind->descriptor, NULL, bytes, count, &message, NULL) == ERR_OK)
		protobuf_c_message_free_unpacked(message, NULL);
}

static void try_plain(const struct kind *kind, const uint8_t *plain, size_t count)
{
	Oyez__Signed *signed_record;
	if (codec_decode_signed(NULL, plain, count, &signed_record, NULL) != ERR_OK)
		return;
	if (sign_open(signed_record, kind->tag) == ERR_OK)
		try_record(kind, signed_record->record.data, signed_record->record.len);
	oyez__signed__free_unpacked(signed_record, NULL);
}

static void try_sealed(const struct kind *kind, const uint8_t *sealed, size_t count)
{
	uint8_t *plain;
	size_t plain_bytes;
	if (open_message(kind->info, &recipient, &header, sealed, count, &plain, &plain_bytes) != ERR_OK)
		return;
	try_plain(kind, plain, plain_bytes);
	free(plain);
}

static void seal_and_try(const struct kind *kind, const uint8_t *plain, size_t count)
{
	uint8_t *sealed;
	size_t sealed_bytes;
	if (seal_message(kind->info, recipient.public_key, &header, plain, count, &sealed, &sealed_bytes) != ERR_OK)
		return;
	try_sealed(kind, sealed, sealed_bytes);
	free(sealed);
}

static void sign_and_try(const struct kind *kind, const uint8_t *record, size_t count)
{
	uint8_t *plain;
	size_t plain_bytes;
	if (sign_wrap(&sender, kind->tag, record, count, &plain, &plain_bytes) != ERR_OK)
		return;
	seal_and_try(kind, plain, plain_bytes);
	free(plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	const struct kind *kind = &kinds[data[0] % KINDS];
	switch (data[0] / KINDS % 4) {
	case 0:
		try_sealed(kind, data + 1, size - 1);
		break;
	case 1:
		seal_and_try(kind, data + 1, size - 1);
		break;
	case 2:
		sign_and_try(kind, data + 1, size - 1);
		break;
	default:
		try_record(kind, data + 1, size - 1);
	}
	return 0;
}
