// The service's frame: batches, dispatch by the list of commands, time. What a command does stands in the file of its
// noun (intents.c, offers.c, deals.c, ...).
#include "internal.h"

#include <stdlib.h>

#include "broker/base/clock.h"
#include "broker/base/log.h"
#include "proto/region.h"

enum { SUGGESTIONS_PER_BATCH = 4 };

// ---- life

static char *copy_text(const char *text)
{
	char *copy = strdup(text ? text : "");
	if (!copy)
		abort();
	return copy;
}

enum err service_new(const struct service_config *config, const struct service_signer *signer, struct store *store,
                     uint64_t now_ms, struct service **out)
{
	struct service *service = calloc(1, sizeof *service);
	*out = NULL;
	if (!service)
		return ERR_NO_MEMORY;
	service->config = *config;
	service->config.region = copy_text(config->region);
	service->config.version = copy_text(config->version);
	service->signer = *signer;
	service->store = store;
	service->trees = (struct trees){.categories = taxonomy_tree(config->taxonomy), .regions = region_tree()};
	service->now_ms = service->start_ms = now_ms;
	double rate = clock_rate();
	service->jump_ms_max = (uint64_t)((double)HOUR_MS * (rate > 1 ? rate : 1));
	arena_init(&service->arena);
	parking_init(&service->parking);
	feed_tail_init(&service->tail, config->tail_records);
	estimate_init(&service->estimate, &service->trees);
	enum err err = derived_load(service);
	if (err) {
		service_free(service);
		return err;
	}
	service->next_tick_ms = tick_after(service, service->now_ms);
	service->next_trim_ms = service->now_ms + MINUTE_MS;
	*out = service;
	return ERR_OK;
}

void service_free(struct service *service)
{
	if (!service)
		return;
	if (service->in_batch)
		store_abort(service->store);
	derived_unload(service);
	relay_limits_free(service->relay_limits);
	estimate_fini(&service->estimate);
	scans_drop(service);
	url_checks_free(&service->url_checks);
	parking_fini(&service->parking);
	feed_tail_fini(&service->tail);
	outbox_fini(&service->outbox);
	arena_fini(&service->arena);
	free((char *)service->config.region);
	free((char *)service->config.version);
	free(service);
}

void service_reconfigure(struct service *service, const struct service_config *config)
{
	struct service_config kept = service->config;
	service->config = *config;
	service->config.region = kept.region;
	service->config.version = kept.version;
	service->config.taxonomy = kept.taxonomy;
	service->next_tick_ms = tick_after(service, service->now_ms);
}

// ---- time

uint64_t due_now_ms(const struct service *service)
{
	return service->clock_held ? service->held_at_ms : service->now_ms;
}

static void advance_clock(struct service *service, uint64_t now_ms)
{
	if (now_ms <= service->now_ms)
		return;
	// Batches come at least once a minute, so a long gap means that the clock was set, or that the machine slept.
	if (!service->clock_held && now_ms - service->now_ms > service->jump_ms_max) {
		service->clock_held = true;
		service->held_at_ms = service->now_ms;
		log_event(LOG_WARN, "clock_held", LOG_NUMBER("jump_ms", now_ms - service->now_ms),
		          LOG_TEXT("hint", "nothing expires until: oyez admin confirm-clock"));
	}
	service->now_ms = now_ms;
}

void service_confirm_clock(struct service *service)
{
	service->clock_held = false;
}

void service_note_conflicts(struct service *service, uint32_t count)
{
	service->brokers_in_conflict = count;
}

uint64_t service_next_ms(const struct service *service)
{
	// At least once a minute, however slow the tick: a longer silence would look like a jump of the clock.
	uint64_t next = service->next_tick_ms < service->next_trim_ms ? service->next_tick_ms : service->next_trim_ms;
	if (service->parking.first_deadline_ms < next)
		next = service->parking.first_deadline_ms;
	uint64_t boxes_ms = boxes_next_ms(service), confirmed_ms = confirmed_next_ms(service);
	if (boxes_ms < next)
		next = boxes_ms;
	if (confirmed_ms < next)
		next = confirmed_ms;
	if (!service->clock_held && service->next_timer_ms < next)
		next = service->next_timer_ms;
	return next;
}

