// The inbox: one ordered log of what customers and the broker sent to this vendor. Every item changes the home in
// order, once, whoever reads it first; reading it again gives the same event.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/vendor_internal.h"
#include "proto/seal.h"
#include "proto/values.h"

static enum err after_parse(const char *after, uint64_t *seq, struct oyez_error *error)
{
	char *end;

	errno = 0;
	*seq = strtoull(after, &end, 10);
	if (*after < '0' || *after > '9' || *end != '\0' || errno != 0)
		return vendor_fail(error, ERR_CURSOR_BAD, "the inbox's cursors are whole numbers");
	return ERR_OK;
}

enum err inbox_request(const char *after, uint32_t max, uint64_t wait_ms, Oyez__VendorReadBody *body,
                       Oyez__ReadInbox *read, struct oyez_error *error)
{
	uint64_t seq;
	enum err err = after_parse(after, &seq, error);

	if (err != ERR_OK)
		return err;
	oyez__vendor_read_body__init(body);
	oyez__read_inbox__init(read);
	read->after = seq;
	read->from_start = seq == 0;
	read->max = max > 0 && max < MAILBOX_ITEMS_MAX ? max : MAILBOX_ITEMS_MAX;
	read->wait_ms = (uint32_t)(wait_ms < WAIT_MS_MAX ? wait_ms : WAIT_MS_MAX);
	body->body_case = OYEZ__VENDOR_READ_BODY__BODY_READ_INBOX;
	body->read_inbox = read;
	return ERR_OK;
}

// ---- items

// Opens the answer to a question of ours. NULL if it is not what it should be; `why` says so.
static Oyez__AnswerText *open_answer(struct oyez_vendor *vendor, const Oyez__HomeQuestion *question,
                                     const Oyez__Release *release, const ProtobufCBinaryData *sealed, enum err *why)
{
	struct seal_header header = {.from = intent_id_of(release->intent_key.data),
	                             .release = home_release_id(&question->release_id),
	                             .object = home_id(&question->id)};
	struct hpke_pair pair;
	uint8_t *plain = NULL;
	size_t plain_bytes;
	Oyez__Signed *wrapped = NULL;
	Oyez__AnswerText *text = NULL;

	*why = home_get_pair(&question->answer_key, &pair) ? ERR_OK : ERR_WALLET_DAMAGED;
	if (*why == ERR_OK)
		*why = open_message(SEAL_ANSWER, &pair, &header, sealed->data, sealed->len, &plain, &plain_bytes);
	if (*why == ERR_OK)
		*why = codec_decode_signed(NULL, plain, plain_bytes, &wrapped, NULL);
	if (*why == ERR_OK)
		*why = sign_open(wrapped, TAG_ANSWER);
	if (*why == ERR_OK)
		*why = codec_decode_answer_text(NULL, wrapped->record.data, wrapped->record.len, &text, NULL);
	if (*why == ERR_OK &&
	    (memcmp(wrapped->key.data, release->intent_key.data, KEY_BYTES) != 0 ||
	     !home_is_id(&text->vendor_id, &vendor->id) || !home_is_id(&text->question_id, &header.object) ||
	     memcmp(text->intent_key.data, release->intent_key.data, KEY_BYTES) != 0)) {
		*why = ERR_BINDING_MISMATCH;
		oyez__answer_text__free_unpacked(text, NULL);
		text = NULL;
	}
	if (wrapped != NULL)
		oyez__signed__free_unpacked(wrapped, NULL);
	free(plain);
	return text;
}

static void take_answer(struct oyez_vendor *vendor, const Oyez__InboxItem *item, struct oyez_event *event)
{
	struct id id = home_id(&item->answer->question_id);
	Oyez__HomeQuestion *question = home_question(vendor->home->state, &id);
	Oyez__Release *release;
	Oyez__AnswerText *text;
	struct release_id release_id;
	struct oyez_error error;
	enum err why;

	if (question == NULL) {
		event_problem(event, ERR_NOT_FOUND, "an answer to a question this home did not ask");
		return;
	}
	event->question = id;
	event->has_question = true;
	event->release_id = release_id = home_release_id(&question->release_id);
	event->has_release_id = true;
	event->kind = question->details ? OYEZ_EVENT_DETAILS : OYEZ_EVENT_ANSWER;
	if (offer_release(vendor, &release_id, &release, &error) != ERR_OK) {
		event_problem(event, error.code, error.detail);
		return;
	}
	text = open_answer(vendor, question, release, &item->answer->sealed, &why);
	oyez__release__free_unpacked(release, NULL);
	if (text == NULL) {
		event_problem(event, why, "an answer");
		return;
	}
	event->text = strdup(text->text);
	home_set_text(&question->answer, text->text);
	question->answered_at_ms = item->at_ms;
	oyez__answer_text__free_unpacked(text, NULL);
}

static void take_declined(Oyez__VendorHome *state, const Oyez__InboxItem *item, struct oyez_event *event)
{
	struct id id = home_id(&item->declined->offer_id);
	Oyez__HomeOffer *offer = home_offer(state, &id);

	event->kind = OYEZ_EVENT_DECLINED;
	event->offer = id;
	event->has_offer = true;
	event->text = strdup(item->declined->reason);
	if (offer == NULL)
		return;
	offer->end = OYEZ__HOME_OFFER_END__HOME_OFFER_DECLINED;
	home_set_text(&offer->reason, item->declined->reason);
}

