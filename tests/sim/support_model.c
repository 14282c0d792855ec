// The dumb broker: plain arrays, no store, no messages. Written from the protocol's words, to be compared with.
#include <limits.h>

#include "broker/core/deal.h"
#include "broker/core/intent.h"
#include "broker/core/offer.h"
#include "world.h"

// ---- small questions

uint64_t model_due_ms(const struct world *world)
{
	return world->held ? world->held_at_ms : world->now_ms;
}

bool intent_is_live(const struct sim_intent *intent)
{
	return intent->known && (intent->state == INTENT_WAITING || intent->state == INTENT_RELEASED);
}

bool intent_has_mailbox(const struct sim_intent *intent)
{
	return intent_is_live(intent) || (intent->known && intent->open > 0);
}

static bool taken(const struct sim_intent *intent)
{
	return intent->bound >= intent->deals_max;
}

static bool stale(const struct world *world, const struct record *record)
{
	int64_t age = (int64_t)(world->now_ms - record->made_ms);
	return age > (int64_t)RECORD_AGE_MS_MAX || -age > (int64_t)RECORD_AGE_MS_MAX;
}

static bool offer_stands(const struct world *world, const struct sim_offer *offer)
{
	return offer->known && offer->state == OFFER_OPEN && offer->expires_ms > model_due_ms(world);
}

// ---- what people find in their boxes

static int add_mail(struct world *world, int number, enum mail_kind kind, int what)
{
	struct sim_intent *intent = &world->intents[number];
	if (intent->mail_count == MAIL_MAX)
		world_fail(world, "the simulator's mailbox is too small");
	intent->mail[intent->mail_count] = (struct mail){.kind = kind, .what = what};
	return intent->mail_count++;
}

static void add_inbox(struct world *world, int number, enum inbox_kind kind, int what)
{
	struct sim_vendor *vendor = &world->vendors[number];
	if (vendor->inbox_count == INBOX_MAX)
		world_fail(world, "the simulator's inbox is too small");
	vendor->inbox[vendor->inbox_count++] =
	    (struct inbox_entry){.kind = kind, .what = what, .event = world->event, .at_ms = world->now_ms};
}

static void add_tombstone(struct world *world, int number, int reason)
{
	struct sim_intent *intent = &world->intents[number];
	if (world->feed_count == FEED_MAX)
		world_fail(world, "the simulator's feed is too small");
	if (intent->standing)
		world->feed[intent->release_seq - 1].ended_batch = world->batch;
	world->feed[world->feed_count++] = (struct feed_entry){
	    .kind = FEED_ENTRY_GONE, .intent = number, .reason = reason, .at_ms = world->now_ms, .ended_batch = INT_MAX};
	intent->standing = false;
}

static void tell_losers(struct world *world, int number)
{
	for (int vendor = 0; vendor < VENDORS; vendor++) {
		bool open = false, has_deal = false;
		for (int i = 0; i < world->offer_count; i++) {
			const struct sim_offer *offer = &world->offers[i];
			if (!offer->known || offer->intent != number || offer->vendor != vendor)
				continue;
			open |= offer_stands(world, offer);
			has_deal |= offer->state == OFFER_ACCEPTED;
		}
		if (open && !has_deal)
			add_inbox(world, vendor, INBOX_GONE, number);
	}
}

// ---- holds

static void hold_back(struct world *world, struct sim_held held)
{
	if (world->held_count == HELD_MAX)
		world_fail(world, "the simulator holds back too much");
	held.made_ms = world->now_ms;
	world->held_back[world->held_count++] = held;
	world->totals->held_back++;
}

static void hold_gone(struct world *world, int number, int reason)
{
	struct sim_intent *intent = &world->intents[number];
	if (intent->gone_pending)
		return;
	intent->gone_pending = true;
	hold_back(world,
	          (struct sim_held){.kind = HELD_GONE, .what = number, .reason = reason, .tombstone = intent->standing});
	if (intent->standing)
		world->feed[intent->release_seq - 1].ended_batch = world->batch;
	intent->standing = false;
}

static void hold_item(struct world *world, int intent, enum held_kind kind, int vendor, enum inbox_kind inbox, int what)
{
	if (world->intents[intent].held)
		hold_back(world, (struct sim_held){.kind = kind, .what = what});
	else
		add_inbox(world, vendor, inbox, what);
}

static const struct id *held_id(const struct world *world, const struct sim_held *held)
{
	return held->kind == HELD_GONE     ? &world->intents[held->what].id
	       : held->kind == HELD_ANSWER ? &world->questions[held->what].id
	                                   : &world->offers[held->what].id;
}

static bool look_up(void *context, uint64_t at_ms, enum held_kind kind, const struct id *id)
{
	struct world *world = context;
	for (int i = 0; i < world->held_count; i++) {
		struct sim_held *held = &world->held_back[i];
		if (held->kind != kind || !id_equal(held_id(world, held), id))
			continue;
		if (held->due_ms && held->due_ms != at_ms)
			continue;
		uint64_t longest =
		    5 * (kind == HELD_GONE && held->reason == OYEZ__GONE_REASON__GONE_EXPIRED ? 10 : 1) * MINUTE_MS;
		if (at_ms <= held->made_ms || at_ms > held->made_ms + longest)
			world_fail(world, "something is held back for %lld ms", (long long)(at_ms - held->made_ms));
		held->due_ms = at_ms;
		return true;
	}
	world_fail(world, "something is held back that nobody sent");
}

