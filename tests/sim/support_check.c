// Comparing: every reply with what the model expects, every box with what was put into it, every new feed record and
// the rows in the store with the model. The invariants of the design are named where they are checked.
#include <limits.h>
#include <stdlib.h>

#include "broker/core/deal.h"
#include "broker/core/intent.h"
#include "broker/core/offer.h"
#include "world.h"

// ---- invariant 1: cards

static void check_card(struct world *world, int vendor, int number)
{
	struct sim_deal *deal = &world->deals[number];
	if (deal->vendor != vendor)
		world_fail(world, "invariant 1: vendor %d got the card of a deal with vendor %d", vendor, deal->vendor);
	if (!deal->bytes)
		world_fail(world, "invariant 1: a card in a deal that was never accepted");
	if (!deal->signed_countersigned)
		world_fail(world, "invariant 1: a card before the outcome `countersigned`");
	deal->card_seen = true;
}

// ---- invariant 6: what happens in the very batch of the withdrawal may have come before it

static bool withdrawn_before(const struct world *world, const struct sim_intent *intent)
{
	return intent->withdrawn_batch && intent->withdrawn_batch < world->batch;
}

// ---- mailboxes

static enum mail_kind mail_kind_of(struct world *world, const Oyez__MailboxItem *item, struct id *id)
{
	const Oyez__Outcome *outcome;
	switch (item->body_case) {
	case OYEZ__MAILBOX_ITEM__BODY_OFFER:
		*id = id_of_wire(item->offer->id);
		return MAIL_OFFER;
	case OYEZ__MAILBOX_ITEM__BODY_QUESTION:
		*id = id_of_wire(item->question->id);
		return MAIL_QUESTION;
	case OYEZ__MAILBOX_ITEM__BODY_OFFER_WITHDRAWN:
		*id = id_of_wire(item->offer_withdrawn);
		return MAIL_OFFER_WITHDRAWN;
	case OYEZ__MAILBOX_ITEM__BODY_OUTCOME:
		outcome = wire_unpack(&world->scratch, &oyez__outcome__descriptor, item->outcome->record.data,
		                      item->outcome->record.len);
		*id = id_of_wire(outcome->deal_id);
		if (outcome->result != OYEZ__OUTCOME_RESULT__OUTCOME_LAPSED)
			world_fail(world, "a countersigned outcome without its countersignature");
		return MAIL_LAPSED;
	case OYEZ__MAILBOX_ITEM__BODY_COUNTERSIGNED:
		*id = id_of_wire(item->countersigned->deal_id);
		return MAIL_COUNTERSIGNED;
	case OYEZ__MAILBOX_ITEM__BODY_RECEIPT:
		*id = id_of_wire(item->receipt);
		return MAIL_RECEIPT;
	case OYEZ__MAILBOX_ITEM__BODY_SUSPENDED:
		*id = id_of_wire(item->suspended->vendor_id);
		return MAIL_SUSPENDED;
	default:
		world_fail(world, "an empty mailbox item");
	}
}

static const struct id *mail_id(const struct world *world, const struct mail *mail)
{
	switch (mail->kind) {
	case MAIL_OFFER:
	case MAIL_OFFER_WITHDRAWN:
		return &world->offers[mail->what].id;
	case MAIL_QUESTION:
		return &world->questions[mail->what].id;
	case MAIL_SUSPENDED:
		return &world->vendors[mail->what].id;
	default:
		return &world->deals[mail->what].id;
	}
}

static void see_mail(struct world *world, const struct mail *mail)
{
	if (mail->kind == MAIL_OFFER)
		world->offers[mail->what].seen = true;
	else if (mail->kind == MAIL_QUESTION)
		world->questions[mail->what].seen = true;
	else if (mail->kind == MAIL_COUNTERSIGNED)
		world->deals[mail->what].outcome_seen = true;
}

