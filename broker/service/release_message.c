// A release as a message and as a match header, both made from the intent's row.
#include "internal.h"

Oyez__Release *release_message(struct service *service, const struct intent *intent, bool keys)
{
	Oyez__Release *release = arena_alloc(&service->arena, sizeof *release);
	oyez__release__init(release);
	release->release_id =
	    wire_bytes(arena_copy(&service->arena, intent->release_id.bytes, RELEASE_ID_BYTES), RELEASE_ID_BYTES);
	release->facets = facets_to_words(service->config.taxonomy, &intent->facets, &service->arena);
	release->needed_by = (Oyez__NeededBand)intent->facets.needed_by;
	release->expires = (Oyez__ExpiryBand)intent->facets.expires;
	release->crowd = intent->crowd;
	release->released_at_ms = intent->released_at_ms;
	if (!keys)
		return release;
	release->suite = intent->suite;
	release->intent_key = wire_bytes(arena_copy(&service->arena, intent->key, KEY_BYTES), KEY_BYTES);
	release->reply_key = wire_bytes(arena_copy(&service->arena, intent->reply_key, KEY_BYTES), KEY_BYTES);
	release->home_broker = wire_bytes(service->signer.broker_key, KEY_BYTES);
	return release;
}

void release_header(const struct intent *intent, struct match_header *header)
{
	*header = (struct match_header){
	    .facets = intent->facets,
	    .released_at_ms = intent->released_at_ms,
	    .release_seq = intent->release_seq,
	    .crowd = intent->crowd,
	    .kind = FEED_RELEASE,
	};
}
