// The four bytes in front of every frame. Knows kinds, not contents.
#include "frame.h"

void frame_header(uint8_t out[FRAME_HEADER_BYTES], enum frame_kind kind)
{
	out[0] = 'O';
	out[1] = 'Y';
	out[2] = PROTOCOL_VERSION;
	out[3] = (uint8_t)kind;
}

enum err frame_kind_of(const uint8_t *frame, size_t frame_bytes, enum frame_kind *kind)
{
	if (frame_bytes < FRAME_HEADER_BYTES || frame[0] != 'O' || frame[1] != 'Y')
		return ERR_BAD_FRAME;
	if (frame[2] != PROTOCOL_VERSION)
		return ERR_BAD_VERSION;
	switch (frame[3]) {
	case FRAME_REQUEST:
	case FRAME_CELL:
	case FRAME_ADMIN:
	case FRAME_ENVELOPE:
	case FRAME_ERROR:
	case FRAME_REPLY:
	case FRAME_CELL_REPLY:
	case FRAME_ADMIN_REPLY:
	case FRAME_ENVELOPE_REPLY:
		*kind = (enum frame_kind)frame[3];
		return ERR_OK;
	}
	return ERR_UNKNOWN_MESSAGE;
}