void model_look_up_holds(struct world *world)
{
	store_begin(world->store);
	for (int i = 0; i < world->intent_count; i++) {
		struct sim_intent *intent = &world->intents[i];
		struct intent row;
		if (!intent->known || !intent->held || intent->ready_ms || intent->state != INTENT_WAITING ||
		    !store_intent_find(world->store, &intent->id, &row))
			continue;
		intent->ready_ms = row.ready_at_ms;
		if (row.ready_at_ms <= intent->posted_ms || row.ready_at_ms > intent->posted_ms + 50 * MINUTE_MS)
			world_fail(world, "a release is held back for %lld ms", (long long)(row.ready_at_ms - intent->posted_ms));
	}
	store_held_each(world->store, look_up, world);
	store_abort(world->store);
	for (int i = 0; i < world->held_count; i++)
		if (!world->held_back[i].due_ms)
			world_fail(world, "what is to be held back is lost");
}

static bool held_before(const struct world *world, const struct sim_held *a, const struct sim_held *b)
{
	if (a->due_ms != b->due_ms)
		return a->due_ms < b->due_ms;
	if (a->kind != b->kind)
		return a->kind < b->kind;
	return memcmp(held_id(world, a)->bytes, held_id(world, b)->bytes, ID_BYTES) < 0;
}

static void let_out(struct world *world, const struct sim_held *held)
{
	if (held->kind == HELD_ANSWER) {
		const struct sim_question *question = &world->questions[held->what];
		if (intent_is_live(&world->intents[question->intent]))
			add_inbox(world, question->vendor, INBOX_ANSWER, held->what);
		return;
	}
	if (held->kind == HELD_DECLINED) {
		const struct sim_offer *offer = &world->offers[held->what];
		if (intent_is_live(&world->intents[offer->intent]))
			add_inbox(world, offer->vendor, INBOX_DECLINED, held->what);
		return;
	}
	if (world->intents[held->what].known)
		tell_losers(world, held->what);
	world->intents[held->what].gone_pending = false;
	if (held->tombstone)
		add_tombstone(world, held->what, held->reason);
}

void model_let_out(struct world *world)
{
	for (;;) {
		int first = -1;
		for (int i = 0; i < world->held_count; i++)
			if (world->held_back[i].due_ms && world->held_back[i].due_ms <= world->now_ms &&
			    (first < 0 || held_before(world, &world->held_back[i], &world->held_back[first])))
				first = i;
		if (first < 0)
			return;
		struct sim_held held = world->held_back[first];
		world->held_back[first] = world->held_back[--world->held_count];
		world->event++;
		world->totals->let_out++;
		let_out(world, &held);
	}
}

// ---- ends

static void lapse(struct world *world, int number)
{
	struct sim_deal *deal = &world->deals[number];
	struct sim_intent *intent = &world->intents[deal->intent];
	struct sim_offer *offer = &world->offers[deal->offer];
	deal->lapsed_from = deal->state;
	deal->state = DEAL_LAPSED;
	add_inbox(world, deal->vendor, INBOX_LAPSED, number);
	if (intent_has_mailbox(intent))
		add_mail(world, deal->intent, MAIL_LAPSED, number);
	intent->open--;
	if (deal->lapsed_from == DEAL_COUNTERSIGNED)
		intent->bound--;
	offer->state = offer->expires_ms > model_due_ms(world) ? OFFER_OPEN : OFFER_EXPIRED;
	for (int i = 0; i < world->offer_count; i++)
		if (&world->offers[i] != offer && world->offers[i].intent == offer->intent &&
		    world->offers[i].vendor == offer->vendor && offer_stands(world, &world->offers[i]) &&
		    offer->state == OFFER_OPEN)
			offer->state = OFFER_REPLACED;
	world->totals->lapsed++;
}

// The one with the lowest id: of two deals with one vendor the order decides which offer counts as replaced.
static int first_accepted(const struct world *world, int intent)
{
	int first = -1;
	for (int i = 0; i < world->deal_count; i++) {
		const struct sim_deal *deal = &world->deals[i];
		if (deal->known && deal->intent == intent && deal->state == DEAL_ACCEPTED &&
		    (first < 0 || memcmp(deal->id.bytes, world->deals[first].id.bytes, ID_BYTES) < 0))
			first = i;
	}
	return first;
}

