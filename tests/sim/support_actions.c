// What people do: mostly sensible things, sometimes too early, too late, twice, or to others' belongings.
#include "broker/core/deal.h"
#include "broker/core/intent.h"
#include "broker/core/offer.h"
#include "world.h"

enum { RECENT = 12, INTENTS_LIVE_MAX = 8 };

static void *message_new(struct world *world, size_t bytes, void (*init)(void *))
{
	void *message = arena_alloc(&world->arena, bytes);
	init(message);
	return message;
}
#define MESSAGE(world, type, init) ((type *)message_new(world, sizeof(type), (void (*)(void *))(init)))

static ProtobufCBinaryData keep(struct world *world, const void *bytes, size_t count)
{
	return wire_bytes(arena_copy(&world->arena, bytes, count), count);
}

static ProtobufCBinaryData keep_id(struct world *world, const struct id *id)
{
	return keep(world, id->bytes, ID_BYTES);
}

static ProtobufCBinaryData sealed(struct world *world)
{
	return keep(world, "sealed", 6);
}

// ---- records

static uint64_t random_made_ms(struct world *world)
{
	uint32_t dice = random_below(world, 100);
	uint64_t spread = dice < 90 ? MINUTE_MS : dice < 95 ? 9 * MINUTE_MS : 15 * MINUTE_MS;
	return world->now_ms - spread + random_below(world, (uint32_t)(2 * spread));
}

static int record_new(struct world *world, enum command_kind kind, const void *payload)
{
	if (world->record_count == RECORDS_MAX)
		world_fail(world, "the simulator has too few records");
	int number = world->record_count++;
	struct record *record = &world->records[number];
	record->bytes = ++world->bytes_count;
	record->intent = record->offer = record->question = record->deal = record->vendor = record->subscription = -1;
	record->made_ms = random_made_ms(world);
	record->command.kind = kind;
	record->command.payload = payload;
	record->command.made_at_ms = record->made_ms;
	memcpy(record->command.record_hash.bytes, &record->bytes, sizeof record->bytes);
	record->command.record_hash.bytes[31] = 'r';
	return number;
}

static int customer_record(struct world *world, enum command_kind kind, const void *payload, int intent)
{
	int number = record_new(world, kind, payload);
	struct record *record = &world->records[number];
	record->intent = intent;
	record->command.sender = world->intents[intent].id;
	memcpy(record->command.sender_key, world->intents[intent].key, KEY_BYTES);
	return number;
}

static int vendor_record(struct world *world, enum command_kind kind, const void *payload, int vendor)
{
	int number = record_new(world, kind, payload);
	struct record *record = &world->records[number];
	record->vendor = vendor;
	record->command.sender = world->vendors[vendor].id;
	memcpy(record->command.sender_key, world->vendors[vendor].key, KEY_BYTES);
	return number;
}

// One of the last few, mostly.
static int recent(struct world *world, int count)
{
	if (count == 0)
		return -1;
	int span = count < RECENT || random_chance(world, 5) ? count : RECENT;
	return count - 1 - (int)random_below(world, (uint32_t)span);
}

// One of the last few for which there is something to do; now and then any.
static int promising(struct world *world, int count, bool (*wanted)(const struct world *world, int number))
{
	for (int tries = 0; tries < 12; tries++) {
		int number = recent(world, count);
		if (number < 0 || wanted(world, number))
			return number;
	}
	return random_chance(world, 10) ? recent(world, count) : -1;
}

static uint64_t random_later(struct world *world)
{
	static const uint64_t SPANS[] = {2 * SECOND_MS, 10 * MINUTE_MS, 5 * HOUR_MS, 5 * HOUR_MS,
	                                 3 * DAY_MS,    3 * DAY_MS,     20 * DAY_MS};
	uint64_t span = SPANS[random_below(world, sizeof SPANS / sizeof *SPANS)];
	return world->now_ms + span / 4 + random_below(world, (uint32_t)span);
}

// ---- customers