// Items come in order, none but removed ones missing; all that stood there when it was read, unless `more`.
static void check_mailbox(struct world *world, const struct flight *flight, const Oyez__Mailbox *mailbox,
                          bool delivered)
{
	const struct record *record = &world->records[flight->record];
	struct sim_intent *intent = &world->intents[record->intent];
	uint64_t last = flight->after;
	if (withdrawn_before(world, intent))
		world_fail(world, "invariant 6: mail of a withdrawn intent was delivered");
	for (size_t i = 0; i < mailbox->n_items; i++) {
		const Oyez__MailboxItem *item = mailbox->items[i];
		struct id id;
		enum mail_kind kind = mail_kind_of(world, item, &id);
		if (item->seq <= last || item->seq > (uint64_t)intent->mail_count)
			world_fail(world, "mailbox item %llu is out of order", (unsigned long long)item->seq);
		for (uint64_t seq = last + 1; seq < item->seq; seq++)
			if (!intent->mail[seq - 1].removed)
				world_fail(world, "invariant 2: mailbox item %llu is missing", (unsigned long long)seq);
		const struct mail *mail = &intent->mail[item->seq - 1];
		if (mail->kind != kind || !id_equal(mail_id(world, mail), &id))
			world_fail(world, "mailbox item %llu is not what was put there", (unsigned long long)item->seq);
		if (kind == MAIL_OFFER && world->offers[mail->what].dropped)
			world_fail(world, "an excluded vendor's offer was delivered");
		if (delivered)
			see_mail(world, mail);
		last = item->seq;
	}
	for (uint64_t seq = last + 1; !mailbox->more && seq <= flight->items; seq++)
		if (!intent->mail[seq - 1].removed)
			world_fail(world, "invariant 2: mailbox item %llu is missing at the end", (unsigned long long)seq);
	if (delivered && mailbox->next > intent->mail_read)
		intent->mail_read = mailbox->next;
	world->totals->deliveries += mailbox->n_items;
}

// ---- inboxes

static enum inbox_kind inbox_kind_of(struct world *world, const Oyez__InboxItem *item, const uint8_t **id)
{
	const Oyez__Outcome *outcome;
	*id = item->deal_id.data;
	switch (item->body_case) {
	case OYEZ__INBOX_ITEM__BODY_ANSWER:
		*id = item->answer->question_id.data;
		return INBOX_ANSWER;
	case OYEZ__INBOX_ITEM__BODY_DECLINED:
		*id = item->declined->offer_id.data;
		return INBOX_DECLINED;
	case OYEZ__INBOX_ITEM__BODY_AGREEMENT:
		return INBOX_AGREEMENT;
	case OYEZ__INBOX_ITEM__BODY_OUTCOME:
		outcome = wire_unpack(&world->scratch, &oyez__outcome__descriptor, item->outcome->record.data,
		                      item->outcome->record.len);
		return outcome->result == OYEZ__OUTCOME_RESULT__OUTCOME_LAPSED ? INBOX_LAPSED : INBOX_COUNTERSIGNED;
	case OYEZ__INBOX_ITEM__BODY_REVEAL:
		return INBOX_REVEAL;
	case OYEZ__INBOX_ITEM__BODY_GONE:
		*id = item->release_id.data;
		return INBOX_GONE;
	default:
		world_fail(world, "an empty inbox item");
	}
}

static bool entry_is(const struct world *world, const struct inbox_entry *entry, enum inbox_kind kind,
                     const uint8_t *id)
{
	if (entry->kind != kind)
		return false;
	switch (kind) {
	case INBOX_ANSWER:
		return memcmp(world->questions[entry->what].id.bytes, id, ID_BYTES) == 0;
	case INBOX_DECLINED:
		return memcmp(world->offers[entry->what].id.bytes, id, ID_BYTES) == 0;
	case INBOX_GONE:
		return memcmp(world->intents[entry->what].release.bytes, id, RELEASE_ID_BYTES) == 0;
	default:
		return memcmp(world->deals[entry->what].id.bytes, id, ID_BYTES) == 0;
	}
}