static void end_intent(struct world *world, int number, int state)
{
	struct sim_intent *intent = &world->intents[number];
	bool was_released = intent->state == INTENT_RELEASED, was_taken = taken(intent);
	intent->state = state;
	for (int deal; state == INTENT_WITHDRAWN && (deal = first_accepted(world, number)) >= 0;)
		lapse(world, deal);
	int reason = state == INTENT_WITHDRAWN ? OYEZ__GONE_REASON__GONE_WITHDRAWN
	             : state == INTENT_EXPIRED ? OYEZ__GONE_REASON__GONE_EXPIRED
	                                       : OYEZ__GONE_REASON__GONE_TAKEN;
	if (was_released && !was_taken && intent->held)
		hold_gone(world, number, reason);
	else if (was_released && !was_taken)
		tell_losers(world, number);
	if (was_released && intent->standing)
		add_tombstone(world, number, reason);
	uint64_t kept = world->config.retention_ms > HOUR_MS ? world->config.retention_ms : HOUR_MS;
	intent->forget_ms = world->now_ms + kept;
	world->totals->withdrawn += state == INTENT_WITHDRAWN;
	world->totals->expired += state == INTENT_EXPIRED;
	world->totals->concluded += state == INTENT_CONCLUDED;
}

static void expire_if_due(struct world *world, int number)
{
	struct sim_intent *intent = &world->intents[number];
	if (intent_is_live(intent) && intent->expires_ms <= model_due_ms(world))
		end_intent(world, number, INTENT_EXPIRED);
}

static void after_deal(struct world *world, int number)
{
	struct sim_intent *intent = &world->intents[number];
	if (intent_is_live(intent) && intent->done >= intent->deals_max)
		end_intent(world, number, INTENT_CONCLUDED);
}

static void conclude(struct world *world, int number)
{
	struct sim_deal *deal = &world->deals[number];
	struct sim_intent *intent = &world->intents[deal->intent];
	deal->state = DEAL_CONCLUDED;
	world->vendors[deal->vendor].concluded++;
	intent->open--;
	intent->done++;
	after_deal(world, deal->intent);
}

static void forget(struct world *world, int number)
{
	struct sim_intent *intent = &world->intents[number];
	if (intent->open > 0) {
		intent->forget_ms = world->now_ms + DAY_MS;
		return;
	}
	intent->known = false;
	intent->forgotten = true;
	for (int i = 0; i < world->offer_count; i++)
		world->offers[i].known &= world->offers[i].intent != number;
	for (int i = 0; i < world->question_count; i++)
		world->questions[i].known &= world->questions[i].intent != number;
	for (int i = 0; i < world->deal_count; i++)
		world->deals[i].known &= world->deals[i].intent != number || world->deals[i].state == DEAL_CONCLUDED;
}

static uint64_t deal_due_ms(const struct sim_deal *deal)
{
	if (!deal->known)
		return UINT64_MAX;
	switch (deal->state) {
	case DEAL_ACCEPTED:
		return deal->countersign_by_ms;
	case DEAL_COUNTERSIGNED:
		return deal->reveal_by_ms;
	case DEAL_REVEALED:
		return deal->revealed_ms + 72 * HOUR_MS;
	default:
		return UINT64_MAX;
	}
}

// ---- timers: by time, then kind, then id

struct due {
	uint64_t at_ms;
	int kind; // 1 intent, 2 deal, 3 forget intent, 4 forget subscription
	int what;
	const struct id *id;
};

static void offer_due(struct due *best, uint64_t at_ms, int kind, int what, const struct id *id)
{
	if (at_ms > best->at_ms || (at_ms == best->at_ms && kind > best->kind))
		return;
	if (at_ms == best->at_ms && kind == best->kind && memcmp(id->bytes, best->id->bytes, ID_BYTES) > 0)
		return;
	*best = (struct due){at_ms, kind, what, id};
}

static bool first_due(struct world *world, struct due *best)
{
	*best = (struct due){.at_ms = world->now_ms + 1, .kind = 0};
	for (int i = 0; i < world->intent_count; i++) {
		const struct sim_intent *intent = &world->intents[i];
		if (intent_is_live(intent))
			offer_due(best, intent->expires_ms, 1, i, &intent->id);
		else if (intent->known)
			offer_due(best, intent->forget_ms, 3, i, &intent->id);
	}
	for (int i = 0; i < world->deal_count; i++)
		offer_due(best, deal_due_ms(&world->deals[i]), 2, i, &world->deals[i].id);
	for (int i = 0; i < world->subscription_count; i++)
		if (world->subscriptions[i].known && world->subscriptions[i].removed)
			offer_due(best, world->subscriptions[i].forget_ms, 4, i, &world->subscriptions[i].id);
	return best->kind != 0;
}

void model_timers(struct world *world)
{
	struct due due;
	while (!world->held && first_due(world, &due)) {
		world->event++;
		if (due.kind == 1) {
			end_intent(world, due.what, INTENT_EXPIRED);
		} else if (due.kind == 2 && world->deals[due.what].state == DEAL_REVEALED) {
			conclude(world, due.what);
		} else if (due.kind == 2) {
			const struct sim_deal *deal = &world->deals[due.what];
			bool fault = deal->state == DEAL_ACCEPTED && deal->countersign_by_ms - deal->accepted_ms >= FAULT_MS_MIN;
			world->vendors[deal->vendor].at_fault += fault;
			lapse(world, due.what);
			after_deal(world, world->deals[due.what].intent);
		} else if (due.kind == 3) {
			forget(world, due.what);
		} else {
			world->subscriptions[due.what].known = false;
		}
	}
}

