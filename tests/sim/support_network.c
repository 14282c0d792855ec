// Between people and broker: batches, lost and repeated requests, lost replies, crashes, refused commits, the clock.
#include <stdlib.h>

#include "world.h"

enum { EFFECTS_MAX = 64 };

// ---- stubs for the broker's signature

static void stub_sign(void *context, const char *tag, const uint8_t *record, size_t record_bytes,
                      uint8_t signature[SIGNATURE_BYTES])
{
	struct world *world = context;
	memset(signature, 0, SIGNATURE_BYTES);
	if (strcmp(tag, TAG_OUTCOME) != 0)
		return;
	const Oyez__Outcome *outcome = wire_unpack(&world->scratch, &oyez__outcome__descriptor, record, record_bytes);
	struct id id = id_of_wire(outcome->deal_id);
	for (int i = 0; i < world->deal_count; i++) {
		if (!id_equal(&world->deals[i].id, &id))
			continue;
		if (world->signed_count == 64)
			world_fail(world, "too many outcomes in one batch");
		world->signed_deals[world->signed_count] = i;
		world->signed_results[world->signed_count++] = (int)outcome->result;
		return;
	}
	world_fail(world, "an outcome was signed for a deal nobody made");
}

static enum err stub_countersign_check(void *context, const uint8_t vendor_key[KEY_BYTES], const struct id *deal,
                                       const uint8_t signature_hash[HASH_BYTES], const uint8_t *signature)
{
	(void)context, (void)vendor_key, (void)deal, (void)signature_hash;
	return signature[0] == 'g' ? ERR_OK : ERR_BAD_SIGNATURE;
}

static void keep_outcomes(struct world *world)
{
	for (int i = 0; i < world->signed_count; i++) {
		struct sim_deal *deal = &world->deals[world->signed_deals[i]];
		if (world->signed_results[i] == OYEZ__OUTCOME_RESULT__OUTCOME_COUNTERSIGNED)
			deal->signed_countersigned = true;
		else
			deal->signed_lapsed = true;
		if (deal->signed_countersigned && deal->signed_lapsed && deal->card_seen)
			world_fail(world, "the broker signed that a revealed deal lapsed");
	}
	world->signed_count = 0;
}

// ---- the broker's process

void broker_start(struct world *world)
{
	struct service_signer signer = {.context = world, .sign = stub_sign, .countersign_check = stub_countersign_check};
	memset(signer.broker_key, 'B', KEY_BYTES);
	if (service_new(&world->config, &signer, world->store, world->now_ms, &world->service))
		world_fail(world, "the service does not start");
	world->held = false;
	world->seen_ms = world->now_ms;
	world->next_tick_ms = (world->now_ms / world->config.tick_ms + 1) * world->config.tick_ms;
}

// ---- scans: pure over what is committed when they run, so they may run whenever no batch is open

bool network_scans_for(const struct world *world, uint64_t origin)
{
	for (int i = 0; i < world->scan_count; i++)
		if (world->scans[i]->waiting && world->scans[i]->origin == origin)
			return true;
	return false;
}

static void take_scans(struct world *world)
{
	struct scan *scan;
	while ((scan = service_scan_next(world->service))) {
		if (world->scan_count == SCANS_MAX_SIM)
			world_fail(world, "more scans than requests");
		world->scans[world->scan_count++] = scan;
		world->totals->scans++;
	}
}

static bool no_further(void *context)
{
	(void)context;
	return false;
}

static void run_scans(struct world *world)
{
	for (int i = 0; i < world->scan_count; i++) {
		if (world->scans[i]->done || random_chance(world, 25))
			continue;
		world->scans[i]->step = 1;
		while (!scan_run(world->scans[i], no_further, NULL) && random_chance(world, 60))
			;
	}
}

static void give_back_scans(struct world *world)
{
	for (int i = 0; i < world->scan_count; i++) {
		if (!world->scans[i]->done || random_chance(world, 50))
			continue;
		world->totals->scans_late += world->scans[i]->waiting == NULL;
		service_scan_done(world->service, world->scans[i]);
		world->scans[i--] = world->scans[--world->scan_count];
	}
}

static void forget_scans(struct world *world)
{
	while (world->scan_count > 0)
		scan_free(world->scans[--world->scan_count]);
}

// A confirmation is on disk a second after it was given at the latest; which of the later ones are is the broker's affair.
static void look_up_confirmed(struct world *world, struct sim_subscription *subscription)
{
	struct subscription row;
	if (!store_subscription_find(world->store, &subscription->id, &world->scratch, &row))
		world_fail(world, "invariant 2: a subscription is lost");
	if (row.confirmed_seq < subscription->written_seq || row.confirmed_seq > subscription->confirmed_seq)
		world_fail(world, "confirmed up to %llu, the disk has %llu, must have %llu",
		           (unsigned long long)subscription->confirmed_seq, (unsigned long long)row.confirmed_seq,
		           (unsigned long long)subscription->written_seq);
	subscription->confirmed_seq = subscription->written_seq = row.confirmed_seq;
}

