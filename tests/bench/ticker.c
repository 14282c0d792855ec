#include "ticker.h"

#include "bench.h"
#include "broker/base/clock.h"
#include "broker/service/internal.h"
#include "proto/region.h"

enum { RELEASE_ID_AT = 2 }; // in the packed Release: behind the field's tag and length

// A release as they are, filled up to its size with a field that readers skip.
void ticker_init(struct ticker *ticker, const uint8_t broker_key[KEY_BYTES])
{
	uint8_t id[RELEASE_ID_BYTES] = {0}, key[KEY_BYTES];
	Oyez__Release release = OYEZ__RELEASE__INIT;
	Oyez__Facets facets = OYEZ__FACETS__INIT;
	memset(key, 7, sizeof key);
	facets.category = (char *)(uintptr_t) "home.kitchen.coffee-machine";
	facets.region = (char *)(uintptr_t) "FR-56";
	facets.terms = (char *)(uintptr_t) "SD-BASE";
	release.release_id = wire_bytes(id, sizeof id);
	release.suite = SUITE_X25519_CHACHA;
	release.intent_key = wire_bytes(key, sizeof key);
	release.reply_key = wire_bytes(key, sizeof key);
	release.home_broker = wire_bytes(broker_key, KEY_BYTES);
	release.facets = &facets;
	release.crowd = 5;
	release.released_at_ms = clock_now_ms();
	size_t count = oyez__release__pack(&release, ticker->release), filler = INJECTED_BYTES - count - 3;
	if (count + 3 + INJECTED_STAMP_BYTES > INJECTED_BYTES || filler < 128)
		give_up("a release of %zu bytes cannot be filled up", count);
	ticker->release[count] = 15 << 3 | 2;
	ticker->release[count + 1] = (uint8_t)(filler | 0x80);
	ticker->release[count + 2] = (uint8_t)(filler >> 7);
	ticker->header = (struct match_header){
	    .facets =
	        {
	            .category = taxonomy_find(taxonomy_builtin(), facets.category),
	            .region = region_find(facets.region),
	            .terms = 1,
	            .expires = 1,
	        },
	    .crowd = 5,
	    .kind = FEED_RELEASE,
	};
}

// On the state thread.
void ticker_tick(void *context, struct service *service)
{
	struct ticker *ticker = context;
	uint64_t stamp = (uint64_t)(seconds_now() * 1e9);
	service_begin(service, clock_now_ms());
	for (uint32_t i = 0; i < ticker->count; i++) {
		ticker->number++;
		memcpy(ticker->release + RELEASE_ID_AT, &ticker->number, sizeof ticker->number);
		memcpy(ticker->release + INJECTED_BYTES - INJECTED_STAMP_BYTES, &stamp, INJECTED_STAMP_BYTES);
		ticker->header.released_at_ms = service->now_ms;
		ticker->header.release_seq = store_feed_last(service->store) + 1;
		uint64_t seq = store_feed_append(service->store, &ticker->header, ticker->release, INJECTED_BYTES);
		feed_announce(service, &ticker->header, seq, (struct bytes){ticker->release, INJECTED_BYTES});
	}
	if (service_commit(service) != ERR_OK)
		give_up("the tick could not be committed");
}