bool model_tick_due(const struct world *world)
{
	return world->now_ms >= world->next_tick_ms;
}

void model_released(struct world *world, int number, const Oyez__Release *release, uint64_t seq)
{
	struct sim_intent *intent = &world->intents[number];
	const Oyez__Facets *facets = release->facets;
	intent->state = INTENT_RELEASED;
	intent->release_seq = seq;
	intent->released_ms = release->released_at_ms;
	intent->standing = true;
	intent->crowd = release->crowd;
	intent->shown = (struct words){
	    .category = category_of_word(facets->category),
	    .region = region_of_word(facets->region),
	    .terms = facets->terms[0] != '\0',
	    .only_france = facets->rules && facets->rules->n_countries > 0,
	    .euros = facets->budget != NULL,
	    .max_e4 = facets->budget ? facets->budget->max_e4 : 0,
	};
	world->feed[world->feed_count++] = (struct feed_entry){
	    .kind = FEED_ENTRY_RELEASE, .intent = number, .at_ms = world->now_ms, .ended_batch = INT_MAX};
	world->totals->releases++;
}

// ---- customers' commands

static enum err apply_post(struct world *world, const struct record *record)
{
	struct sim_intent *intent = &world->intents[record->intent];
	expire_if_due(world, record->intent);
	if (intent->known) {
		if (intent->post_bytes != record->bytes)
			return ERR_CONFLICT;
		return intent_is_live(intent) ? ERR_OK : ERR_GONE;
	}
	if (stale(world, record))
		return ERR_STALE;
	if (intent->expires_ms <= world->now_ms)
		return ERR_PAST_DATE;
	if (intent->expires_ms < record->made_ms + SECOND_MS)
		return ERR_BAD_VALUE;
	if (intent->forgotten)
		world_fail(world, "a forgotten post can be posted again");
	intent->known = true;
	intent->state = INTENT_WAITING;
	intent->post_bytes = record->bytes;
	intent->held = world->config.hold == HOLD_ALL;
	intent->posted_ms = world->now_ms;
	world->totals->posts++;
	return ERR_OK;
}

static enum err apply_withdraw(struct world *world, const struct record *record)
{
	struct sim_intent *intent = &world->intents[record->intent];
	expire_if_due(world, record->intent);
	if (!intent->known)
		return ERR_NOT_FOUND;
	if (intent->state == INTENT_WITHDRAWN)
		return ERR_OK;
	if (stale(world, record))
		return ERR_STALE;
	if (!intent_is_live(intent))
		return ERR_GONE;
	if (intent->bound > intent->done)
		return ERR_DEAL_OPEN;
	end_intent(world, record->intent, INTENT_WITHDRAWN);
	return ERR_OK;
}

static enum err offer_refusal(const struct world *world, const struct sim_offer *offer)
{
	if (offer->expires_ms <= model_due_ms(world))
		return ERR_OFFER_EXPIRED;
	switch (offer->state) {
	case OFFER_OPEN:
		return ERR_OK;
	case OFFER_REPLACED:
		return ERR_OFFER_REPLACED;
	case OFFER_WITHDRAWN:
		return ERR_OFFER_WITHDRAWN;
	case OFFER_DECLINED:
		return ERR_OFFER_DECLINED;
	case OFFER_ACCEPTED:
		return ERR_OFFER_ACCEPTED;
	default:
		return ERR_OFFER_EXPIRED;
	}
}

static enum err apply_decline(struct world *world, const struct record *record)
{
	struct sim_intent *intent = &world->intents[record->intent];
	struct sim_offer *offer = &world->offers[record->offer];
	expire_if_due(world, record->intent);
	if (!intent->known || !offer->known || offer->dropped)
		return ERR_NOT_FOUND;
	if (offer->intent != record->intent)
		return ERR_NOT_YOURS;
	if (offer->state == OFFER_DECLINED)
		return ERR_OK;
	if (stale(world, record))
		return ERR_STALE;
	if (!intent_is_live(intent))
		return ERR_GONE;
	enum err err = offer_refusal(world, offer);
	if (err)
		return err;
	offer->state = OFFER_DECLINED;
	intent->mail[offer->mail].removed = true;
	hold_item(world, record->intent, HELD_DECLINED, offer->vendor, INBOX_DECLINED, record->offer);
	return ERR_OK;
}

static enum err apply_answer(struct world *world, const struct record *record)
{
	struct sim_intent *intent = &world->intents[record->intent];
	struct sim_question *question = &world->questions[record->question];
	expire_if_due(world, record->intent);
	if (!intent->known || !question->known || question->dropped)
		return ERR_NOT_FOUND;
	if (question->intent != record->intent)
		return ERR_NOT_YOURS;
	if (question->answered_bytes)
		return question->answered_bytes == record->bytes ? ERR_OK : ERR_CONFLICT;
	if (stale(world, record))
		return ERR_STALE;
	if (!intent_is_live(intent))
		return ERR_GONE;
	question->answered_bytes = record->bytes;
	hold_item(world, record->intent, HELD_ANSWER, question->vendor, INBOX_ANSWER, record->question);
	return ERR_OK;
}

