// Staying in touch: send what is pending, read status and mailbox, wait for more. Several intents, over several
// brokers, are waited for side by side with one long poll each.
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/call.h"
#include "clients/lib/customer.h"
#include "clients/lib/view.h"

enum {
	POLLS_MAX = 24,           // at once: below what a broker parks for one connection
	GUARDIAN_POLLS_MAX = 4,   // beside them: one for all boxes at a guardian
	ALL_POLLS_MAX = POLLS_MAX + GUARDIAN_POLLS_MAX + DEAL_POLLS_MAX,
	TURN_MS = 3000,           // of one group, when there are more intents than polls
	GRACE_MS = 15000,         // how much longer than its wait a poll may take
	PAUSE_MS = 500,           // after a poll that came back with nothing at once
	SLICE_MS = 200,           // how often several connections are looked after
	OFFLINE_PAUSE_MS = 2000,  // of an agent without a broker
	MAILBOX_READS_MAX = 1000, // of one intent in one go
};

// ---- reading one intent

static enum err read_record(const struct intent_keys *keys, const struct connection *connection,
                            Oyez__CustomerRecord *body, uint8_t **bytes, size_t *count)
{
	return record_sign(&keys->pair, connection->key, transport_now_ms(connection->transport), body, bytes, count);
}

static enum err ask(const struct intent_keys *keys, const struct connection *connection, Oyez__CustomerRecord *body,
                    Oyez__CustomerReply **reply, struct oyez_error *error)
{
	uint8_t *bytes;
	size_t count;
	enum err err = read_record(keys, connection, body, &bytes, &count);
	if (err)
		return oyez_error_set(error, err, NULL);
	err = transport_customer(connection->transport, bytes, count, 0, reply, error);
	free(bytes);
	return err;
}

static enum err sync_status(struct oyez_customer *customer, const struct intent_keys *keys,
                            const struct connection *connection, struct oyez_error *error)
{
	Oyez__ReadStatus read = OYEZ__READ_STATUS__INIT;
	Oyez__CustomerRecord body = OYEZ__CUSTOMER_RECORD__INIT;
	body.body_case = OYEZ__CUSTOMER_RECORD__BODY_READ_STATUS;
	body.read_status = &read;
	Oyez__CustomerReply *reply = NULL;
	enum err err = ask(keys, connection, &body, &reply, error);
	if (err)
		return err;
	if (reply->body_case != OYEZ__CUSTOMER_REPLY__BODY_STATUS || !field_is_id(&reply->status->intent_id, &keys->id)) {
		oyez__customer_reply__free_unpacked(reply, NULL);
		return oyez_error_set(error, ERR_BAD_MESSAGE, "status expected");
	}
	err = wallet_begin(customer->wallet, error);
	Oyez__Wallet__Intent *intent = err ? NULL : wallet_intent(customer->wallet, &keys->id);
	if (intent) {
		err = apply_status(customer, intent, reply->status, transport_now_ms(connection->transport));
		if (err)
			oyez_error_set(error, err, "the release as the broker shows it");
	}
	// What else the status said stays, also when its release was refused.
	if (intent) {
		enum err commit_err = wallet_commit(customer->wallet, err ? NULL : error);
		err = err ? err : commit_err;
	}
	oyez__customer_reply__free_unpacked(reply, NULL);
	return err;
}

static void mailbox_body(Oyez__CustomerRecord *body, Oyez__ReadMailbox *read, uint64_t after, uint32_t wait_ms)
{
	oyez__customer_record__init(body);
	oyez__read_mailbox__init(read);
	read->after = after;
	read->max = MAILBOX_ITEMS_MAX;
	read->wait_ms = wait_ms;
	body->body_case = OYEZ__CUSTOMER_RECORD__BODY_READ_MAILBOX;
	body->read_mailbox = read;
}

static enum err sync_mailbox(struct oyez_customer *customer, const struct intent_keys *keys,
                             const struct connection *connection, struct oyez_error *error)
{
	bool more = true;
	enum err err = ERR_OK;
	for (int i = 0; !err && more && i < MAILBOX_READS_MAX; i++) {
		const Oyez__Wallet__Intent *intent = wallet_intent(customer->wallet, &keys->id);
		if (!intent)
			return ERR_OK;
		Oyez__CustomerRecord body;
		Oyez__ReadMailbox read;
		mailbox_body(&body, &read, intent->mailbox_after, 0);
		Oyez__CustomerReply *reply = NULL;
		err = ask(keys, connection, &body, &reply, error);
		// An ended intent's mailbox is gone; its status has said the rest.
		if (err == ERR_GONE || err == ERR_NOT_FOUND)
			return ERR_OK;
		if (err)
			return err;
		if (reply->body_case == OYEZ__CUSTOMER_REPLY__BODY_MAILBOX) {
			more = reply->mailbox->more;
			err = mailbox_apply(customer, keys, reply->mailbox, transport_now_ms(connection->transport), error);
		} else {
			err = oyez_error_set(error, ERR_BAD_MESSAGE, "mailbox expected");
		}
		oyez__customer_reply__free_unpacked(reply, NULL);
	}
	return err;
}