static Oyez__Facets *facets_of(struct world *world, const struct words *words)
{
	Oyez__Facets *facets = MESSAGE(world, Oyez__Facets, oyez__facets__init);
	facets->category = (char *)CATEGORY_WORDS[words->category];
	facets->region = (char *)REGION_WORDS[words->region];
	if (words->terms)
		facets->terms = (char *)"SD-BASE";
	if (words->only_france) {
		static char *france[] = {(char *)"FR"};
		facets->rules = MESSAGE(world, Oyez__VendorRules, oyez__vendor_rules__init);
		facets->rules->countries = france;
		facets->rules->n_countries = 1;
	}
	if (words->euros) {
		facets->budget = MESSAGE(world, Oyez__Budget, oyez__budget__init);
		facets->budget->max_e4 = words->max_e4;
		facets->budget->currency = (char *)"EUR";
	}
	return facets;
}

static void put_list(struct world *world, unsigned bits, size_t *count, ProtobufCBinaryData **list)
{
	*list = arena_alloc(&world->arena, VENDORS * sizeof **list);
	for (int i = 0; i < VENDORS; i++)
		if (bits >> i & 1)
			(*list)[(*count)++] = keep_id(world, &world->vendors[i].id);
}

static void imagine_intent(struct world *world, struct sim_intent *intent)
{
	struct id key = random_id(world), reply_key = random_id(world), release = random_id(world);
	intent->id = random_id(world);
	memcpy(intent->key, key.bytes, KEY_BYTES);
	memcpy(intent->reply_key, reply_key.bytes, KEY_BYTES);
	memcpy(intent->release.bytes, release.bytes, RELEASE_ID_BYTES);
	intent->words = (struct words){
	    .category = (int)random_below(world, CATEGORY_WORD_COUNT),
	    .region = (int)random_below(world, REGION_WORD_COUNT),
	    .terms = random_chance(world, 40),
	    .only_france = random_chance(world, 20),
	    .euros = random_chance(world, 50),
	    .max_e4 = INT64_C(1000000) * (1 << random_below(world, 2)),
	};
	intent->expires_ms = random_later(world);
	intent->deals_max = 1 + random_chance(world, 30);
	intent->wish = random_chance(world, 10) ? 2 + random_below(world, 3) : 0;
	intent->waived = random_chance(world, 30);
	intent->block = random_chance(world, 15) ? 1u << random_below(world, VENDORS) : 0;
	intent->allow = random_chance(world, 10) ? 3u << random_below(world, VENDORS - 1) : 0;
}

static int act_post(struct world *world)
{
	int live = 0;
	for (int i = 0; i < world->intent_count; i++)
		live += intent_is_live(&world->intents[i]);
	if (world->intent_count == INTENTS_MAX || live >= INTENTS_LIVE_MAX)
		return -1;
	struct sim_intent *intent = &world->intents[world->intent_count];
	imagine_intent(world, intent);
	Oyez__Post *post = MESSAGE(world, Oyez__Post, oyez__post__init);
	post->suite = SUITE_X25519_CHACHA;
	post->reply_key = wire_bytes(intent->reply_key, KEY_BYTES);
	post->facets = facets_of(world, &intent->words);
	post->expires_at_ms = intent->expires_ms;
	post->deals_max = intent->deals_max;
	post->crowd_wish = intent->wish;
	post->crowd_waived = intent->waived;
	post->coarsest_step = random_chance(world, 50) ? 0 : 11;
	put_list(world, intent->allow, &post->n_allow, &post->allow);
	put_list(world, intent->block, &post->n_block, &post->block);
	intent->post = post;
	int number = customer_record(world, COMMAND_POST, post, world->intent_count++);
	struct command *command = &world->records[number].command;
	ProtobufCBinaryData bytes = wire_pack(&world->arena, &post->base);
	command->payload_bytes = (struct bytes_view){bytes.data, bytes.len};
	struct id hold_key = random_id(world);
	memcpy(command->random, intent->release.bytes, RELEASE_ID_BYTES);
	memcpy(command->random + RELEASE_ID_BYTES, hold_key.bytes, sizeof command->random - RELEASE_ID_BYTES);
	return number;
}

