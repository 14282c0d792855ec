// The two directions of the codec. Decoding is three steps, each in its file: the wire bytes are scanned
// (codec_scan.c), protobuf-c unpacks, the message is checked against the rules (codec_check.c, codec_rules.c).
#include "codec.h"

#include <stdlib.h>
#include <string.h>

#include "codec_rules.h"
#include "frame.h"

enum err codec_decode(const ProtobufCMessageDescriptor *descriptor, ProtobufCAllocator *allocator, const uint8_t *bytes,
                      size_t count, ProtobufCMessage **out, struct codec_detail *detail)
{
	static const uint8_t nothing[1];
	*out = NULL;
	if (detail)
		detail->text[0] = '\0';
	if (!bytes)
		bytes = nothing;
	enum err err = codec_scan(descriptor, bytes, count, detail);
	if (err)
		return err;
	ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, allocator, count, bytes);
	if (!message)
		return ERR_BAD_MESSAGE;
	err = codec_check(message, detail);
	if (err) {
		protobuf_c_message_free_unpacked(message, allocator);
		return err;
	}
	*out = message;
	return ERR_OK;
}

static enum err encode_behind(const ProtobufCMessage *message, size_t prefix_bytes, uint8_t **out, size_t *out_bytes)
{
	*out_bytes = prefix_bytes + protobuf_c_message_get_packed_size(message);
	*out = malloc(*out_bytes + 1); // never a request for nothing
	if (!*out) {
		*out_bytes = 0;
		return ERR_NO_MEMORY;
	}
	protobuf_c_message_pack(message, *out + prefix_bytes);
	return ERR_OK;
}

enum err codec_encode(const ProtobufCMessage *message, uint8_t **out, size_t *out_bytes)
{
	return encode_behind(message, 0, out, out_bytes);
}

enum err codec_encode_frame(const ProtobufCMessage *message, int frame_kind, uint8_t **out, size_t *out_bytes)
{
	enum err err = encode_behind(message, FRAME_HEADER_BYTES, out, out_bytes);
	if (!err)
		frame_header(*out, (enum frame_kind)frame_kind);
	return err;
}