// Puts the entry that really stands at this place there, if one of the same event does.
static bool settle_order(struct world *world, struct sim_vendor *vendor, int at, enum inbox_kind kind,
                         const uint8_t *id)
{
	for (int i = at; i < vendor->inbox_count && vendor->inbox[i].event == vendor->inbox[at].event; i++) {
		if (!entry_is(world, &vendor->inbox[i], kind, id))
			continue;
		struct inbox_entry entry = vendor->inbox[i];
		vendor->inbox[i] = vendor->inbox[at];
		vendor->inbox[at] = entry;
		return true;
	}
	return false;
}

static bool trimmed(const struct world *world, uint64_t at_ms)
{
	return at_ms + world->config.retention_ms < world->now_ms + 1;
}

static void see_inbox(struct world *world, const struct inbox_entry *entry)
{
	if (entry->kind == INBOX_AGREEMENT)
		world->deals[entry->what].agreement_seen = true;
}

static void check_inbox(struct world *world, const struct flight *flight, const Oyez__Inbox *inbox, bool delivered)
{
	int number = world->records[flight->record].vendor;
	struct sim_vendor *vendor = &world->vendors[number];
	uint64_t last = flight->after;
	for (size_t i = 0; i < inbox->n_items; i++) {
		const Oyez__InboxItem *item = inbox->items[i];
		const uint8_t *id;
		enum inbox_kind kind = inbox_kind_of(world, item, &id);
		if (item->seq <= last || item->seq > (uint64_t)vendor->inbox_count)
			world_fail(world, "inbox item %llu is out of order", (unsigned long long)item->seq);
		for (uint64_t seq = last + 1; seq < item->seq; seq++)
			if (!trimmed(world, vendor->inbox[seq - 1].at_ms))
				world_fail(world, "invariant 2: inbox item %llu of vendor %d is missing", (unsigned long long)seq,
				           number);
		if (!settle_order(world, vendor, (int)item->seq - 1, kind, id))
			world_fail(world, "inbox item %llu of vendor %d (kind %d) is not what was put there",
			           (unsigned long long)item->seq, number, kind);
		const struct inbox_entry *entry = &vendor->inbox[item->seq - 1];
		if (kind == INBOX_REVEAL)
			check_card(world, number, entry->what);
		if (delivered)
			see_inbox(world, entry);
		last = item->seq;
	}
	for (uint64_t seq = last + 1; !inbox->more && seq <= flight->items; seq++)
		if (!trimmed(world, vendor->inbox[seq - 1].at_ms))
			world_fail(world, "invariant 2: inbox item %llu of vendor %d is missing at the end",
			           (unsigned long long)seq, number);
	if (inbox->next > vendor->inbox_sent)
		vendor->inbox_sent = inbox->next;
	if (delivered && inbox->next > vendor->inbox_read)
		vendor->inbox_read = inbox->next;
	world->totals->deliveries += inbox->n_items;
}

// ---- invariant 8: the feed as a subscriber sees it

static bool holds(const struct sim_subscription *subscription, uint64_t seq)
{
	return subscription->held[seq / 64] >> (seq % 64) & 1;
}

// Must this event be in a reply that says it looked at its position? `asked` is the batch the question came in: it may
// have been looked at any time since, so a listing that changed meanwhile leaves both answers open.
static bool required(const struct world *world, const struct sim_subscription *subscription, uint64_t seq, int asked)
{
	const struct feed_entry *entry = &world->feed[seq - 1];
	if (world->vendors[subscription->vendor].changed_batch >= asked ||
	    !event_matches(world, subscription, entry->intent))
		return false;
	if (entry->kind == FEED_ENTRY_RELEASE)
		return entry->ended_batch > world->batch; // ended in this very batch: either is fine
	return holds(subscription, world->intents[entry->intent].release_seq);
}

static uint64_t seq_of_cursor(struct world *world, ProtobufCBinaryData cursor)
{
	uint64_t seq = 0;
	if (cursor.len != CURSOR_BYTES)
		world_fail(world, "a cursor of %zu bytes", cursor.len);
	for (int i = 4; i < CURSOR_BYTES; i++)
		seq = seq << 8 | cursor.data[i];
	return seq;
}