static void take_gone(Oyez__VendorHome *state, const Oyez__InboxItem *item, struct oyez_event *event)
{
	Oyez__HomeRelease *release = home_release(state, &event->release_id);

	event->kind = OYEZ_EVENT_GONE;
	event->reason = gone_reason_word((int)item->gone);
	if (release != NULL && release->gone == 0)
		release->gone = item->gone;
}

// False: nothing to tell anybody.
static bool take_item(struct oyez_vendor *vendor, const Oyez__InboxItem *item, struct oyez_event *event)
{
	bool silent = false;

	snprintf(event->cursor, sizeof(event->cursor), "%llu", (unsigned long long)item->seq);
	event->at_ms = item->at_ms;
	event->has_release_id = item->release_id.len == RELEASE_ID_BYTES;
	event->release_id = home_release_id(&item->release_id);
	event->has_deal = item->deal_id.len == ID_BYTES;
	event->deal = home_id(&item->deal_id);
	switch (item->body_case) {
	case OYEZ__INBOX_ITEM__BODY_ANSWER:
		take_answer(vendor, item, event);
		break;
	case OYEZ__INBOX_ITEM__BODY_DECLINED:
		take_declined(vendor->home->state, item, event);
		break;
	case OYEZ__INBOX_ITEM__BODY_AGREEMENT:
		deal_take_agreement(vendor, item, event);
		break;
	case OYEZ__INBOX_ITEM__BODY_OUTCOME:
		deal_take_outcome(vendor, item, event, &silent);
		break;
	case OYEZ__INBOX_ITEM__BODY_REVEAL:
		deal_take_reveal(vendor, item, event, &silent);
		break;
	case OYEZ__INBOX_ITEM__BODY_MESSAGE:
		after_take_message(vendor, item, event);
		break;
	case OYEZ__INBOX_ITEM__BODY_ERASURE:
		after_take_erasure(vendor, item, event);
		break;
	case OYEZ__INBOX_ITEM__BODY_GONE:
		take_gone(vendor->home->state, item, event);
		break;
	default: // of a later version
		silent = true;
		break;
	}
	return !silent;
}

enum err inbox_take(struct oyez_vendor *vendor, const Oyez__Inbox *inbox, const char *after, struct oyez_events *out,
                    struct oyez_error *error)
{
	enum err err;

	out->more = inbox->more;
	snprintf(out->position, sizeof(out->position), "%s", after);
	if (inbox->n_items == 0)
		return ERR_OK;
	err = vendor_home_begin(vendor->home, error);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < inbox->n_items; i++) {
		const Oyez__InboxItem *item = inbox->items[i];
		struct oyez_event *event = events_add(out);

		if (!take_item(vendor, item, event)) {
			event_fini(event);
			out->count--;
		}
		if (item->seq > vendor->home->state->inbox_seen)
			vendor->home->state->inbox_seen = item->seq;
		snprintf(out->position, sizeof(out->position), "%llu", (unsigned long long)item->seq);
	}
	err = vendor_home_commit(vendor->home, error);
	if (err != ERR_OK)
		oyez_events_free(out);
	return err;
}

// ---- reading

static enum err read_once(struct oyez_vendor *vendor, const char *after, uint32_t max, uint64_t wait_ms,
                          struct oyez_events *out, struct oyez_error *error)
{
	Oyez__VendorReadBody body;
	Oyez__ReadInbox read;
	Oyez__Reply *reply;
	enum err err = inbox_request(after, max, wait_ms, &body, &read, error);

	if (err == ERR_OK)
		err = vendor_read(vendor, &body, read.wait_ms + VENDOR_WAIT_MARGIN_MS, &reply, error);
	if (err != ERR_OK)
		return err;
	if (reply->body_case != OYEZ__REPLY__BODY_INBOX)
		err = vendor_fail(error, ERR_BAD_MESSAGE, "an answer of another kind");
	else
		err = inbox_take(vendor, reply->inbox, after, out, error);
	oyez__reply__free_unpacked(reply, NULL);
	return err;
}

// A reader that starts further on must not make this home miss what lies before: a reveal needs its agreement.
static enum err catch_up(struct oyez_vendor *vendor, const char *after, struct oyez_error *error)
{
	struct oyez_events events = {0};
	uint64_t until;
	bool more = true;
	enum err err = after_parse(after, &until, error);

	while (err == ERR_OK && more && vendor->home->state->inbox_seen < until) {
		char position[40];

		snprintf(position, sizeof(position), "%llu", (unsigned long long)vendor->home->state->inbox_seen);
		err = read_once(vendor, position, 0, 0, &events, error);
		more = events.count > 0 || events.more;
		oyez_events_free(&events);
	}
	return err;
}

enum err oyez_vendor_inbox(struct oyez_vendor *vendor, enum oyez_reader reader, const char *after, uint32_t max,
                           uint64_t wait_ms, struct oyez_events *out, struct oyez_error *error)
{
	char stored[40];
	struct oyez_error ignored;
	enum err err = vendor_home_refresh(vendor->home, error);

	memset(out, 0, sizeof(*out));
	if (err == ERR_OK && after == NULL) {
		oyez_vendor_cursor(vendor, reader, NULL, stored);
		after = stored;
	}
	if (err == ERR_OK)
		err = catch_up(vendor, after, error);
	if (err == ERR_OK)
		err = read_once(vendor, after, max, wait_ms, out, error);
	// Receipts for cards that are now on disk; what cannot be sent now is sent by the next command.
	if (err == ERR_OK && vendor->home->state->n_pending > 0)
		(void)outbox_flush(vendor, &ignored);
	return err;
}