enum err check_fresh(const struct service *service, const struct command *command)
{
	uint64_t made = command->made_at_ms, now = service->now_ms;
	uint64_t age = made > now ? made - now : now - made;
	return age > RECORD_AGE_MS_MAX ? ERR_STALE : ERR_OK;
}

// ---- dispatch

enum access {
	ACCESS_CUSTOMER,
	ACCESS_CUSTOMER_READ, // a read has no id to look up: its record must be fresh
	ACCESS_ANYBODY,       // with a vendor's or a broker's key
	ACCESS_REGISTERED,    // a vendor, perhaps waiting for approval
	ACCESS_APPROVED,
	ACCESS_ADMIN,
	ACCESS_ACCOUNT, // with an account's key; the handler looks the account up
};

static enum access access_of(enum command_kind kind)
{
	switch (kind) {
	case COMMAND_READ_MAILBOX:
	case COMMAND_READ_STATUS:
	case COMMAND_READ_DEAL:
		return ACCESS_CUSTOMER_READ;
	case COMMAND_REGISTER:
	case COMMAND_PUSH: // a broker's; the handler looks it up
		return ACCESS_ANYBODY;
	case COMMAND_SHOW_VENDOR:
	case COMMAND_SUBSCRIBE:
	case COMMAND_UNSUBSCRIBE:
	case COMMAND_LIST_SUBSCRIPTIONS:
	case COMMAND_RECEIPT: // a receipt tells the customer something whatever became of the vendor
	case COMMAND_ANSWER_ERASURE:
		return ACCESS_REGISTERED;
	default:
		switch (command_reply_form(kind)) {
		case REPLY_CUSTOMER:
			return ACCESS_CUSTOMER;
		case REPLY_VENDOR:
			return ACCESS_APPROVED;
		case REPLY_GUARDIAN:
			return ACCESS_ACCOUNT;
		case REPLY_ADMIN:
		case REPLY_RELAY:
			break;
		}
		return ACCESS_ADMIN;
	}
}

static enum err vendor_status_error(const struct service *service, const struct command *command)
{
	switch (service->vendor.status) {
	case OYEZ__VENDOR_STATUS__VENDOR_APPROVED:
		return ERR_OK;
	case OYEZ__VENDOR_STATUS__VENDOR_SUSPENDED:
		return command->kind == COMMAND_SHOW_VENDOR || command->kind == COMMAND_RECEIPT ||
		               command->kind == COMMAND_ANSWER_ERASURE
		           ? ERR_OK
		           : ERR_VENDOR_SUSPENDED;
	default:
		return access_of(command->kind) == ACCESS_REGISTERED ? ERR_OK : ERR_VENDOR_PENDING;
	}
}

static enum err check_access(struct service *service, const struct command *command)
{
	switch (access_of(command->kind)) {
	case ACCESS_CUSTOMER_READ:
		return check_fresh(service, command);
	case ACCESS_REGISTERED:
	case ACCESS_APPROVED:
		if (!store_vendor_find(service->store, &command->sender, &service->arena, &service->vendor))
			return ERR_VENDOR_UNKNOWN;
		return vendor_status_error(service, command);
	case ACCESS_CUSTOMER:
	case ACCESS_ANYBODY:
	case ACCESS_ADMIN:
	case ACCESS_ACCOUNT:
		break;
	}
	return ERR_OK;
}

static enum err dispatch(struct service *service, const struct command *command)
{
	switch (command->kind) {
#define X(KIND, handler, type, form)                                                                                   \
	case COMMAND_##KIND:                                                                                               \
		return handler(service, command, (const type *)command->payload);
		COMMAND_LIST(X)
#undef X
	case COMMAND_COUNT:
		break;
	}
	return ERR_UNKNOWN_MESSAGE;
}

// ---- batches

void service_begin(struct service *service, uint64_t now_ms)
{
	assert(!service->in_batch);
	arena_reset(&service->arena);
	outbox_clear(&service->outbox);
	service->in_batch = true;
	service->wrote = false;
	service->detail.suggestions_left = SUGGESTIONS_PER_BATCH;
	service->numbers_before = service->numbers;
	advance_clock(service, now_ms);
	store_begin(service->store);
}

