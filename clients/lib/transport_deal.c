// Requests that no intent key signs: records of deals, whose intent may long be gone, and the public notices.
#include <stdlib.h>
#include <string.h>

#include "clients/lib/call.h"
#include "clients/lib/wallet_file.h"

#define TIMEOUT_MS (30 * SECOND_MS)

static enum err start(struct transport *transport, enum call_content content, uint8_t *inner, size_t count,
                      uint64_t timeout_ms, struct transport_call **out)
{
	return call_start(transport, transport->through ? FRAME_ENVELOPE : FRAME_CELL, content, inner, count, timeout_ms,
	                  NULL, out);
}

enum err transport_deal_start(struct transport *transport, const uint8_t *deal, size_t deal_bytes, uint64_t timeout_ms,
                              struct transport_call **out)
{
	*out = NULL;
	uint8_t *inner = malloc(deal_bytes ? deal_bytes : 1);
	if (!inner)
		return ERR_NO_MEMORY;
	memcpy(inner, deal, deal_bytes);
	return start(transport, CONTENT_DEAL, inner, deal_bytes, timeout_ms, out);
}

static enum err finish(struct transport_call *call, enum err err, Oyez__CustomerReply **reply, struct oyez_error *error)
{
	if (err)
		return oyez_error_set(error, err, NULL);
	call_complete(call);
	return transport_call_finish(call, reply, NULL, error);
}

enum err transport_deal(struct transport *transport, const uint8_t *deal, size_t deal_bytes,
                        Oyez__CustomerReply **reply, struct oyez_error *error)
{
	*reply = NULL;
	struct transport_call *call = NULL;
	enum err err = transport_config(transport, NULL, error);
	if (err)
		return err;
	err = transport_deal_start(transport, deal, deal_bytes, TIMEOUT_MS, &call);
	return finish(call, err, reply, error);
}

enum err transport_notices(struct transport *transport, uint64_t after, Oyez__CustomerReply **reply,
                           struct oyez_error *error)
{
	*reply = NULL;
	struct transport_call *call = NULL;
	const Oyez__Config *config;
	enum err err = transport_config(transport, &config, error);
	if (err)
		return err;
	Oyez__GetNotices get = OYEZ__GET_NOTICES__INIT;
	get.broker_id = config->broker_id;
	get.after = after;
	uint8_t *inner;
	size_t count;
	err = codec_encode(&get.base, &inner, &count);
	if (!err)
		err = start(transport, CONTENT_NOTICES, inner, count, TIMEOUT_MS, &call);
	return finish(call, err, reply, error);
}