static bool is_live(const struct world *world, int number)
{
	return intent_is_live(&world->intents[number]);
}

static int act_withdraw(struct world *world)
{
	int intent = promising(world, world->intent_count, is_live);
	if (intent < 0)
		return -1;
	return customer_record(world, COMMAND_WITHDRAW, MESSAGE(world, Oyez__Withdraw, oyez__withdraw__init), intent);
}

static uint32_t random_wait(struct world *world)
{
	return random_chance(world, 30) ? 1 + random_below(world, WAIT_MS_MAX) : 0;
}

static bool has_mail(const struct world *world, int number)
{
	const struct sim_intent *intent = &world->intents[number];
	return intent_has_mailbox(intent) && (uint64_t)intent->mail_count > intent->mail_read;
}

static int act_read_mailbox(struct world *world)
{
	int intent =
	    random_chance(world, 70) ? promising(world, world->intent_count, has_mail) : recent(world, world->intent_count);
	if (intent < 0)
		return -1;
	Oyez__ReadMailbox *read = MESSAGE(world, Oyez__ReadMailbox, oyez__read_mailbox__init);
	read->after = random_chance(world, 15) ? 0 : world->intents[intent].mail_read;
	read->max = random_chance(world, 20) ? 1 + random_below(world, 3) : 0;
	read->wait_ms = random_wait(world);
	int number = customer_record(world, COMMAND_READ_MAILBOX, read, intent);
	struct record *record = &world->records[number];
	record->after = read->after;
	record->max = read->max;
	record->wait_ms = read->wait_ms;
	return number;
}

static int act_read_status(struct world *world)
{
	int intent = recent(world, world->intent_count);
	if (intent < 0)
		return -1;
	return customer_record(world, COMMAND_READ_STATUS, MESSAGE(world, Oyez__ReadStatus, oyez__read_status__init),
	                       intent);
}

static bool is_acceptable(const struct world *world, int number)
{
	const struct sim_offer *offer = &world->offers[number];
	return offer->seen && offer->state == OFFER_OPEN && intent_is_live(&world->intents[offer->intent]);
}

static int act_accept(struct world *world)
{
	int offer = promising(world, world->offer_count, is_acceptable);
	if (offer < 0 || world->deal_count == DEALS_MAX_SIM)
		return -1;
	const struct sim_offer *chosen = &world->offers[offer];
	struct sim_deal *deal = &world->deals[world->deal_count];
	*deal = (struct sim_deal){.id = random_id(world), .intent = chosen->intent, .offer = offer};
	// Somebody else's offer, now and then.
	if (random_chance(world, 2))
		deal->intent = recent(world, world->intent_count);
	deal->countersign_by_ms = random_later(world);
	deal->reveal_by_ms = deal->countersign_by_ms + random_below(world, 4 * HOUR_MS);
	Oyez__Accept *accept = MESSAGE(world, Oyez__Accept, oyez__accept__init);
	accept->offer_id = keep_id(world, &chosen->id);
	accept->deal_id = keep_id(world, &deal->id);
	accept->agreement_key = keep_id(world, &deal->id);
	accept->signature_hash = keep_id(world, &deal->id);
	accept->countersign_by_ms = deal->countersign_by_ms;
	accept->reveal_by_ms = deal->reveal_by_ms;
	accept->sealed = sealed(world);
	int number = customer_record(world, COMMAND_ACCEPT, accept, deal->intent);
	world->records[number].deal = world->deal_count++;
	world->records[number].offer = offer;
	return number;
}

static int act_decline(struct world *world)
{
	int offer = promising(world, world->offer_count, is_acceptable);
	if (offer < 0)
		return -1;
	Oyez__Decline *decline = MESSAGE(world, Oyez__Decline, oyez__decline__init);
	decline->offer_id = keep_id(world, &world->offers[offer].id);
	decline->reason = (char *)"price";
	int intent = random_chance(world, 3) ? recent(world, world->intent_count) : world->offers[offer].intent;
	int number = customer_record(world, COMMAND_DECLINE, decline, intent);
	world->records[number].offer = offer;
	return number;
}