static void check_feed_item(struct world *world, struct sim_subscription *subscription, const Oyez__FeedItem *item,
                            uint64_t seq, bool delivered)
{
	const struct feed_entry *entry = &world->feed[seq - 1];
	const struct sim_intent *intent = &world->intents[entry->intent];
	bool is_release = item->release.len > 0;
	if (memcmp(item->release_id.data, intent->release.bytes, RELEASE_ID_BYTES) != 0 ||
	    is_release != (entry->kind == FEED_ENTRY_RELEASE))
		world_fail(world, "invariant 8: event %llu is not what stands in the feed", (unsigned long long)seq);
	if (world->vendors[subscription->vendor].changed_batch != world->batch &&
	    !event_matches(world, subscription, entry->intent))
		world_fail(world, "invariant 8: event %llu does not match", (unsigned long long)seq);
	if (is_release && entry->ended_batch < world->batch)
		world_fail(world, "invariant 6: a release that ended in batch %d was delivered", entry->ended_batch);
	if (is_release && withdrawn_before(world, intent))
		world_fail(world, "invariant 6: a withdrawn release was delivered");
	if (!is_release && (int)item->gone != entry->reason)
		world_fail(world, "a tombstone with the wrong reason");
	if (is_release && delivered)
		subscription->held[seq / 64] |= UINT64_C(1) << (seq % 64);
	world->totals->tombstones += !is_release;
}

static void check_fetch(struct world *world, const struct flight *flight, const Oyez__FetchReply *fetch, bool delivered)
{
	struct sim_subscription *subscription = &world->subscriptions[world->records[flight->record].subscription];
	if (fetch->n_scanned != 1)
		world_fail(world, "%zu cursors for one pair", fetch->n_scanned);
	uint64_t scanned = seq_of_cursor(world, fetch->scanned[0]), at = flight->after;
	size_t next = 0;
	if (scanned > world->feed_count || scanned < flight->after || (!fetch->more && scanned < flight->feed_last))
		world_fail(world, "a fetch from %llu looked up to %llu of %llu", (unsigned long long)flight->after,
		           (unsigned long long)scanned, (unsigned long long)flight->feed_last);
	// A vendor may go down amid a reply: what it processed counts, the rest comes again.
	size_t processed = random_chance(world, 20) ? random_below(world, (uint32_t)fetch->n_items + 1) : fetch->n_items;
	uint64_t confirmed = subscription->processed_seq;
	for (at++; at <= scanned; at++) {
		bool here = next < fetch->n_items && seq_of_cursor(world, fetch->items[next]->cursor) == at;
		if (!here && required(world, subscription, at, flight->batch))
			world_fail(world, "invariant 8: event %llu is missing for subscription %d of vendor %d",
			           (unsigned long long)at, (int)(subscription - world->subscriptions), subscription->vendor);
		if (!here)
			continue;
		check_feed_item(world, subscription, fetch->items[next], at, delivered && next < processed);
		if (next < processed)
			confirmed = at;
		next++;
	}
	if (next != fetch->n_items)
		world_fail(world, "invariant 8: events out of order");
	if (processed == fetch->n_items)
		confirmed = scanned;
	if (delivered && confirmed > subscription->processed_seq)
		subscription->processed_seq = confirmed;
	if (scanned > subscription->sent_seq)
		subscription->sent_seq = scanned;
	world->totals->deliveries += fetch->n_items;
}

// ---- replies

