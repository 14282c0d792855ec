// Which vendors' addresses are looked at, when, and who is told. As a home: at registration and daily, into the
// standing. As a guardian: when a wallet asks, answered from memory for an hour. Nothing is fetched here.
#include "url_check.h"

#include <sodium.h>
#include <stdlib.h>

#include "broker/base/clock.h"
#include "internal.h"

// Between two looks that a vendor brings about by registering again, and two of a guardian at the same address.
#define AGAIN_MS MINUTE_MS
#define ANSWER_KEEP_MS HOUR_MS

void url_checks_free(struct url_checks *checks)
{
	for (struct url_check *check = checks->wanted, *next; check; check = next) {
		next = check->next;
		free(check);
	}
	free(checks->answers);
	*checks = (struct url_checks){0};
}

static struct url_check *want(struct service *service, const char *url, const uint8_t key[KEY_BYTES])
{
	struct url_checks *checks = &service->url_checks;
	if (!service->config.url_checks || checks->running >= URL_CHECKS_MAX || strlen(url) > URL_BYTES_MAX)
		return NULL;
	struct url_check *check = calloc(1, sizeof *check);
	if (!check)
		return NULL;
	memcpy(check->key, key, KEY_BYTES);
	memcpy(check->url, url, strlen(url));
	if (!checks->wanted)
		checks->wanted_end = &checks->wanted;
	*checks->wanted_end = check;
	checks->wanted_end = &check->next;
	checks->running++;
	return check;
}

struct url_check *service_url_check_next(struct service *service)
{
	struct url_check *check = service->url_checks.wanted;
	if (check)
		service->url_checks.wanted = check->next;
	return check;
}

// ---- home

static Oyez__Listing *listing_of(struct service *service, const struct vendor *vendor)
{
	ProtobufCAllocator allocator = wire_allocator(&service->arena);
	Oyez__Signed *wrapped =
	    wire_unpack(&service->arena, &oyez__signed__descriptor, vendor->listing.at, vendor->listing.count);
	Oyez__Listing *listing = NULL;
	if (wrapped)
		codec_decode_listing(&allocator, wrapped->record.data, wrapped->record.len, &listing, NULL);
	return listing;
}

static void look(struct service *service, const struct vendor *vendor)
{
	struct vendor_note *note = vendor_note_of(service, &vendor->id);
	Oyez__Listing *listing = note->checking ? NULL : listing_of(service, vendor);
	struct url_check *check = listing ? want(service, listing->url, vendor->key) : NULL;
	if (!check)
		return; // too many at once: its turn comes
	check->vendor = vendor->id;
	check->for_standing = true;
	note->checking = true;
}

void url_check_vendor(struct service *service, const struct vendor *vendor)
{
	struct standing standing;
	store_standing_find(service->store, &vendor->id, &standing);
	if (standing.url_checked_at_ms && service->now_ms - standing.url_checked_at_ms < AGAIN_MS)
		return;
	if (standing.url_check != OYEZ__URL_CHECK__URL_CONFIRMED)
		look(service, vendor);
}

// When this vendor's turn is, looked up once and then remembered.
static uint64_t due_ms(struct service *service, struct vendor_note *note)
{
	if (!note->check_due_ms) {
		struct standing standing;
		store_standing_find(service->store, &note->id, &standing);
		note->check_due_ms = standing.url_checked_at_ms ? standing.url_checked_at_ms + DAY_MS : service->now_ms;
	}
	return note->check_due_ms;
}

void url_checks_advance(struct service *service)
{
	struct url_checks *checks = &service->url_checks;
	if (!service->config.url_checks || service->now_ms < checks->next_ms)
		return;
	for (int i = 0; i < URL_CHECKS_SLICE && checks->at < service->vendor_count; i++, checks->at++) {
		struct vendor_note *note = &service->vendors[checks->at];
		struct vendor vendor;
		if (!note->checking && due_ms(service, note) <= service->now_ms &&
		    store_vendor_find(service->store, &note->id, &service->arena, &vendor))
			look(service, &vendor);
	}
	if (checks->at < service->vendor_count)
		return;
	checks->at = 0;
	checks->next_ms = service->now_ms + MINUTE_MS;
}

static void standing_done(struct service *service, const struct url_check *check)
{
	struct vendor vendor;
	struct vendor_note *note = vendor_note_of(service, &check->vendor);
	note->checking = false;
	if (!store_vendor_find(service->store, &check->vendor, &service->arena, &vendor))
		return;
	Oyez__Listing *listing = listing_of(service, &vendor);
	if (!listing || strcmp(listing->url, check->url) != 0) { // it moved meanwhile
		look(service, &vendor);
		return;
	}
	note->check_due_ms = service->now_ms + DAY_MS;
	standing_checked(service, &check->vendor, check->result, service->now_ms);
}