static enum err apply_accept(struct world *world, const struct record *record)
{
	struct sim_intent *intent = &world->intents[record->intent];
	struct sim_deal *deal = &world->deals[record->deal];
	struct sim_offer *offer = &world->offers[deal->offer];
	if (deal->known)
		return deal->bytes == record->bytes ? ERR_OK : ERR_CONFLICT;
	expire_if_due(world, record->intent);
	if (!intent->known)
		return ERR_NOT_FOUND;
	if (stale(world, record))
		return ERR_STALE;
	if (!intent_is_live(intent))
		return ERR_GONE;
	if (intent->state == INTENT_WAITING)
		return ERR_NOT_RELEASED;
	if (!offer->known || offer->dropped)
		return ERR_NOT_FOUND;
	if (offer->intent != record->intent)
		return ERR_NOT_YOURS;
	if (world->vendors[offer->vendor].suspended)
		return ERR_VENDOR_SUSPENDED;
	if (deal->countersign_by_ms <= world->now_ms)
		return ERR_PAST_DATE;
	enum err err = offer_refusal(world, offer);
	if (err)
		return err;
	if (intent->open + intent->done >= intent->deals_max)
		return ERR_DEAL_LIMIT;
	deal->known = true;
	deal->bytes = record->bytes;
	deal->vendor = offer->vendor;
	deal->state = DEAL_ACCEPTED;
	deal->accepted_ms = world->now_ms;
	world->vendors[deal->vendor].accepted++;
	offer->state = OFFER_ACCEPTED;
	intent->open++;
	add_inbox(world, offer->vendor, INBOX_AGREEMENT, record->deal);
	world->totals->accepts++;
	return ERR_OK;
}

static enum err apply_reveal(struct world *world, const struct record *record)
{
	struct sim_deal *deal = &world->deals[record->deal];
	if (!deal->known)
		return ERR_NOT_FOUND;
	if (deal->intent != record->intent)
		return ERR_NOT_YOURS;
	if (deal->reveal_bytes && deal->reveal_bytes == record->bytes)
		return ERR_OK;
	if (stale(world, record))
		return ERR_STALE;
	if (world->vendors[deal->vendor].suspended)
		return ERR_VENDOR_SUSPENDED;
	bool late = deal_due_ms(deal) <= model_due_ms(world);
	switch (deal->state) {
	case DEAL_ACCEPTED:
		return late ? ERR_LAPSED : ERR_NOT_COUNTERSIGNED;
	case DEAL_COUNTERSIGNED:
		break;
	case DEAL_REVEALED:
		return ERR_CONFLICT;
	case DEAL_CONCLUDED:
		return ERR_DEAL_CLOSED;
	default:
		return ERR_LAPSED;
	}
	if (late)
		return ERR_LAPSED;
	expire_if_due(world, deal->intent);
	deal->state = DEAL_REVEALED;
	deal->revealed_ms = model_due_ms(world);
	deal->reveal_bytes = record->bytes;
	add_inbox(world, deal->vendor, INBOX_REVEAL, record->deal);
	world->totals->revealed++;
	return ERR_OK;
}

static enum err apply_read(struct world *world, const struct record *record, bool mailbox)
{
	struct sim_intent *intent = &world->intents[record->intent];
	if (stale(world, record))
		return ERR_STALE;
	expire_if_due(world, record->intent);
	if (!intent->known)
		return ERR_NOT_FOUND;
	return mailbox && !intent_has_mailbox(intent) ? ERR_GONE : ERR_OK;
}

// ---- vendors' commands

static bool holds_place(const struct world *world, int number, int vendor, bool is_self)
{
	bool declined = false, asked = false;
	for (int i = 0; i < world->offer_count; i++) {
		const struct sim_offer *offer = &world->offers[i];
		if (!offer->known || offer->intent != number || offer->vendor != vendor)
			continue;
		declined |= offer->state == OFFER_DECLINED;
		if ((is_self || !offer->dropped) && (offer_stands(world, offer) || offer->state == OFFER_ACCEPTED))
			return true;
	}
	for (int i = 0; i < world->question_count; i++) {
		const struct sim_question *question = &world->questions[i];
		asked |= question->known && question->intent == number && question->vendor == vendor &&
		         (is_self || !question->dropped);
	}
	return asked && !declined;
}