static bool may_be_refused(const struct world *world, const struct flight *flight, const struct record *record,
                           enum err err)
{
	if (!flight->parkable)
		return false;
	if (err == ERR_BUSY)
		return true; // how many places were left changes within a batch
	if (record->command.kind == COMMAND_READ_MAILBOX)
		return err == ERR_GONE && !intent_has_mailbox(&world->intents[record->intent]);
	if (err == ERR_VENDOR_SUSPENDED)
		return world->vendors[record->vendor].changed_batch == world->batch || world->vendors[record->vendor].suspended;
	if (err == ERR_CURSOR_EXPIRED) // trimmed while it waited for a scan
		return flight->after + 1 < world->feed_first;
	return err == ERR_NOT_FOUND && record->command.kind == COMMAND_FETCH &&
	       world->subscriptions[record->subscription].removed;
}

// The earliest cursor stands in the detail; the vendor goes on from there.
static void restart_from(struct world *world, const struct record *record, const char *earliest, bool at_once)
{
	struct sim_subscription *subscription = &world->subscriptions[record->subscription];
	uint8_t cursor[CURSOR_BYTES];
	if (!hex_decode(earliest, cursor, sizeof cursor) || strlen(earliest) != 2 * sizeof cursor)
		world_fail(world, "no cursor in the detail of cursor_expired");
	uint64_t seq = seq_of_cursor(world, wire_bytes(cursor, sizeof cursor));
	// A request that waited may have been told before the last trimming.
	if (seq + 1 > world->feed_first || (at_once && seq + 1 != world->feed_first))
		world_fail(world, "the earliest cursor is not the earliest");
	if (seq > subscription->processed_seq)
		subscription->processed_seq = seq;
}

static void check_error(struct world *world, const struct flight *flight, const Oyez__Error *error)
{
	const struct record *record = &world->records[flight->record];
	enum err err = (enum err)error->code;
	if (err == ERR_CURSOR_EXPIRED)
		restart_from(world, record, error->detail, flight->expected == err);
	world->totals->refusals++;
	world->totals->conflicts += err == ERR_CONFLICT;
	if (err == flight->expected || may_be_refused(world, flight, record, err))
		return;
	world_fail(world, "invariant 2: command %d (record %d) was answered %s, expected %s", record->command.kind,
	           flight->record, err_name(err), err_name(flight->expected));
}

static void check_status(struct world *world, const struct flight *flight, const Oyez__Status *status)
{
	const struct sim_intent *intent = &world->intents[world->records[flight->record].intent];
	if ((int)status->state != flight->expected_state)
		world_fail(world, "status says state %d, expected %d", status->state, flight->expected_state);
	if ((flight->expected_state == INTENT_RELEASED) != (status->release.len > 0))
		world_fail(world, "a status with a release in state %d", flight->expected_state);
	if (memcmp(status->intent_id.data, intent->id.bytes, ID_BYTES) != 0)
		world_fail(world, "the status of another intent");
}

static void check_success(struct world *world, const struct flight *flight)
{
	const struct record *record = &world->records[flight->record];
	if (flight->expected)
		world_fail(world, "invariant 2: command %d (record %d) was accepted, expected %s", record->command.kind,
		           flight->record, err_name(flight->expected));
}

static void see_ack(struct world *world, const struct record *record, bool delivered)
{
	if (delivered && record->command.kind == COMMAND_WITHDRAW)
		world->intents[record->intent].withdrawn_batch = world->batch;
	if (delivered && record->command.kind == COMMAND_SUBSCRIBE)
		world->subscriptions[record->subscription].acked = true;
}

static void check_customer(struct world *world, const struct flight *flight, const Oyez__CustomerReply *reply,
                           bool delivered)
{
	const struct record *record = &world->records[flight->record];
	if (!reply)
		world_fail(world, "a reply that cannot be read");
	if (reply->body_case == OYEZ__CUSTOMER_REPLY__BODY_ERROR) {
		check_error(world, flight, reply->error);
		return;
	}
	check_success(world, flight);
	if (reply->body_case == OYEZ__CUSTOMER_REPLY__BODY_MAILBOX)
		check_mailbox(world, flight, reply->mailbox, delivered);
	else if (reply->body_case == OYEZ__CUSTOMER_REPLY__BODY_STATUS)
		check_status(world, flight, reply->status);
	else
		see_ack(world, record, delivered);
}