static enum err sync_intent(struct oyez_customer *customer, const struct id *id, struct oyez_error *error)
{
	struct intent_keys keys;
	struct connection *connection = NULL;
	enum err err = intent_keys_load(customer, id, &keys, error);
	if (!err)
		err = connection_for(customer, &keys, &connection, error);
	// Offers are bound to the release: the status, which shows it, comes first.
	if (!err)
		err = sync_status(customer, &keys, connection, error);
	intent_keys_wipe(&keys);
	if (err)
		return err;
	err = intent_keys_load(customer, id, &keys, error);
	// A release and the first offer may fall between the two reads: without the release the offer would look forged.
	if (!err && keys.alive && keys.released)
		err = sync_mailbox(customer, &keys, connection, error);
	intent_keys_wipe(&keys);
	return err;
}

// ---- which intents

static bool wants_sync(struct oyez_customer *customer, const Oyez__Wallet__Intent *intent)
{
	return intent->seed.len && (intent_is_open(intent) || intent_has_open_deal(customer, intent));
}

// Ids of the intents to look after; `only` (may be NULL) limits it to one. malloc'd.
static struct id *list_intents(struct oyez_customer *customer, const struct id *only, size_t *count)
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	struct id *ids = wallet_alloc((file->n_intents + 1) * sizeof(*ids));
	*count = 0;
	for (size_t i = 0; i < file->n_intents; i++) {
		if (wants_sync(customer, file->intents[i]) && (!only || field_is_id(&file->intents[i]->id, only)))
			ids[(*count)++] = field_id(&file->intents[i]->id);
	}
	return ids;
}

static void note_first(struct oyez_error *first, const struct oyez_error *problem, enum err err)
{
	if (err && !first->code) {
		*first = *problem;
		first->code = err;
	}
}

static void retire(struct oyez_customer *customer)
{
	if (!keys_retire(customer, customer_now_ms(customer), false) || wallet_begin(customer->wallet, NULL))
		return;
	keys_retire(customer, customer_now_ms(customer), true);
	wallet_commit(customer->wallet, NULL);
}

// What is pending for others does not concern who asked about one intent.
static void flush(struct oyez_customer *customer, const struct id *only, struct oyez_error *first)
{
	struct oyez_error problem = {0};
	enum err err = pending_flush(customer, NULL, NULL, &problem);
	if (!only || pending_has(customer, only))
		note_first(first, &problem, err);
}

// Sorts the intents with a box behind the others, and says where they begin.
static size_t boxed_last(struct oyez_customer *customer, struct id *ids, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		const Oyez__Wallet__Intent *intent = wallet_intent(customer->wallet, &ids[i]);
		if (intent && intent->guardian_key.len)
			continue;
		struct id id = ids[i];
		ids[i] = ids[kept];
		ids[kept++] = id;
	}
	return kept;
}

// Deals that outlive their box's schedule. One intent at a time: two mailboxes read together would be seen together.
static void after_schedule(struct oyez_customer *customer, const struct id *ids, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const Oyez__Wallet__Intent *intent = wallet_intent(customer->wallet, &ids[i]);
		uint64_t now_ms = customer_now_ms(customer);
		if (!intent || !box_is_over(customer, intent, now_ms))
			continue;
		struct oyez_error problem = {0};
		enum err err = sync_intent(customer, &ids[i], &problem);
		if (err && !error_is_passing(err))
			customer_problem(customer, &ids[i], err, "status");
		box_fallback_later(customer, &ids[i], now_ms);
		return;
	}
}

// Everything once, without waiting. The first error comes back after the rest was tried. With `others`, the other
// intents are looked after as well, but their troubles do not come back.
static enum err sync_round(struct oyez_customer *customer, const struct id *only, bool others, struct oyez_error *error)
{
	struct oyez_error first = {0}, problem = {0};
	enum err loaded = wallet_load(customer->wallet, error);
	if (loaded)
		return loaded;
	flush(customer, only, &first);
	size_t count, boxed;
	struct id *ids = list_intents(customer, others ? NULL : only, &count);
	boxed = boxed_last(customer, ids, count);
	for (size_t i = 0; i < boxed; i++) {
		enum err err = sync_intent(customer, &ids[i], &problem);
		if (err && !error_is_passing(err))
			customer_problem(customer, &ids[i], err, "status");
		if (!only || id_equal(&ids[i], only))
			note_first(&first, &problem, err);
	}
	if (boxed < count) {
		enum err err = boxes_sync(customer, ids + boxed, count - boxed, only, &problem);
		note_first(&first, &problem, err);
		after_schedule(customer, ids + boxed, count - boxed);
	}
	free(ids);
	vendors_look_up(customer);
	// Answers by policy and reveals that followed from what was read.
	flush(customer, only, &first);
	deals_flush(customer, NULL, NULL, NULL);
	deals_sync(customer, others ? NULL : only);
	notices_sync(customer, false);
	retire(customer);
	tokens_consider(customer);
	if (first.code && error)
		*error = first;
	return first.code;
}