static enum err may_answer(struct world *world, int number, int self, bool *dropped)
{
	struct sim_intent *intent = &world->intents[number];
	int others = 0;
	if (!intent->known)
		return ERR_NOT_FOUND;
	expire_if_due(world, number);
	if (intent->state == INTENT_WAITING)
		return ERR_NOT_RELEASED;
	bool over = intent->state != INTENT_RELEASED || taken(intent);
	if (over && !intent->gone_pending)
		return ERR_GONE;
	if (intent->shown.terms && !world->vendors[self].terms)
		return ERR_TERMS_REFUSED;
	if (intent->shown.only_france && !world->vendors[self].france)
		return ERR_RULES_REFUSED;
	for (int vendor = 0; vendor < VENDORS; vendor++)
		others += vendor != self && holds_place(world, number, vendor, false);
	if (others >= VENDORS_PER_INTENT && !holds_place(world, number, self, true))
		return ERR_VENDOR_LIMIT;
	*dropped = over || (intent->block >> self & 1) || (intent->allow && !(intent->allow >> self & 1));
	return ERR_OK;
}

static enum err offer_limit(const struct world *world, const struct sim_offer *new_offer)
{
	int standing = 0, own = 0;
	bool own_stands = false;
	for (int i = 0; i < world->offer_count; i++) {
		const struct sim_offer *offer = &world->offers[i];
		if (!offer->known || offer->intent != new_offer->intent)
			continue;
		bool mine = offer->vendor == new_offer->vendor;
		own += mine;
		own_stands |= mine && offer_stands(world, offer);
		standing += (mine || !offer->dropped) && (offer_stands(world, offer) || offer->state == OFFER_ACCEPTED);
	}
	return own >= 32 || (!own_stands && standing >= OFFERS_PER_INTENT) ? ERR_OFFER_LIMIT : ERR_OK;
}

static enum err apply_offer(struct world *world, const struct record *record)
{
	struct sim_offer *offer = &world->offers[record->offer];
	bool dropped;
	if (offer->known)
		return offer->bytes == record->bytes ? ERR_OK : ERR_CONFLICT;
	if (stale(world, record))
		return ERR_STALE;
	enum err err = may_answer(world, offer->intent, offer->vendor, &dropped);
	if (err)
		return err;
	if (offer->expires_ms <= world->now_ms)
		return ERR_OFFER_EXPIRED;
	if ((err = offer_limit(world, offer)))
		return err;
	offer->state = OFFER_OPEN;
	bool first = true;
	for (int i = 0; i < world->offer_count; i++) {
		struct sim_offer *old = &world->offers[i];
		first &= !(old->known && old->intent == offer->intent && old->vendor == offer->vendor);
		if (old->intent != offer->intent || old->vendor != offer->vendor || !offer_stands(world, old))
			continue;
		if (old->made_ms > record->made_ms) {
			offer->state = OFFER_REPLACED;
			continue;
		}
		old->state = OFFER_REPLACED;
		if (old->mail >= 0)
			world->intents[old->intent].mail[old->mail].removed = true;
	}
	world->vendors[offer->vendor].offers += first;
	offer->known = true;
	offer->bytes = record->bytes;
	offer->made_ms = record->made_ms;
	offer->dropped = dropped;
	offer->mail =
	    dropped || offer->state != OFFER_OPEN ? -1 : add_mail(world, offer->intent, MAIL_OFFER, record->offer);
	world->totals->offers++;
	return ERR_OK;
}

static enum err apply_question(struct world *world, const struct record *record)
{
	struct sim_question *question = &world->questions[record->question];
	bool dropped;
	int own = 0;
	if (question->known)
		return question->bytes == record->bytes ? ERR_OK : ERR_CONFLICT;
	if (stale(world, record))
		return ERR_STALE;
	enum err err = may_answer(world, question->intent, question->vendor, &dropped);
	if (err)
		return err;
	for (int i = 0; i < world->question_count; i++)
		own += world->questions[i].known && world->questions[i].intent == question->intent &&
		       world->questions[i].vendor == question->vendor;
	if (own >= 4)
		return ERR_QUESTION_LIMIT;
	question->known = true;
	question->bytes = record->bytes;
	question->dropped = dropped;
	if (!dropped)
		add_mail(world, question->intent, MAIL_QUESTION, record->question);
	return ERR_OK;
}

static enum err apply_withdraw_offer(struct world *world, const struct record *record)
{
	struct sim_offer *offer = &world->offers[record->offer];
	if (!offer->known)
		return ERR_NOT_FOUND;
	if (offer->vendor != record->vendor)
		return ERR_NOT_YOURS;
	if (offer->state == OFFER_WITHDRAWN)
		return ERR_OK;
	if (stale(world, record))
		return ERR_STALE;
	enum err err = offer_refusal(world, offer);
	if (err)
		return err;
	struct sim_intent *intent = &world->intents[offer->intent];
	offer->state = OFFER_WITHDRAWN;
	if (!offer->dropped && intent_has_mailbox(intent)) {
		intent->mail[offer->mail].removed = true;
		add_mail(world, offer->intent, MAIL_OFFER_WITHDRAWN, record->offer);
	}
	return ERR_OK;
}