static void check_vendor(struct world *world, const struct flight *flight, const Oyez__Reply *reply, bool delivered)
{
	const struct record *record = &world->records[flight->record];
	if (!reply)
		world_fail(world, "a reply that cannot be read");
	if (reply->body_case == OYEZ__REPLY__BODY_ERROR) {
		check_error(world, flight, reply->error);
		return;
	}
	check_success(world, flight);
	if (reply->body_case == OYEZ__REPLY__BODY_FETCH)
		check_fetch(world, flight, reply->fetch, delivered);
	else if (reply->body_case == OYEZ__REPLY__BODY_INBOX)
		check_inbox(world, flight, reply->inbox, delivered);
	else
		see_ack(world, record, delivered);
}

void check_effect(struct world *world, struct flight *flight, const struct effect *effect, bool delivered)
{
	const ProtobufCMessageDescriptor *descriptors[] = {
	    [REPLY_CUSTOMER] = &oyez__customer_reply__descriptor,
	    [REPLY_VENDOR] = &oyez__reply__descriptor,
	    [REPLY_ADMIN] = &oyez__admin_reply__descriptor,
	};
	void *reply = wire_unpack(&world->scratch, descriptors[effect->form], effect->bytes, effect->count);
	if (effect->form != command_reply_form(world->records[flight->record].command.kind))
		world_fail(world, "a reply of the wrong form");
	if (effect->form == REPLY_CUSTOMER)
		check_customer(world, flight, reply, delivered);
	else if (effect->form == REPLY_VENDOR)
		check_vendor(world, flight, reply, delivered);
	if (delivered)
		world->records[flight->record].acked = true;
}

// ---- those who still wait must have nothing to be told

static bool has_news(const struct world *world, const struct flight *flight)
{
	const struct record *record = &world->records[flight->record];
	if (record->command.kind == COMMAND_READ_MAILBOX) {
		const struct sim_intent *intent = &world->intents[record->intent];
		for (int i = (int)flight->after; i < intent->mail_count; i++)
			if (!intent->mail[i].removed)
				return true;
		return !intent_has_mailbox(intent);
	}
	if (record->command.kind == COMMAND_READ_INBOX) {
		const struct sim_vendor *vendor = &world->vendors[record->vendor];
		return vendor->inbox_count > (int)flight->after &&
		       !trimmed(world, vendor->inbox[vendor->inbox_count - 1].at_ms);
	}
	const struct sim_subscription *subscription = &world->subscriptions[record->subscription];
	if (subscription->removed)
		return true;
	for (uint64_t seq = flight->after + 1; seq <= world->feed_count; seq++)
		if (world->feed[seq - 1].ended_batch == INT_MAX && required(world, subscription, seq, flight->batch) &&
		    world->feed[seq - 1].kind == FEED_ENTRY_RELEASE)
			return true;
	return false;
}

void check_parked(struct world *world)
{
	for (int i = 0; i < world->parked_count; i++) {
		const struct flight *flight = &world->parked[i];
		bool scanning = network_scans_for(world, flight->origin);
		if (flight->deadline_ms + (scanning ? SCAN_WAIT_MS_SIM : 0) <= world->now_ms)
			world_fail(world, "request %d waits beyond its time", flight->record);
		if (!scanning && has_news(world, flight))
			world_fail(world, "request %d (command %d) still waits although there is news", flight->record,
			           world->records[flight->record].command.kind);
	}
}

// ---- the feed as it is written

static bool coarser(const struct sim_intent *intent, const Oyez__Facets *facets)
{
	int category = category_of_word(facets->category), region = region_of_word(facets->region);
	return category >= 0 && category_below(category, intent->words.category) && region >= 0 &&
	       region_below(region, intent->words.region) && (!facets->terms[0] || intent->words.terms) &&
	       (!facets->budget || intent->words.euros);
}