static int act_answer(struct world *world)
{
	int question = recent(world, world->question_count);
	if (question < 0 || (!world->questions[question].seen && random_chance(world, 90)))
		return -1;
	Oyez__Answer *answer = MESSAGE(world, Oyez__Answer, oyez__answer__init);
	answer->question_id = keep_id(world, &world->questions[question].id);
	answer->sealed = sealed(world);
	int number = customer_record(world, COMMAND_ANSWER, answer, world->questions[question].intent);
	world->records[number].question = question;
	return number;
}

static bool is_to_reveal(const struct world *world, int number)
{
	return world->deals[number].outcome_seen && world->deals[number].state == DEAL_COUNTERSIGNED;
}

static int act_reveal(struct world *world)
{
	// A wallet reveals after it saw the outcome; a broken one may not wait.
	int deal = promising(world, world->deal_count, is_to_reveal);
	if (deal < 0)
		return -1;
	Oyez__Reveal *reveal = MESSAGE(world, Oyez__Reveal, oyez__reveal__init);
	reveal->deal_id = keep_id(world, &world->deals[deal].id);
	reveal->sealed = sealed(world);
	int intent = random_chance(world, 3) ? recent(world, world->intent_count) : world->deals[deal].intent;
	int number = customer_record(world, COMMAND_REVEAL, reveal, intent);
	world->records[number].deal = deal;
	return number;
}

// ---- vendors

static int random_vendor(struct world *world)
{
	return (int)random_below(world, VENDORS);
}

static int act_register(struct world *world)
{
	int vendor = random_vendor(world);
	if (world->vendors[vendor].registered && random_chance(world, 95))
		return -1;
	static char *terms[] = {(char *)"SD-BASE"};
	Oyez__Listing listing = OYEZ__LISTING__INIT;
	Oyez__Signed *message = MESSAGE(world, Oyez__Signed, oyez__signed__init);
	bool france = random_chance(world, 70), agrees = random_chance(world, 80);
	listing.vendor_key = wire_bytes(world->vendors[vendor].key, KEY_BYTES);
	listing.name = (char *)"Vendor";
	listing.url = (char *)"https://vendor.example";
	listing.country = (char *)(france ? "FR" : "DE");
	listing.terms = terms;
	listing.n_terms = agrees;
	listing.made_at_ms = world->now_ms - random_below(world, 5000);
	message->record = wire_pack(&world->arena, &listing.base);
	message->key = wire_bytes(world->vendors[vendor].key, KEY_BYTES);
	struct id signature[2] = {random_id(world), random_id(world)};
	message->signature = keep(world, signature, SIGNATURE_BYTES);
	int number = vendor_record(world, COMMAND_REGISTER, message, vendor);
	struct record *record = &world->records[number];
	record->listing_france = france;
	record->listing_terms = agrees;
	record->listing_ms = listing.made_at_ms;
	record->listing_bytes = record->bytes;
	return number;
}