void service_apply(struct service *service, const struct command *command)
{
	assert(service->in_batch);
	advance_clock(service, command->now_ms);
	service->detail.text[0] = '\0';
	service->numbers.commands[command->kind]++;
	enum err err = check_access(service, command);
	if (!err)
		err = dispatch(service, command);
	if (!err)
		return;
	service->numbers.refusals[command->kind]++;
	reply_error(service, command->origin, command_reply_form(command->kind), err, service->detail.text);
}

void service_advance(struct service *service, const uint8_t random[16])
{
	(void)random; // the tick's order comes from the posts' random release ids
	assert(service->in_batch);
	if (!service->clock_held)
		timers_run(service);
	if (service->now_ms >= service->next_tick_ms) {
		tick_run(service);
		service->next_tick_ms = tick_after(service, service->now_ms);
	}
	boxes_run(service);
	confirmed_write_due(service);
	url_checks_advance(service);
	if (service->now_ms >= service->next_trim_ms) {
		if (!service->clock_held) {
			feed_trim(service);
			inboxes_trim(service);
			vouchers_trim(service);
			issued_trim(service);
		}
		service->next_trim_ms = service->now_ms + MINUTE_MS;
	}
	parking_answer_due(service);
}

static enum err commit_failed(struct service *service, enum err err)
{
	parking_fail(service, err);
	scans_drop(service);
	if (service->compact)
		reply_error(service, service->compact_origin, REPLY_ADMIN, err, NULL);
	service->compact = false;
	outbox_fail(service, err);
	uint64_t failures = service->numbers.commit_failures + 1;
	service->numbers = service->numbers_before;
	service->numbers.commit_failures = failures;
	estimate_abort(&service->estimate);
	derived_unload(service);
	if (derived_load(service))
		abort(); // the store cannot even be read: start again from the disk
	return err;
}

// A compaction needs the store without a transaction, so it runs behind the batch that asked for it.
static void compact(struct service *service)
{
	struct command command = {.kind = COMMAND_ADMIN_COMPACT, .origin = service->compact_origin};
	service->compact = false;
	enum err err = store_compact(service->store);
	if (err)
		reply_error(service, command.origin, REPLY_ADMIN, err, NULL);
	else
		reply_ack(service, &command, &(struct id){0});
}

static uint64_t first_timer_ms(struct service *service)
{
	uint64_t at_ms;
	enum timer_kind kind;
	struct id id;
	return store_timer_first(service->store, &at_ms, &kind, &id) ? at_ms : UINT64_MAX;
}

enum err service_commit(struct service *service)
{
	assert(service->in_batch);
	parking_answer_woken(service);
	if (service->wrote)
		store_meta_put(service->store, "now_ms", &service->now_ms, sizeof service->now_ms);
	service->next_timer_ms = first_timer_ms(service);
	enum err err = store_commit(service->store);
	service->in_batch = false;
	if (err)
		return commit_failed(service, err);
	estimate_commit(&service->estimate);
	service->numbers.commits++;
	if (service->compact)
		compact(service);
	return ERR_OK;
}

// ---- parked requests, from outside

void service_cancel(struct service *service, uint64_t origin)
{
	parking_cancel(service, origin);
}

void service_unpark_all(struct service *service)
{
	bool alone = !service->in_batch;
	if (alone)
		service_begin(service, service->now_ms);
	parking_answer_all(service);
	confirmed_write_all(service);
	if (alone)
		service_commit(service);
}

void service_numbers(const struct service *service, struct service_numbers *out)
{
	*out = service->numbers;
	out->intents_waiting = service->waiting.count;
	out->vendors = service->vendor_count;
	out->subscriptions = service->listener_numbers.count;
	out->parked = service->parking.count;
	out->accounts = service->guardian.account_numbers.count;
	out->boxes_kept = service->guardian.box_numbers.count;
	out->cells_kept = service->guardian.cell_count;
	out->boxes_pushed = service->boxes.running;
	out->clock_held = service->clock_held;
}