static void check_release(struct world *world, uint64_t seq, const struct match_header *header, struct bytes bytes)
{
	const Oyez__Release *release = wire_unpack(&world->scratch, &oyez__release__descriptor, bytes.at, bytes.count);
	for (int i = 0; i < world->intent_count; i++) {
		struct sim_intent *intent = &world->intents[i];
		if (memcmp(intent->release.bytes, release->release_id.data, RELEASE_ID_BYTES) != 0)
			continue;
		if (!intent->known || intent->state != INTENT_WAITING)
			world_fail(world, "invariant 4: intent %d was released in state %d", i, intent->state);
		if (intent->expires_ms <= world->now_ms)
			world_fail(world, "an expired intent was released");
		if (intent->held && (intent->ready_ms == 0 || intent->ready_ms > world->now_ms))
			world_fail(world, "a release before its hold was over");
		if (!coarser(intent, release->facets))
			world_fail(world, "invariant 4: a release finer than its post");
		if (intent->wish > release->crowd && !intent->waived)
			world_fail(world, "invariant 4: a release in a smaller crowd than wished");
		if (header->kind != FEED_RELEASE || header->release_seq != seq)
			world_fail(world, "a release with a wrong header");
		model_released(world, i, release, seq);
		return;
	}
	world_fail(world, "a release of nobody's intent");
}

// Invariant 4: as many equal releases as each says.
static void check_crowds(struct world *world, uint64_t first)
{
	struct match_header header, other;
	struct bytes bytes;
	for (uint64_t seq = first; seq <= world->feed_count; seq++) {
		uint32_t equal = 0;
		if (world->feed[seq - 1].kind != FEED_ENTRY_RELEASE || !store_feed_get(world->store, seq, &header, &bytes))
			continue;
		for (uint64_t at = first; at <= world->feed_count; at++)
			equal += world->feed[at - 1].kind == FEED_ENTRY_RELEASE &&
			         store_feed_get(world->store, at, &other, &bytes) && other.crowd == header.crowd &&
			         memcmp(&other.facets, &header.facets, sizeof header.facets) == 0;
		const struct sim_intent *intent = &world->intents[world->feed[seq - 1].intent];
		if (header.crowd > equal || (header.crowd < world->config.crowd && !(header.crowd == 1 && intent->waived)))
			world_fail(world, "invariant 4: a crowd of %u, %u of them equal", header.crowd, equal);
	}
}

static void check_nobody_was_left(struct world *world)
{
	for (int i = 0; i < world->intent_count && world->config.crowd == 1; i++) {
		const struct sim_intent *intent = &world->intents[i];
		bool ready = intent->known && intent->state == INTENT_WAITING && intent->wish == 0 &&
		             (!intent->held || intent->ready_ms <= world->now_ms);
		if (ready && intent->expires_ms > world->now_ms)
			world_fail(world, "intent %d stayed behind at a tick", i);
	}
}

static void check_trim(struct world *world)
{
	uint64_t first = store_feed_first(world->store);
	for (; world->feed_first < first; world->feed_first++)
		if (!trimmed(world, world->feed[world->feed_first - 1].at_ms))
			world_fail(world, "feed record %llu was dropped before its time", (unsigned long long)world->feed_first);
}

void check_new_feed(struct world *world, bool ticked)
{
	store_begin(world->store);
	uint64_t last = store_feed_last(world->store), first_new = world->feed_count + 1;
	struct match_header header;
	struct bytes bytes;
	if (last < world->feed_count)
		world_fail(world, "invariant 8: tombstones are missing in the feed");
	for (uint64_t seq = first_new; seq <= last; seq++) {
		if (!ticked || !store_feed_get(world->store, seq, &header, &bytes))
			world_fail(world, "feed record %llu without a reason", (unsigned long long)seq);
		check_release(world, seq, &header, bytes);
	}
	if (ticked) {
		check_crowds(world, first_new);
		check_nobody_was_left(world);
	}
	check_trim(world);
	store_abort(world->store);
}

// ---- rows: what a restart would find