static int act_subscribe(struct world *world)
{
	int vendor = random_vendor(world), own = 0;
	for (int i = 0; i < world->subscription_count; i++)
		own += world->subscriptions[i].vendor == vendor && !world->subscriptions[i].removed;
	if (own >= 3 || world->subscription_count == SUBSCRIPTIONS_MAX || !world->vendors[vendor].registered)
		return -1;
	struct sim_subscription *subscription = &world->subscriptions[world->subscription_count];
	*subscription = (struct sim_subscription){
	    .id = random_id(world),
	    .vendor = vendor,
	    .category = (int)random_below(world, CATEGORY_WORD_COUNT + 3) - 3,
	    .region = (int)random_below(world, REGION_WORD_COUNT + 3) - 3,
	    .exact = random_chance(world, 30),
	    .euros = random_chance(world, 20),
	    .min_e4 = random_chance(world, 50) ? 1500000 : 0,
	    .crowd_min = random_chance(world, 15) ? 2 : 0,
	    .terms = random_chance(world, 15),
	};
	Oyez__Filter *filter = MESSAGE(world, Oyez__Filter, oyez__filter__init);
	if (subscription->category >= 0) {
		filter->categories = (char **)&CATEGORY_WORDS[subscription->category];
		filter->n_categories = 1;
	} else {
		subscription->category = -1;
	}
	if (subscription->region >= 0) {
		filter->regions = (char **)&REGION_WORDS[subscription->region];
		filter->n_regions = 1;
	} else {
		subscription->region = -1;
	}
	if (subscription->euros) {
		filter->budget = MESSAGE(world, Oyez__Budget, oyez__budget__init);
		filter->budget->min_e4 = subscription->min_e4;
		filter->budget->currency = (char *)"EUR";
	}
	if (subscription->terms) {
		static char *terms[] = {(char *)"SD-BASE"};
		filter->terms = terms;
		filter->n_terms = 1;
	}
	filter->exact = subscription->exact;
	filter->crowd_min = subscription->crowd_min;
	Oyez__Subscribe *subscribe = MESSAGE(world, Oyez__Subscribe, oyez__subscribe__init);
	subscribe->filter = filter;
	int number = vendor_record(world, COMMAND_SUBSCRIBE, subscribe, vendor);
	world->records[number].subscription = world->subscription_count++;
	world->records[number].command.record_hash = subscription->id;
	return number;
}

static int random_subscription(struct world *world)
{
	return world->subscription_count ? (int)random_below(world, (uint32_t)world->subscription_count) : -1;
}

static int act_unsubscribe(struct world *world)
{
	int subscription = random_subscription(world);
	if (subscription < 0 || random_chance(world, 90))
		return -1;
	Oyez__Unsubscribe *message = MESSAGE(world, Oyez__Unsubscribe, oyez__unsubscribe__init);
	message->subscription_id = keep_id(world, &world->subscriptions[subscription].id);
	int vendor = random_chance(world, 5) ? random_vendor(world) : world->subscriptions[subscription].vendor;
	int number = vendor_record(world, COMMAND_UNSUBSCRIBE, message, vendor);
	world->records[number].subscription = subscription;
	return number;
}

// Is somebody already reading from "where I was"? Two at once would make the place depend on their order.
static bool reading(const struct world *world, enum command_kind kind, int subscription, int vendor)
{
	for (int i = 0; i < world->flight_count + world->parked_count; i++) {
		const struct flight *flight =
		    i < world->flight_count ? &world->flights[i] : &world->parked[i - world->flight_count];
		const struct record *record = &world->records[flight->record];
		if (record->command.kind == kind && record->vendor == vendor && record->subscription == subscription)
			return true;
	}
	return false;
}

static bool is_subscribed(const struct world *world, int number)
{
	return world->subscriptions[number].known && !world->subscriptions[number].removed;
}

static int act_fetch(struct world *world)
{
	int number = promising(world, world->subscription_count, is_subscribed);
	if (number < 0)
		return -1;
	struct sim_subscription *subscription = &world->subscriptions[number];
	bool from_cursor = random_chance(world, 75);
	if (!from_cursor && reading(world, COMMAND_FETCH, number, subscription->vendor))
		return -1;
	uint64_t after = subscription->processed_seq;
	if (random_chance(world, 5))
		after = random_below(world, (uint32_t)after + 1);
	int vendor = random_chance(world, 2) ? random_vendor(world) : subscription->vendor;
	Oyez__Fetch *fetch = MESSAGE(world, Oyez__Fetch, oyez__fetch__init);
	Oyez__FetchPair *pair = MESSAGE(world, Oyez__FetchPair, oyez__fetch_pair__init);
	fetch->pairs = arena_alloc(&world->arena, sizeof *fetch->pairs);
	fetch->pairs[0] = pair;
	fetch->n_pairs = 1;
	fetch->max = random_chance(world, 30) ? 1 + random_below(world, 3) : 0;
	fetch->wait_ms = random_wait(world);
	pair->subscription_id = keep_id(world, &subscription->id);
	if (from_cursor) {
		uint8_t cursor[CURSOR_BYTES] = {0, 0, 0, 1};
		for (int i = 0; i < 8; i++)
			cursor[4 + i] = (uint8_t)(after >> (56 - 8 * i));
		pair->after = keep(world, cursor, sizeof cursor);
	}
	int record_number = vendor_record(world, COMMAND_FETCH, fetch, vendor);
	struct record *record = &world->records[record_number];
	record->subscription = number;
	record->from_cursor = from_cursor;
	record->after = after;
	record->max = fetch->max;
	record->wait_ms = fetch->wait_ms;
	return record_number;
}