// Of a batch that was committed.
static void note_written(struct world *world)
{
	for (int i = 0; i < world->subscription_count; i++) {
		struct sim_subscription *subscription = &world->subscriptions[i];
		if (world->now_ms >= subscription->confirmed_at_ms + SECOND_MS)
			subscription->written_seq = subscription->confirmed_seq;
	}
}

// What a process knew and the next one does not.
static void forget_process(struct world *world)
{
	store_begin(world->store);
	for (int i = 0; i < world->subscription_count; i++) {
		struct sim_subscription *subscription = &world->subscriptions[i];
		subscription->sent_seq = 0;
		if (subscription->known && !subscription->removed)
			look_up_confirmed(world, subscription);
	}
	store_abort(world->store);
	for (int i = 0; i < VENDORS; i++)
		world->vendors[i].inbox_sent = 0;
	world->parked_count = 0;
	world->flight_count = 0;
	world->signed_count = 0;
}

void network_crash(struct world *world)
{
	world_log(world, "crash");
	world->totals->crashes++;
	service_free(world->service);
	forget_scans(world);
	store_crash(world->store);
	forget_process(world);
	broker_start(world);
	check_rows(world, true);
}

// ---- a batch

struct effects {
	struct effect items[EFFECTS_MAX];
	bool used[EFFECTS_MAX];
	int count;
};

static void take_effects(struct world *world, struct effects *effects)
{
	effects->count = 0;
	while (service_effect_next(world->service, &effects->items[effects->count])) {
		effects->used[effects->count] = false;
		if (++effects->count == EFFECTS_MAX)
			world_fail(world, "too many replies in one batch");
	}
}

static struct effect *effect_for(struct world *world, struct effects *effects, uint64_t origin)
{
	struct effect *found = NULL;
	for (int i = 0; i < effects->count; i++) {
		if (effects->items[i].origin != origin)
			continue;
		if (found)
			world_fail(world, "two replies to one request");
		found = &effects->items[i];
		effects->used[i] = true;
	}
	return found;
}

static void advance_model_clock(struct world *world)
{
	if (!world->held && world->now_ms - world->seen_ms > HOUR_MS) {
		world->held = true;
		world->held_at_ms = world->seen_ms;
		world->totals->holds++;
	}
	world->seen_ms = world->now_ms;
}

// Applies the batch to the model, each reply compared as it is expected at that moment.
static void settle_flights(struct world *world, struct effects *effects, bool delivered)
{
	for (int i = 0; i < world->flight_count; i++) {
		struct flight *flight = &world->flights[i];
		model_apply(world, flight);
		if (flight->parkable)
			continue; // may be answered now or at the batch's end
		struct effect *effect = effect_for(world, effects, flight->origin);
		if (!effect)
			world_fail(world, "no reply to request %d", flight->record);
		check_effect(world, flight, effect, delivered && !random_chance(world, 5));
		flight->answered = true;
	}
}

static void settle_parked(struct world *world, struct effects *effects, bool delivered)
{
	int kept = 0;
	for (int i = 0; i < world->flight_count; i++)
		if (!world->flights[i].answered)
			world->parked[world->parked_count++] = world->flights[i];
	world->flight_count = 0;
	for (int i = 0; i < world->parked_count; i++) {
		struct flight *flight = &world->parked[i];
		struct effect *effect = effect_for(world, effects, flight->origin);
		if (effect)
			check_effect(world, flight, effect, delivered && !random_chance(world, 5));
		else
			world->parked[kept++] = *flight;
	}
	world->parked_count = kept;
	world->totals->parked += (uint64_t)kept;
	for (int i = 0; i < effects->count; i++)
		if (!effects->used[i])
			world_fail(world, "a reply to nobody");
}

static void settle_failure(struct world *world, struct effects *effects, enum err err)
{
	int waiting = world->flight_count + world->parked_count;
	world->totals->failed_commits++;
	for (int i = 0; i < effects->count; i++) {
		// Errors stand at the same place in all three forms of a reply.
		const Oyez__Reply *reply =
		    wire_unpack(&world->scratch, &oyez__reply__descriptor, effects->items[i].bytes, effects->items[i].count);
		if (!reply || reply->body_case != OYEZ__REPLY__BODY_ERROR || reply->error->code != (uint32_t)err)
			world_fail(world, "something was let out of a batch that was not committed");
	}
	if (effects->count != waiting)
		world_fail(world, "%d of %d requests were told that the commit failed", effects->count, waiting);
	forget_process(world);
	check_rows(world, true);
}

static void apply_flights(struct world *world)
{
	for (int i = 0; i < world->flight_count; i++) {
		struct flight *flight = &world->flights[i];
		struct command command = world->records[flight->record].command;
		command.origin = flight->origin;
		command.now_ms = world->now_ms;
		service_apply(world->service, &command);
	}
}

static void settle(struct world *world, bool delivered)
{
	struct effects effects;
	bool ticked = model_tick_due(world);
	take_effects(world, &effects);
	keep_outcomes(world);
	settle_flights(world, &effects, delivered);
	note_written(world);
	model_timers(world);
	if (ticked)
		model_let_out(world);
	model_look_up_holds(world);
	check_new_feed(world, ticked);
	if (ticked)
		world->next_tick_ms = (world->now_ms / world->config.tick_ms + 1) * world->config.tick_ms;
	settle_parked(world, &effects, delivered);
	check_parked(world);
	check_rows(world, false);
}