static enum err apply_countersign(struct world *world, const struct record *record)
{
	struct sim_deal *deal = &world->deals[record->deal];
	if (!deal->known)
		return ERR_NOT_FOUND;
	if (deal->vendor != record->vendor)
		return ERR_NOT_YOURS;
	if (deal->countersign_bytes && deal->countersign_bytes == record->bytes)
		return ERR_OK;
	if (stale(world, record))
		return ERR_STALE;
	if (record->junk)
		return ERR_BAD_COUNTERSIGNATURE;
	bool late = deal_due_ms(deal) <= model_due_ms(world);
	switch (deal->state) {
	case DEAL_ACCEPTED:
		break;
	case DEAL_COUNTERSIGNED:
		return late ? ERR_LAPSED : ERR_CONFLICT;
	case DEAL_REVEALED:
		return ERR_CONFLICT;
	case DEAL_CONCLUDED:
		return ERR_DEAL_CLOSED;
	default:
		return ERR_LAPSED;
	}
	if (late)
		return ERR_LAPSED;
	struct sim_intent *intent = &world->intents[deal->intent];
	expire_if_due(world, deal->intent);
	deal->state = DEAL_COUNTERSIGNED;
	deal->countersign_bytes = record->bytes;
	intent->bound++;
	add_mail(world, deal->intent, MAIL_COUNTERSIGNED, record->deal);
	add_inbox(world, deal->vendor, INBOX_COUNTERSIGNED, record->deal);
	if (intent_is_live(intent) && taken(intent)) {
		if (intent->held)
			hold_gone(world, deal->intent, OYEZ__GONE_REASON__GONE_TAKEN);
		else
			tell_losers(world, deal->intent);
		if (intent->standing)
			add_tombstone(world, deal->intent, OYEZ__GONE_REASON__GONE_TAKEN);
	}
	world->totals->countersigned++;
	return ERR_OK;
}

static enum err apply_receipt(struct world *world, const struct record *record)
{
	struct sim_deal *deal = &world->deals[record->deal];
	if (!deal->known)
		return ERR_NOT_FOUND;
	if (deal->vendor != record->vendor)
		return ERR_NOT_YOURS;
	if (deal->state == DEAL_CONCLUDED)
		return ERR_OK;
	if (stale(world, record))
		return ERR_STALE;
	bool late = deal_due_ms(deal) <= model_due_ms(world);
	switch (deal->state) {
	case DEAL_ACCEPTED:
		return late ? ERR_LAPSED : ERR_NOT_COUNTERSIGNED;
	case DEAL_COUNTERSIGNED:
		return late ? ERR_LAPSED : ERR_NOT_REVEALED;
	case DEAL_REVEALED:
		break;
	default:
		return ERR_LAPSED;
	}
	expire_if_due(world, deal->intent);
	add_mail(world, deal->intent, MAIL_RECEIPT, record->deal);
	conclude(world, record->deal);
	return ERR_OK;
}

static enum err apply_register(struct world *world, const struct record *record)
{
	struct sim_vendor *vendor = &world->vendors[record->vendor];
	if (vendor->registered && record->listing_ms < vendor->listing_ms)
		return ERR_OK;
	if (vendor->registered && record->listing_ms == vendor->listing_ms)
		return record->listing_bytes == vendor->listing_bytes ? ERR_OK : ERR_CONFLICT;
	if (stale(world, record))
		return ERR_STALE;
	vendor->registered = true;
	vendor->france = record->listing_france;
	vendor->terms = record->listing_terms;
	vendor->listing_ms = record->listing_ms;
	vendor->listing_bytes = record->listing_bytes;
	vendor->changed_batch = world->batch;
	return ERR_OK;
}

static enum err apply_subscribe(struct world *world, const struct record *record)
{
	struct sim_subscription *subscription = &world->subscriptions[record->subscription];
	if (subscription->known)
		return ERR_OK;
	if (stale(world, record))
		return ERR_STALE;
	subscription->known = true;
	subscription->start_seq = subscription->confirmed_seq = subscription->written_seq = world->feed_count;
	return ERR_OK;
}

static enum err apply_unsubscribe(struct world *world, const struct record *record)
{
	struct sim_subscription *subscription = &world->subscriptions[record->subscription];
	if (!subscription->known)
		return ERR_NOT_FOUND;
	if (subscription->vendor != record->vendor)
		return ERR_NOT_YOURS;
	if (subscription->removed)
		return ERR_OK;
	if (stale(world, record))
		return ERR_STALE;
	subscription->removed = true;
	subscription->forget_ms = world->now_ms + DAY_MS;
	return ERR_OK;
}

static enum err apply_fetch(struct world *world, const struct record *record, struct flight *flight)
{
	struct sim_subscription *subscription = &world->subscriptions[record->subscription];
	if (!subscription->known || subscription->removed)
		return ERR_NOT_FOUND;
	if (subscription->vendor != record->vendor)
		return ERR_NOT_YOURS;
	uint64_t after = record->from_cursor
	                     ? record->after
	                     : (subscription->sent_seq ? subscription->sent_seq : subscription->confirmed_seq);
	if (after < subscription->start_seq)
		after = subscription->start_seq;
	if (after + 1 < world->feed_first)
		return ERR_CURSOR_EXPIRED;
	if (record->from_cursor && after > subscription->confirmed_seq) {
		if (subscription->confirmed_seq == subscription->written_seq)
			subscription->confirmed_at_ms = world->now_ms;
		subscription->confirmed_seq = after;
	}
	flight->after = after;
	return ERR_OK;
}