static int act_read_inbox(struct world *world)
{
	int vendor = random_vendor(world);
	for (int tries = 0; tries < VENDORS && random_chance(world, 80); tries++)
		if ((int)world->vendors[vendor].inbox_read == world->vendors[vendor].inbox_count)
			vendor = (vendor + 1) % VENDORS;
	if (!world->vendors[vendor].registered && random_chance(world, 90))
		return -1;
	Oyez__ReadInbox *read = MESSAGE(world, Oyez__ReadInbox, oyez__read_inbox__init);
	read->after = random_chance(world, 10) ? 0 : world->vendors[vendor].inbox_read;
	read->from_start = random_chance(world, 50);
	if (read->after == 0 && !read->from_start && reading(world, COMMAND_READ_INBOX, -1, vendor))
		read->from_start = true;
	read->max = random_chance(world, 30) ? 1 + random_below(world, 4) : 0;
	read->wait_ms = random_wait(world);
	int number = vendor_record(world, COMMAND_READ_INBOX, read, vendor);
	struct record *record = &world->records[number];
	record->after = read->after;
	record->from_start = read->from_start;
	record->max = read->max;
	record->wait_ms = read->wait_ms;
	return number;
}

static bool is_out(const struct world *world, int number)
{
	const struct sim_intent *intent = &world->intents[number];
	return intent->known && intent->state == INTENT_RELEASED && intent->bound < intent->deals_max;
}

// An intent to answer: mostly one that is out.
static int intent_to_answer(struct world *world)
{
	return promising(world, world->intent_count, is_out);
}

static int act_offer(struct world *world)
{
	int intent = intent_to_answer(world), vendor = random_vendor(world);
	if (intent < 0 || world->offer_count == OFFERS_MAX || !world->vendors[vendor].registered)
		return -1;
	struct sim_offer *offer = &world->offers[world->offer_count];
	*offer = (struct sim_offer){.id = random_id(world), .intent = intent, .vendor = vendor, .mail = -1};
	offer->expires_ms = random_chance(world, 3) ? world->now_ms : random_later(world);
	Oyez__SendOffer *message = MESSAGE(world, Oyez__SendOffer, oyez__send_offer__init);
	message->release_id = keep(world, world->intents[intent].release.bytes, RELEASE_ID_BYTES);
	message->offer_id = keep_id(world, &offer->id);
	message->expires_at_ms = offer->expires_ms;
	message->sealed = sealed(world);
	int number = vendor_record(world, COMMAND_OFFER, message, vendor);
	world->records[number].offer = world->offer_count++;
	return number;
}

static int act_question(struct world *world)
{
	int intent = intent_to_answer(world), vendor = random_vendor(world);
	if (intent < 0 || world->question_count == QUESTIONS_MAX)
		return -1;
	struct sim_question *question = &world->questions[world->question_count];
	*question = (struct sim_question){.id = random_id(world), .intent = intent, .vendor = vendor};
	Oyez__SendQuestion *message = MESSAGE(world, Oyez__SendQuestion, oyez__send_question__init);
	message->release_id = keep(world, world->intents[intent].release.bytes, RELEASE_ID_BYTES);
	message->question_id = keep_id(world, &question->id);
	message->sealed = sealed(world);
	int number = vendor_record(world, COMMAND_QUESTION, message, vendor);
	world->records[number].question = world->question_count++;
	return number;
}