void network_flush(struct world *world)
{
	static const uint8_t TICK_RANDOM[16];
	uint32_t dice = random_below(world, 200);
	bool refused = dice < 2, crash_before = dice == 2 || dice == 3, crash_after = dice == 4;
	arena_reset(&world->scratch);
	world->batch++;
	world->totals->batches++;
	world->totals->commands += (uint64_t)world->flight_count;
	run_scans(world);
	service_begin(world->service, world->now_ms);
	advance_model_clock(world);
	give_back_scans(world);
	apply_flights(world);
	give_back_scans(world);
	if (crash_before) {
		network_crash(world);
		return;
	}
	service_advance(world->service, TICK_RANDOM);
	if (refused)
		store_fail_commits(world->store, ERR_STORAGE_FULL);
	enum err err = service_commit(world->service);
	store_fail_commits(world->store, ERR_OK);
	if (err) {
		struct effects effects;
		world_log(world, "commit refused");
		take_effects(world, &effects);
		if (model_tick_due(world))
			world->next_tick_ms = (world->now_ms / world->config.tick_ms + 1) * world->config.tick_ms;
		settle_failure(world, &effects, err);
		return;
	}
	take_scans(world);
	settle(world, !crash_after);
	if (crash_after)
		network_crash(world);
}

// ---- sending

static void send(struct world *world, int number)
{
	struct record *record = &world->records[number];
	world_log(world, "record %d: command %d intent %d offer %d deal %d vendor %d subscription %d", number,
	          record->command.kind, record->intent, record->offer, record->deal, record->vendor, record->subscription);
	world->flights[world->flight_count++] = (struct flight){.record = number, .origin = ++world->origins};
	if (world->flight_count == BATCH_MAX)
		network_flush(world);
}

// Something sent before comes again: a retry, a late copy, or the same names over other bytes.
static void send_again(struct world *world)
{
	if (world->record_count == 0)
		return;
	int span = random_chance(world, 10) || world->record_count < 60 ? world->record_count : 60;
	int number = world->record_count - 1 - (int)random_below(world, (uint32_t)span);
	switch (world->records[number].command.kind) {
	case COMMAND_READ_MAILBOX:
	case COMMAND_READ_STATUS:
	case COMMAND_READ_INBOX:
	case COMMAND_FETCH:
		return;
	default:
		break;
	}
	world->totals->repeats++;
	const struct record *old = &world->records[number];
	// A wallet that signs a forgotten intent anew has made a new one: nothing to be learned from that here.
	bool forgotten = old->command.kind == COMMAND_POST && world->intents[old->intent].forgotten;
	if (forgotten && old->bytes != world->intents[old->intent].post_bytes)
		return;
	if (old->command.kind != COMMAND_SUBSCRIBE && !forgotten && random_chance(world, 15) &&
	    world->record_count < RECORDS_MAX) {
		int changed = world->record_count++;
		struct record *record = &world->records[changed];
		*record = world->records[number];
		record->bytes = ++world->bytes_count;
		record->made_ms = record->command.made_at_ms = world->now_ms;
		memcpy(record->command.record_hash.bytes, &record->bytes, sizeof record->bytes);
		number = changed;
	}
	send(world, number);
}

// ---- time

static void jump(struct world *world)
{
	world->totals->jumps++;
	if (random_chance(world, 50)) { // the machine runs through it
		for (uint32_t hours = 1 + random_below(world, 48); hours > 0; hours--) {
			world->now_ms += HOUR_MS;
			network_flush(world);
		}
		return;
	}
	world->now_ms += HOUR_MS + (uint64_t)random_below(world, 5 * 24) * HOUR_MS;
	network_flush(world);
	if (random_chance(world, 60)) {
		service_confirm_clock(world->service);
		world->held = false;
	}
}

static void let_time_pass(struct world *world)
{
	uint32_t dice = random_below(world, 1000);
	if (dice < 600)
		world->now_ms += random_below(world, 1200);
	else if (dice < 640)
		world->now_ms += random_below(world, 30 * MINUTE_MS);
	else if (dice < 643)
		jump(world);
	if (world->held && random_chance(world, 10)) {
		service_confirm_clock(world->service);
		world->held = false;
	}
}

static void leave_parked(struct world *world)
{
	if (world->parked_count == 0)
		return;
	int number = (int)random_below(world, (uint32_t)world->parked_count);
	service_cancel(world->service, world->parked[number].origin);
	world->parked[number] = world->parked[--world->parked_count];
}

void network_step(struct world *world)
{
	let_time_pass(world);
	if (random_chance(world, 20)) {
		send_again(world);
	} else {
		int number = action_random(world);
		if (number >= 0 && !random_chance(world, 5))
			send(world, number);
	}
	if (random_chance(world, 2))
		leave_parked(world);
	if (random_chance(world, 45))
		network_flush(world);
}