// ---- guardian

static struct url_answer *answer_find(struct service *service, const struct id *asked)
{
	for (int i = 0; service->url_checks.answers && i < URL_CHECKS_KEPT; i++) {
		struct url_answer *answer = &service->url_checks.answers[i];
		if (answer->used && id_equal(&answer->asked, asked))
			return answer;
	}
	return NULL;
}

// A place, the oldest answer's if all are taken. NULL while all are being looked for.
static struct url_answer *answer_place(struct service *service)
{
	struct url_checks *checks = &service->url_checks;
	if (!checks->answers && !(checks->answers = calloc(URL_CHECKS_KEPT, sizeof *checks->answers)))
		return NULL;
	struct url_answer *oldest = NULL;
	for (int i = 0; i < URL_CHECKS_KEPT; i++) {
		struct url_answer *answer = &checks->answers[i];
		if (!answer->used)
			return answer;
		if (!answer->running && (!oldest || answer->at_ms < oldest->at_ms))
			oldest = answer;
	}
	return oldest;
}

static void reply_check(struct service *service, uint64_t origin, const struct url_answer *answer)
{
	Oyez__VendorCheck check = OYEZ__VENDOR_CHECK__INIT;
	Oyez__GuardianReply reply = OYEZ__GUARDIAN_REPLY__INIT;
	if (answer && answer->at_ms) {
		check.check = (Oyez__UrlCheck)answer->result;
		check.at_ms = answer->at_ms;
	}
	reply.body_case = OYEZ__GUARDIAN_REPLY__BODY_VENDOR_CHECK;
	reply.vendor_check = &check;
	reply_guardian(service, origin, &reply);
}

static struct id asked_of(const Oyez__CheckVendor *message)
{
	crypto_hash_sha256_state state;
	struct id id;
	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, message->vendor_key.data, KEY_BYTES);
	crypto_hash_sha256_update(&state, (const uint8_t *)message->url, strlen(message->url));
	crypto_hash_sha256_final(&state, id.bytes);
	return id;
}

static struct url_answer *answer_start(struct service *service, const struct id *asked,
                                       const Oyez__CheckVendor *message)
{
	struct url_answer *answer = answer_find(service, asked);
	if (answer && answer->running)
		return answer;
	if (!answer)
		answer = answer_place(service);
	struct url_check *check = answer ? want(service, message->url, message->vendor_key.data) : NULL;
	if (!check)
		return NULL;
	check->asked = *asked;
	*answer = (struct url_answer){.asked = *asked, .used = true, .running = true};
	return answer;
}

// Answered from memory, or when the page was looked at. Costs an account as much as a relayed cell.
enum err handle_check_vendor(struct service *service, const struct command *command, const Oyez__CheckVendor *message)
{
	if (!account_known(service, &command->sender))
		return ERR_ACCOUNT_UNKNOWN;
	enum err err = relay_spend(service, &command->sender);
	if (err)
		return err;
	struct id asked = asked_of(message);
	struct url_answer *answer = answer_find(service, &asked);
	bool young = answer && answer->at_ms && service->now_ms - answer->at_ms < ANSWER_KEEP_MS;
	if (young || !answer_start(service, &asked, message)) {
		reply_check(service, command->origin, answer);
		return ERR_OK;
	}
	double rate = clock_rate() > 1 ? clock_rate() : 1; // the wallet waits in real time
	struct parked parked = {
	    .kind = PARKED_CHECK,
	    .origin = command->origin,
	    .sender = asked,
	    .deadline_ms = service->now_ms + (uint64_t)((double)(URL_CHECK_WAIT_S * SECOND_MS) * rate),
	};
	return parking_add(service, &parked);
}

bool url_check_resume(struct service *service, struct parked *parked, bool final)
{
	const struct url_answer *answer = answer_find(service, &parked->sender);
	if (!final && answer && answer->running)
		return false;
	reply_check(service, parked->origin, answer);
	return true;
}

static void answer_done(struct service *service, const struct url_check *check)
{
	struct url_answer *answer = answer_find(service, &check->asked);
	if (!answer)
		return;
	answer->running = false;
	answer->result = check->result;
	answer->at_ms = service->now_ms;
	parking_wake(service, &check->asked);
}

// ---- back

void service_url_check_done(struct service *service, struct url_check *check)
{
	service->url_checks.running--;
	if (check->for_standing)
		standing_done(service, check);
	else
		answer_done(service, check);
	free(check);
}
