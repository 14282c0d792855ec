// Frames: 'O' 'Y' version kind, then the payload (PROTOCOL.md §4).
#ifndef OYEZ_PROTO_FRAME_H
#define OYEZ_PROTO_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "limits.h"

enum frame_kind {
	FRAME_REQUEST = 1, // Request, in clear
	FRAME_CELL = 2,    // CellBody, sealed, exactly CELL_BYTES
	FRAME_ADMIN = 3,   // AdminRequest, ipc only
	FRAME_ENVELOPE = 4, // EnvelopeBody, sealed, exactly ENVELOPE_BYTES
	FRAME_ERROR = 0x80,       // Error, in clear: the request could not be opened
	FRAME_REPLY = 0x81,       // Reply
	FRAME_CELL_REPLY = 0x82,  // CustomerReply, sealed, exactly CELL_BYTES
	FRAME_ADMIN_REPLY = 0x83, // AdminReply
	FRAME_ENVELOPE_REPLY = 0x84, // GuardianReply, sealed, exactly ENVELOPE_BYTES
};

void frame_header(uint8_t out[FRAME_HEADER_BYTES], enum frame_kind kind);
// ERR_BAD_FRAME, ERR_BAD_VERSION, ERR_UNKNOWN_MESSAGE (a kind not in the list).
enum err frame_kind_of(const uint8_t *frame, size_t frame_bytes, enum frame_kind *kind);

#endif
