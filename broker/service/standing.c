// A vendor's standing: counted from signed facts, signed by the broker, shown beside every offer. Ratings come out in
// steps of several, so that nobody reads a single one off a change.
#include <stddef.h>

#include "internal.h"

// However fast facts come, a vendor's standing is signed once in a while; and anew daily, so that its time says
// something.
#define STANDING_SIGN_MS MINUTE_MS
#define STANDING_RENEW_MS DAY_MS

static void standing_store(struct service *service, const struct standing *standing)
{
	store_standing_put(service->store, standing);
	vendor_note_of(service, &standing->vendor)->standing_changed = true;
	service->wrote = true;
}

void standing_count(struct service *service, const struct id *vendor, size_t member)
{
	struct standing standing;
	store_standing_find(service->store, vendor, &standing);
	uint32_t *count = (uint32_t *)(void *)((char *)&standing + member);
	if (*count < UINT32_MAX)
		++*count;
	standing_store(service, &standing);
}

// ---- ratings

// What min-rating rules go by: the mean in half stars, rounded down.
static uint8_t band_of(uint32_t ratings, uint32_t stars)
{
	return ratings ? (uint8_t)((uint64_t)stars * 2 / ratings) : 0;
}

static void publish(struct service *service, struct standing *standing)
{
	struct vendor vendor;
	standing->ratings_published = standing->ratings;
	standing->stars_published = standing->stars;
	if (!store_vendor_find(service->store, &standing->vendor, &service->arena, &vendor))
		return;
	vendor.facts.rating_band = band_of(standing->ratings, standing->stars);
	store_vendor_put(service->store, &vendor);
}

void standing_rate(struct service *service, const struct id *vendor, uint32_t stars)
{
	struct standing standing;
	store_standing_find(service->store, vendor, &standing);
	if (standing.stars > UINT32_MAX - STARS_MAX)
		return;
	standing.ratings++;
	standing.stars += stars;
	if (standing.ratings - standing.ratings_published >= RATINGS_PUBLISHED_MIN)
		publish(service, &standing);
	standing_store(service, &standing);
}

// ---- as signed

static Oyez__Signed *sign_standing(struct service *service, const struct standing *row)
{
	Oyez__Standing standing = OYEZ__STANDING__INIT;
	standing.vendor_id = wire_id(&row->vendor);
	standing.broker_id = wire_bytes(service->signer.broker_key, KEY_BYTES);
	standing.at_ms = service->now_ms;
	standing.offers = row->offers;
	standing.accepted = row->accepted;
	standing.concluded = row->concluded;
	standing.lapsed_by_fault = row->lapsed_by_fault;
	standing.erasures_asked = row->erasures_asked;
	standing.erasures_in_time = row->erasures_in_time;
	standing.erasures_late = row->erasures_late;
	standing.ratings = row->ratings_published;
	standing.stars = row->stars_published;
	standing.url_check = (Oyez__UrlCheck)row->url_check;
	standing.url_checked_at_ms = row->url_checked_at_ms;
	ProtobufCBinaryData bytes = wire_pack(&service->arena, &sign_message(service, TAG_STANDING, &standing.base)->base);
	return oyez__signed__unpack(NULL, bytes.len, bytes.data);
}

void standing_checked(struct service *service, const struct id *vendor, uint8_t check, uint64_t at_ms)
{
	struct standing standing;
	store_standing_find(service->store, vendor, &standing);
	bool other = standing.url_check != check || !standing.url_checked_at_ms;
	standing.url_check = check;
	standing.url_checked_at_ms = at_ms;
	standing_store(service, &standing);
	// An address that is not the vendor's must not look confirmed for another minute.
	if (other)
		standing_forget(vendor_note_of(service, vendor));
}

static bool standing_due(const struct service *service, const struct vendor_note *note)
{
	uint64_t age_ms = service->now_ms - note->standing_at_ms;
	return !note->standing || age_ms >= STANDING_RENEW_MS || (note->standing_changed && age_ms >= STANDING_SIGN_MS);
}

Oyez__Signed *standing_signed(struct service *service, const struct id *vendor)
{
	struct vendor_note *note = vendor_note_of(service, vendor);
	struct standing row;
	if (!standing_due(service, note))
		return note->standing;
	store_standing_find(service->store, vendor, &row);
	standing_forget(note);
	note->standing = sign_standing(service, &row);
	note->standing_at_ms = service->now_ms;
	note->standing_changed = false;
	return note->standing;
}

void standing_forget(struct vendor_note *note)
{
	if (note->standing)
		oyez__signed__free_unpacked(note->standing, NULL);
	note->standing = NULL;
}