static void check_offers(struct world *world, int number)
{
	for (int i = 0; i < world->offer_count; i++) {
		const struct sim_offer *offer = &world->offers[i];
		struct offer row;
		if (offer->intent != number)
			continue;
		bool there = store_offer_find(world->store, &offer->id, &row);
		if (there != offer->known)
			world_fail(world, "invariant 2: offer %d is %s", i, there ? "there" : "not there");
		if (there && (row.state != offer->state || row.dropped != offer->dropped))
			world_fail(world, "offer %d is in state %d, expected %d", i, row.state, offer->state);
	}
}

static void check_deals(struct world *world, int number)
{
	for (int i = 0; i < world->deal_count; i++) {
		const struct sim_deal *deal = &world->deals[i];
		struct deal row;
		if (deal->intent != number)
			continue;
		bool there = store_deal_find(world->store, &deal->id, &row);
		if (there != deal->known)
			world_fail(world, "invariant 2: deal %d is %s", i, there ? "there" : "not there");
		if (there && row.state != deal->state)
			world_fail(world, "deal %d is in state %d, expected %d", i, row.state, deal->state);
	}
}

// Invariant 3, counted from the deals themselves.
static void check_deal_count(struct world *world, int number)
{
	struct deal row;
	uint32_t taken = 0;
	for (int i = 0; i < world->deal_count; i++)
		taken += world->deals[i].intent == number && store_deal_find(world->store, &world->deals[i].id, &row) &&
		         row.state != DEAL_LAPSED;
	if (taken > world->intents[number].deals_max)
		world_fail(world, "invariant 3: %u deals of an intent that wants %u", taken, world->intents[number].deals_max);
}

static void check_intent(struct world *world, int number)
{
	const struct sim_intent *intent = &world->intents[number];
	struct intent row;
	struct bytes post;
	bool there = store_intent_find(world->store, &intent->id, &row);
	if (there != intent->known)
		world_fail(world, "invariant 2: intent %d is %s", number, there ? "there" : "not there");
	if (!there)
		return;
	if (row.state != intent->state || row.deals_open != intent->open || row.deals_done != intent->done ||
	    row.deals_bound != intent->bound)
		world_fail(world, "intent %d is in state %d with %u/%u/%u deals, expected %d with %u/%u/%u", number, row.state,
		           row.deals_open, row.deals_done, row.deals_bound, intent->state, intent->open, intent->done,
		           intent->bound);
	bool readable = store_intent_post(world->store, &row, &world->scratch, &post);
	if (readable && !intent_has_mailbox(intent))
		world_fail(world, "invariant 6: the post of intent %d can still be read", number);
	if (!readable && intent_has_mailbox(intent))
		world_fail(world, "invariant 2: the post of intent %d is lost", number);
	check_deal_count(world, number);
}

// A vendor's standing is the facts and nothing else.
static void check_standings(struct world *world)
{
	for (int i = 0; i < VENDORS; i++) {
		const struct sim_vendor *vendor = &world->vendors[i];
		struct standing row;
		store_standing_find(world->store, &vendor->id, &row);
		if (row.offers != vendor->offers || row.accepted != vendor->accepted || row.concluded != vendor->concluded ||
		    row.lapsed_by_fault != vendor->at_fault)
			world_fail(world, "vendor %d stands at %u/%u/%u/%u, the facts are %u/%u/%u/%u", i, row.offers, row.accepted,
			           row.concluded, row.lapsed_by_fault, vendor->offers, vendor->accepted, vendor->concluded,
			           vendor->at_fault);
	}
}

void check_rows(struct world *world, bool all)
{
	store_begin(world->store);
	check_standings(world);
	for (int i = 0; i < world->intent_count; i++) {
		if (!all && !intent_has_mailbox(&world->intents[i]) && i + 4 < world->intent_count)
			continue;
		check_intent(world, i);
		if (all) {
			check_offers(world, i);
			check_deals(world, i);
		}
	}
	store_abort(world->store);
}

void check_end(struct world *world)
{
	network_flush(world);
	check_rows(world, true);
}