static bool offer_concerns(const struct world *world, int number)
{
	const struct sim_offer *offer = &world->offers[number];
	if (!offer->known || offer->dropped)
		return false;
	for (int i = 0; i < world->deal_count; i++) {
		const struct sim_deal *deal = &world->deals[i];
		if (deal->known && deal->offer == number && deal->state != DEAL_CONCLUDED && deal->state != DEAL_LAPSED)
			return true;
	}
	return offer_stands(world, offer);
}

static void tell_suspended(struct world *world, int vendor)
{
	for (int i = 0; i < world->intent_count; i++) {
		bool concerned = false;
		for (int j = 0; j < world->offer_count; j++)
			concerned |= world->offers[j].intent == i && world->offers[j].vendor == vendor && offer_concerns(world, j);
		if (concerned && intent_has_mailbox(&world->intents[i]))
			add_mail(world, i, MAIL_SUSPENDED, vendor);
	}
}

static enum err apply_admin(struct world *world, const struct record *record, bool suspended)
{
	struct sim_vendor *vendor = &world->vendors[record->vendor];
	if (!vendor->registered)
		return ERR_VENDOR_UNKNOWN;
	if (suspended && !vendor->suspended)
		tell_suspended(world, record->vendor);
	vendor->suspended = suspended;
	vendor->changed_batch = world->batch;
	return ERR_OK;
}

// ---- the one way in

static enum err vendor_access(const struct world *world, const struct record *record)
{
	const struct sim_vendor *vendor = &world->vendors[record->vendor];
	if (!vendor->registered)
		return ERR_VENDOR_UNKNOWN;
	return vendor->suspended && record->command.kind != COMMAND_RECEIPT ? ERR_VENDOR_SUSPENDED : ERR_OK;
}

static enum err apply(struct world *world, const struct record *record, struct flight *flight)
{
	enum command_kind kind = record->command.kind;
	if (command_reply_form(kind) == REPLY_VENDOR && kind != COMMAND_REGISTER) {
		enum err err = vendor_access(world, record);
		if (err)
			return err;
	}
	switch (kind) {
	case COMMAND_POST:
		return apply_post(world, record);
	case COMMAND_WITHDRAW:
		return apply_withdraw(world, record);
	case COMMAND_DECLINE:
		return apply_decline(world, record);
	case COMMAND_ANSWER:
		return apply_answer(world, record);
	case COMMAND_ACCEPT:
		return apply_accept(world, record);
	case COMMAND_REVEAL:
		return apply_reveal(world, record);
	case COMMAND_READ_MAILBOX:
		return apply_read(world, record, true);
	case COMMAND_READ_STATUS:
		return apply_read(world, record, false);
	case COMMAND_REGISTER:
		return apply_register(world, record);
	case COMMAND_SUBSCRIBE:
		return apply_subscribe(world, record);
	case COMMAND_UNSUBSCRIBE:
		return apply_unsubscribe(world, record);
	case COMMAND_QUESTION:
		return apply_question(world, record);
	case COMMAND_OFFER:
		return apply_offer(world, record);
	case COMMAND_WITHDRAW_OFFER:
		return apply_withdraw_offer(world, record);
	case COMMAND_COUNTERSIGN:
		return apply_countersign(world, record);
	case COMMAND_RECEIPT:
		return apply_receipt(world, record);
	case COMMAND_FETCH:
		return apply_fetch(world, record, flight);
	case COMMAND_READ_INBOX:
		return ERR_OK;
	case COMMAND_ADMIN_APPROVE:
		return apply_admin(world, record, false);
	case COMMAND_ADMIN_SUSPEND:
		return apply_admin(world, record, true);
	default:
		world_fail(world, "the model does not know command %d", kind);
	}
}

void model_apply(struct world *world, struct flight *flight)
{
	const struct record *record = &world->records[flight->record];
	world->event++;
	flight->expected = apply(world, record, flight);
	flight->feed_last = world->feed_count;
	flight->parkable = false;
	flight->batch = world->batch;
	if (flight->expected)
		return;
	switch (record->command.kind) {
	case COMMAND_READ_MAILBOX:
		flight->after = record->after;
		flight->items = (uint64_t)world->intents[record->intent].mail_count;
		break;
	case COMMAND_READ_INBOX:
		flight->after =
		    record->after == 0 && !record->from_start ? world->vendors[record->vendor].inbox_sent : record->after;
		flight->items = (uint64_t)world->vendors[record->vendor].inbox_count;
		break;
	case COMMAND_POST:
	case COMMAND_READ_STATUS:
		flight->expected_state = world->intents[record->intent].state;
		return;
	case COMMAND_FETCH:
		break;
	default:
		return;
	}
	// A fetch without a wait may still have to wait for a scan.
	flight->parkable = record->wait_ms > 0 || record->command.kind == COMMAND_FETCH;
	flight->deadline_ms = world->now_ms + record->wait_ms;
}