static int act_withdraw_offer(struct world *world)
{
	int offer = recent(world, world->offer_count);
	if (offer < 0)
		return -1;
	Oyez__WithdrawOffer *message = MESSAGE(world, Oyez__WithdrawOffer, oyez__withdraw_offer__init);
	message->offer_id = keep_id(world, &world->offers[offer].id);
	int vendor = random_chance(world, 5) ? random_vendor(world) : world->offers[offer].vendor;
	int number = vendor_record(world, COMMAND_WITHDRAW_OFFER, message, vendor);
	world->records[number].offer = offer;
	return number;
}

static bool is_to_countersign(const struct world *world, int number)
{
	return world->deals[number].agreement_seen && world->deals[number].state == DEAL_ACCEPTED;
}

static int act_countersign(struct world *world)
{
	int deal = promising(world, world->deal_count, is_to_countersign);
	if (deal < 0)
		return -1;
	bool junk = random_chance(world, 10);
	Oyez__Countersign *message = MESSAGE(world, Oyez__Countersign, oyez__countersign__init);
	message->deal_id = keep_id(world, &world->deals[deal].id);
	message->signature_hash = keep_id(world, &world->deals[deal].id);
	message->signature = keep(world, junk ? "junk" : "good", 4);
	int vendor = random_chance(world, 5) ? random_vendor(world) : world->deals[deal].vendor;
	int number = vendor_record(world, COMMAND_COUNTERSIGN, message, vendor);
	world->records[number].deal = deal;
	world->records[number].junk = junk;
	return number;
}

static bool is_to_receipt(const struct world *world, int number)
{
	return world->deals[number].card_seen && world->deals[number].state == DEAL_REVEALED;
}

static int act_receipt(struct world *world)
{
	int deal = promising(world, world->deal_count, is_to_receipt);
	if (deal < 0)
		return -1;
	Oyez__Receipt *message = MESSAGE(world, Oyez__Receipt, oyez__receipt__init);
	message->deal_id = keep_id(world, &world->deals[deal].id);
	int vendor = random_chance(world, 5) ? random_vendor(world) : world->deals[deal].vendor;
	int number = vendor_record(world, COMMAND_RECEIPT, message, vendor);
	world->records[number].deal = deal;
	return number;
}

// ---- the operator

static int act_admin(struct world *world)
{
	int vendor = random_vendor(world);
	bool suspend = !world->vendors[vendor].suspended;
	if (suspend && random_chance(world, 92))
		return -1;
	int number;
	if (suspend) {
		Oyez__AdminSuspend *message = MESSAGE(world, Oyez__AdminSuspend, oyez__admin_suspend__init);
		message->vendor_id = keep_id(world, &world->vendors[vendor].id);
		number = record_new(world, COMMAND_ADMIN_SUSPEND, message);
	} else {
		Oyez__AdminApprove *message = MESSAGE(world, Oyez__AdminApprove, oyez__admin_approve__init);
		message->vendor_id = keep_id(world, &world->vendors[vendor].id);
		number = record_new(world, COMMAND_ADMIN_APPROVE, message);
	}
	world->records[number].vendor = vendor;
	return number;
}

int action_random(struct world *world)
{
	static const struct {
		int (*act)(struct world *world);
		uint32_t weight;
	} ACTIONS[] = {
	    {act_post, 8},         {act_withdraw, 2},  {act_read_mailbox, 16}, {act_read_status, 3},
	    {act_accept, 10},      {act_decline, 2},   {act_answer, 3},        {act_reveal, 12},
	    {act_register, 8},     {act_subscribe, 4}, {act_unsubscribe, 2},   {act_fetch, 14},
	    {act_read_inbox, 14},  {act_offer, 14},    {act_question, 4},      {act_withdraw_offer, 1},
	    {act_countersign, 14}, {act_receipt, 8},   {act_admin, 2},
	};
	static uint32_t total;
	if (!total)
		for (size_t i = 0; i < sizeof ACTIONS / sizeof *ACTIONS; i++)
			total += ACTIONS[i].weight;
	uint32_t dice = random_below(world, total);
	for (size_t i = 0; i < sizeof ACTIONS / sizeof *ACTIONS; i++) {
		if (dice < ACTIONS[i].weight)
			return ACTIONS[i].act(world);
		dice -= ACTIONS[i].weight;
	}
	return -1;
}