// ---- waiting

struct polls {
	struct transport_call *calls[ALL_POLLS_MAX];
	size_t count;
	struct connection *connections[ALL_POLLS_MAX]; // of each call
};

static void polls_cancel(struct polls *polls)
{
	for (size_t i = 0; i < polls->count; i++)
		transport_call_cancel(polls->calls[i]);
	polls->count = 0;
}

static enum err poll_start(struct oyez_customer *customer, struct polls *polls, const struct id *id, uint32_t wait_ms,
                           struct oyez_error *error)
{
	struct intent_keys keys;
	struct connection *connection = NULL;
	enum err err = intent_keys_load(customer, id, &keys, error);
	if (!err)
		err = connection_for(customer, &keys, &connection, error);
	uint8_t *bytes = NULL;
	size_t count = 0;
	if (!err) {
		Oyez__CustomerRecord body;
		Oyez__ReadMailbox read;
		mailbox_body(&body, &read, wallet_intent(customer->wallet, id)->mailbox_after, wait_ms);
		err = read_record(&keys, connection, &body, &bytes, &count);
	}
	if (!err)
		err = transport_customer_start(connection->transport, bytes, count, wait_ms + GRACE_MS, NULL,
		                               &polls->calls[polls->count]);
	if (!err)
		polls->connections[polls->count++] = connection;
	free(bytes);
	intent_keys_wipe(&keys);
	return err;
}

// One poll for all boxes at a guardian, however many intents have theirs there.
static enum err poll_boxes(struct oyez_customer *customer, struct polls *polls, const struct id *id, uint32_t wait_ms,
                           struct oyez_error *error)
{
	struct intent_keys keys;
	struct connection *guardian = NULL;
	enum err err = intent_keys_load(customer, id, &keys, error);
	if (!err)
		err = guardian_for(customer, &keys, &guardian, error);
	intent_keys_wipe(&keys);
	for (size_t i = 0; i < polls->count; i++) {
		if (guardian && polls->connections[i] == guardian)
			return ERR_OK;
	}
	if (err || polls->count >= ALL_POLLS_MAX - DEAL_POLLS_MAX)
		return err;
	err = boxes_poll(customer, guardian, wait_ms, &polls->calls[polls->count], error);
	if (!err)
		polls->connections[polls->count++] = guardian;
	return err;
}

// What vendors write after a deal. Troubles with these show when the box is read.
static void poll_deals(struct oyez_customer *customer, struct polls *polls, uint32_t wait_ms)
{
	struct id ids[DEAL_POLLS_MAX];
	size_t count = deals_polled(customer, NULL, ids);
	for (size_t i = 0; i < count && polls->count < ALL_POLLS_MAX; i++) {
		if (deal_poll_start(customer, &ids[i], wait_ms, &polls->connections[polls->count],
		                    &polls->calls[polls->count]) == ERR_OK)
			polls->count++;
	}
}

