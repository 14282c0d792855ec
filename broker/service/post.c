// Posting an intent: what makes a post acceptable, and how it becomes a row. Its later life stands in intents.c.
#include <stdio.h>

#include "broker/core/release.h"
#include "hold.h"
#include "internal.h"

static enum err bad(struct service *service, enum err err, const char *field)
{
	snprintf(service->detail.text, sizeof service->detail.text, "%s", field);
	return err;
}

static enum err check_times(struct service *service, const struct command *command, const Oyez__Post *post)
{
	uint64_t now = service->now_ms;
	if (post->expires_at_ms <= now)
		return bad(service, ERR_PAST_DATE, "post.expires_at_ms");
	if (post->expires_at_ms < command->made_at_ms + EXPIRES_MS_MIN)
		return bad(service, ERR_BAD_VALUE, "post.expires_at_ms: at least 1s");
	if (post->expires_at_ms > now + EXPIRES_MS_MAX + RECORD_AGE_MS_MAX)
		return bad(service, ERR_BAD_VALUE, "post.expires_at_ms: at most 90d");
	if (post->needed_by_day && post->needed_by_day < now / DAY_MS)
		return bad(service, ERR_PAST_DATE, "post.needed_by_day");
	return ERR_OK;
}

static enum err check_limits(struct service *service, const Oyez__Post *post)
{
	if (post->suite != SUITE_X25519_CHACHA)
		return bad(service, ERR_BAD_VALUE, "post.suite");
	if (post->deals_max > DEALS_MAX)
		return bad(service, ERR_BAD_VALUE, "post.deals_max: at most 100");
	if (post->crowd_wish > CROWD_WISH_MAX)
		return bad(service, ERR_BAD_VALUE, "post.crowd_wish: at most 1000");
	if (post->n_allow > VENDOR_LIST_MAX || post->n_block > VENDOR_LIST_MAX)
		return bad(service, ERR_TOO_LARGE, "post.allow, post.block: at most 64");
	return ERR_OK;
}

static enum err intent_of_post(struct service *service, const struct command *command, const Oyez__Post *post,
                               struct intent *intent)
{
	enum err err = check_times(service, command, post);
	if (!err)
		err = check_limits(service, post);
	if (err)
		return err;
	*intent = (struct intent){
	    .id = command->sender,
	    .post_hash = command->record_hash,
	    .state = INTENT_WAITING,
	    .crowd_waived = post->crowd_waived,
	    .coarsest_step = (uint8_t)(post->coarsest_step < RELEASE_STEPS ? post->coarsest_step : RELEASE_STEPS - 1),
	    .has_lists = post->n_allow > 0 || post->n_block > 0,
	    .suite = post->suite,
	    .crowd_wish = post->crowd_wish,
	    .needed_by_day = post->needed_by_day,
	    .deals_max = post->deals_max ? post->deals_max : 1,
	    .mailbox_next = 1,
	    .posted_at_ms = service->now_ms,
	    .expires_at_ms = post->expires_at_ms,
	    .patience_ms = post->patience_ms,
	};
	memcpy(intent->key, command->sender_key, KEY_BYTES);
	memcpy(intent->reply_key, post->reply_key.data, KEY_BYTES);
	memcpy(intent->release_id.bytes, command->random, RELEASE_ID_BYTES);
	hold_begin(service, command, post, intent);
	enum err facets_err = facets_of_words(service->config.taxonomy, post->facets, &intent->facets, &service->detail);
	return facets_err ? facets_refused(facets_err, post->facets, &service->detail) : ERR_OK;
}

enum err handle_post(struct service *service, const struct command *command, const Oyez__Post *post)
{
	struct intent intent;
	if (intent_load(service, &command->sender, &intent)) {
		if (!id_equal(&intent.post_hash, &command->record_hash))
			return ERR_CONFLICT;
		if (!intent_live(&intent))
			return ERR_GONE;
		reply_status(service, command, &intent);
		return ERR_OK;
	}
	enum err err = check_fresh(service, command);
	if (!err)
		err = intent_of_post(service, command, post, &intent);
	if (!err)
		err = box_check(service, post);
	if (!err)
		err = right_check(service, command);
	if (err)
		return err;
	store_intent_create(service->store, &intent, command->payload_bytes.at, command->payload_bytes.count);
	store_timer_add(service->store, intent.expires_at_ms, TIMER_INTENT_EXPIRE, &intent.id);
	waiting_add(&service->waiting, &intent);
	box_keep(service, &intent, post);
	service->wrote = true;
	service->numbers.posts++;
	service->numbers.tokens_spent += service->config.posting == OYEZ__POSTING__POSTING_TOKEN;
	reply_status(service, command, &intent);
	return ERR_OK;
}