static size_t distinct_fds(const struct polls *polls, struct pollfd fds[ALL_POLLS_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < polls->count; i++) {
		int fd = transport_fd(polls->connections[i]->transport);
		bool known = false;
		for (size_t j = 0; j < count; j++)
			known = known || fds[j].fd == fd;
		if (!known)
			fds[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
	return count;
}

// Until one poll is done, the time is up, somebody wakes us, or another program changed the wallet: a new intent of its
// is ours to look after, too.
static void polls_wait(struct oyez_customer *customer, struct polls *polls, uint64_t wait_ms)
{
	struct pollfd fds[ALL_POLLS_MAX];
	size_t fd_count = distinct_fds(polls, fds);
	uint64_t until_ms = monotonic_ms() + wait_ms + GRACE_MS;
	while (!customer->woken && monotonic_ms() < until_ms && !wallet_changed(customer->wallet)) {
		for (size_t i = 0; i < polls->count; i++) {
			struct transport *transport = polls->connections[i]->transport;
			if (transport_wait(transport, fd_count == 1 ? SLICE_MS : 0))
				return;
		}
		if (fd_count != 1) // with none at all it is a pause
			poll(fds, fd_count, SLICE_MS);
	}
}

static void pause_ms(uint64_t ms)
{
	poll(NULL, 0, (int)ms);
}

// One long poll for each of up to POLLS_MAX intents, and for each guardian of the `boxed` ones; comes back when one of
// them has something, or the time is up.
static enum err wait_for_any(struct oyez_customer *customer, const struct id *only, const struct id *ids, size_t count,
                             const struct id *boxed, size_t boxed_count, uint64_t wait_ms, struct oyez_error *error)
{
	struct polls polls = {0};
	enum err err = ERR_OK;
	uint64_t started_ms = monotonic_ms();
	uint32_t each_ms = wait_ms > WAIT_MS_MAX ? WAIT_MS_MAX : (uint32_t)wait_ms;
	for (size_t i = 0; !err && i < count; i++) {
		struct oyez_error problem = {0};
		enum err started = poll_start(customer, &polls, &ids[i], each_ms, &problem);
		if (started && (!only || id_equal(only, &ids[i]))) {
			err = started;
			*error = problem;
		}
	}
	for (size_t i = 0; !err && i < boxed_count; i++) {
		struct oyez_error problem = {0};
		enum err started = poll_boxes(customer, &polls, &boxed[i], each_ms, &problem);
		if (started && (!only || id_equal(only, &boxed[i]))) {
			err = started;
			*error = problem;
		}
	}
	if (!err)
		poll_deals(customer, &polls, each_ms);
	if (!err)
		polls_wait(customer, &polls, each_ms);
	polls_cancel(&polls);
	// What was answered is read again by the next round, which knows how; here a poll only says "look".
	if (!err && monotonic_ms() - started_ms < PAUSE_MS / 5 && wait_ms > PAUSE_MS)
		pause_ms(PAUSE_MS);
	return err;
}

static enum err wait_turn(struct oyez_customer *customer, const struct id *only, size_t *turn, uint64_t wait_ms,
                          struct oyez_error *error)
{
	size_t count;
	struct id *ids = list_intents(customer, NULL, &count);
	enum err err = ERR_OK;
	struct id polled[DEAL_POLLS_MAX];
	if (count == 0 && deals_polled(customer, NULL, polled) == 0) {
		pause_ms(wait_ms < SLICE_MS ? wait_ms : SLICE_MS);
	} else {
		size_t direct = boxed_last(customer, ids, count);
		size_t groups = (direct + POLLS_MAX - 1) / POLLS_MAX, group = groups ? (*turn)++ % groups : 0;
		size_t first = group * POLLS_MAX, size = direct - first < POLLS_MAX ? direct - first : POLLS_MAX;
		if (groups > 1 && wait_ms > TURN_MS)
			wait_ms = TURN_MS;
		err = wait_for_any(customer, only, ids + first, size, ids + direct, count - direct, wait_ms, error);
	}
	free(ids);
	return err;
}

enum err oyez_sync(struct oyez_customer *customer, const char *intent, uint64_t wait_ms, bool *changed,
                   struct oyez_error *error)
{
	struct id id, *only = NULL;
	enum err err = wallet_load(customer->wallet, error);
	if (!err && intent) {
		err = wallet_resolve(customer->wallet, WALLET_INTENT, intent, &id, error);
		only = &id;
	}
	struct oyez_error unused;
	if (!error)
		error = &unused;
	customer->changed = false;
	customer->woken = false;
	customer->focus = only;
	uint64_t until_ms = monotonic_ms() + wait_ms;
	size_t turn = 0;
	if (!err)
		err = sync_round(customer, only, wait_ms > 0, error);
	while (!err && !customer->changed && !customer->woken && monotonic_ms() < until_ms) {
		if (only && !wants_sync(customer, wallet_intent(customer->wallet, only)))
			break; // it has ended: nothing will come
		err = wait_turn(customer, only, &turn, until_ms - monotonic_ms(), error);
		if (!err)
			err = sync_round(customer, only, true, error);
	}
	customer->focus = NULL;
	if (changed)
		*changed = customer->changed;
	return err;
}

static bool is_fatal(enum err code)
{
	return code == ERR_WALLET_MISSING || code == ERR_WALLET_LOCKED || code == ERR_WALLET_DAMAGED || code == ERR_IO;
}

enum err oyez_agent_step(struct oyez_customer *customer, uint64_t wait_ms, struct oyez_error *error)
{
	struct oyez_error problem = {0};
	customer->patient = true;
	enum err err = oyez_sync(customer, NULL, wait_ms, NULL, &problem);
	if (!err || customer->woken) {
		customer->trouble = ERR_OK;
		return ERR_OK;
	}
	if (is_fatal(err)) {
		if (error)
			*error = problem;
		return err;
	}
	if (customer->trouble != err) // told once, not at every turn
		customer_problem(customer, &(struct id){0}, err, "broker");
	customer->trouble = err;
	pause_ms(wait_ms < OFFLINE_PAUSE_MS ? wait_ms : OFFLINE_PAUSE_MS);
	return ERR_OK;
}
