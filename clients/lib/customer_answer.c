// Who learns the details: by the person's policy, or by the person. Answers go sealed to one vendor at a time.
#include <stdlib.h>
#include <string.h>

#include "clients/lib/customer.h"
#include "clients/lib/view.h"
#include "proto/seal.h"
#include "proto/values.h"

static Oyez__Question *question_of(const Oyez__Wallet__Question *record)
{
	Oyez__Signed *signed_question;
	Oyez__Question *question = NULL;
	if (codec_decode_signed(NULL, record->signed_.data, record->signed_.len, &signed_question, NULL))
		return NULL;
	codec_decode_question(NULL, signed_question->record.data, signed_question->record.len, &question, NULL);
	oyez__signed__free_unpacked(signed_question, NULL);
	return question;
}

// Builds, signs and seals the answer and puts it among what is pending. Within begin and commit.
static enum err answer_add(struct oyez_customer *customer, const struct intent_keys *keys,
                           Oyez__Wallet__Question *record, const char *text, uint64_t now_ms, bool automatic,
                           struct id *pending)
{
	struct id id = field_id(&record->id), vendor = vendor_id_of(record->vendor_key.data);
	Oyez__Question *question = question_of(record);
	if (!question)
		return ERR_WALLET_DAMAGED;
	uint8_t *bytes = NULL, *wrapped = NULL, *sealed = NULL;
	size_t count = 0, wrapped_count = 0, sealed_count = 0;

	Oyez__AnswerText answer = OYEZ__ANSWER_TEXT__INIT;
	answer.question_id = (ProtobufCBinaryData){.data = id.bytes, .len = ID_BYTES};
	answer.vendor_id = (ProtobufCBinaryData){.data = vendor.bytes, .len = ID_BYTES};
	answer.intent_key = (ProtobufCBinaryData){.data = (uint8_t *)keys->pair.public_key, .len = KEY_BYTES};
	answer.made_at_ms = now_ms;
	answer.details = question->details;
	answer.text = (char *)text;
	enum err err = codec_check(&answer.base, NULL);
	if (!err)
		err = codec_encode(&answer.base, &bytes, &count);
	if (!err)
		err = sign_wrap(&keys->pair, TAG_ANSWER, bytes, count, &wrapped, &wrapped_count);
	if (!err) {
		struct seal_header header = {.from = keys->id, .release = keys->release, .object = id};
		err = seal_message(SEAL_ANSWER, question->answer_key.data, &header, wrapped, wrapped_count, &sealed,
		                   &sealed_count);
	}
	if (!err) {
		Oyez__Answer send = OYEZ__ANSWER__INIT;
		send.question_id = answer.question_id;
		send.sealed = (ProtobufCBinaryData){.data = sealed, .len = sealed_count};
		Oyez__CustomerRecord body = OYEZ__CUSTOMER_RECORD__INIT;
		body.body_case = OYEZ__CUSTOMER_RECORD__BODY_ANSWER;
		body.answer = &send;
		err = pending_add(customer, keys, &id, &body, now_ms, pending);
	}
	if (!err) {
		// Answered from now on: it is on its way, and nothing takes it back.
		record->status = OYEZ__WALLET__QUESTION_STATUS__QUESTION_ANSWERED;
		record->answered_at_ms = now_ms;
		record->automatic = automatic;
		field_set_text(&record->answer, text);
	}
	free(bytes);
	free(wrapped);
	free(sealed);
	oyez__question__free_unpacked(question, NULL);
	return err;
}

// ---- policy

static bool listed(ProtobufCBinaryData *const list, size_t count, const struct id *vendor)
{
	for (size_t i = 0; i < count; i++) {
		if (field_is_id(&list[i], vendor))
			return true;
	}
	return false;
}

// Does the vendor meet the rules of this intent? Without published ratings where some are asked for, a person decides.
static bool meets_rules(const Oyez__Post *post, const Oyez__Listing *listing, const Oyez__Standing *standing,
                        const struct id *vendor)
{
	const Oyez__VendorRules *rules = post->facets->rules;
	if (listed(post->block, post->n_block, vendor) || (post->n_allow && !listed(post->allow, post->n_allow, vendor)))
		return false;
	bool agrees = false;
	for (size_t i = 0; i < listing->n_terms && !agrees; i++)
		agrees = strcmp(listing->terms[i], post->facets->terms) == 0;
	if (!agrees)
		return false;
	if (!rules)
		return true;
	bool country_fits = rules->n_countries == 0;
	for (size_t i = 0; i < rules->n_countries && !country_fits; i++)
		country_fits = strcmp(rules->countries[i], listing->country) == 0;
	return country_fits && (uint32_t)(2 * standing_rating(standing)) >= rules->rating_band;
}

// How many vendors have the details by policy; `already` whether this one has.
static size_t shared_with(const Oyez__Wallet__Intent *intent, const Oyez__Wallet__Question *asking, bool *already)
{
	size_t count = 0;
	*already = false;
	for (size_t i = 0; i < intent->n_questions; i++) {
		const Oyez__Wallet__Question *other = intent->questions[i];
		if (!other->automatic)
			continue;
		count++;
		if (other->vendor_key.len == asking->vendor_key.len &&
		    memcmp(other->vendor_key.data, asking->vendor_key.data, asking->vendor_key.len) == 0)
			*already = true;
	}
	return count;
}

static bool rules_allow(const Oyez__Wallet__Intent *intent, const Oyez__Wallet__Question *record)
{
	bool already, allowed = false;
	size_t count = shared_with(intent, record, &already);
	if (intent->share != OYEZ__WALLET__SHARE__SHARE_AUTO || already || count >= intent->share_max ||
	    record->vendor_key.len != KEY_BYTES)
		return false;
	Oyez__Post *post = intent_post(intent);
	Oyez__Listing *listing = listing_of(&record->listing);
	struct id vendor = vendor_id_of(record->vendor_key.data);
	Oyez__Standing *standing = standing_of(&record->standing);
	if (post && listing)
		allowed = meets_rules(post, listing, standing, &vendor);
	if (standing)
		oyez__standing__free_unpacked(standing, NULL);
	if (post)
		oyez__post__free_unpacked(post, NULL);
	if (listing)
		oyez__listing__free_unpacked(listing, NULL);
	return allowed;
}

static bool policy_allows(const Oyez__Wallet__Intent *intent, const Oyez__Wallet__Question *record)
{
	return rules_allow(intent, record) && vendor_may_have_details(intent, record);
}

bool answer_is_wanted(const Oyez__Wallet__Intent *intent, const Oyez__Wallet__Question *record)
{
	Oyez__Question *question = record->status == OYEZ__WALLET__QUESTION_STATUS__QUESTION_WAITING ? question_of(record) : NULL;
	bool details = question && question->details;
	if (question)
		oyez__question__free_unpacked(question, NULL);
	return details && rules_allow(intent, record);
}

void answers_by_policy(struct oyez_customer *customer, Oyez__Wallet__Intent *intent, const struct intent_keys *keys,
                       uint64_t now_ms)
{
	for (size_t i = 0; i < intent->n_questions; i++) {
		Oyez__Wallet__Question *record = intent->questions[i];
		if (record->status != OYEZ__WALLET__QUESTION_STATUS__QUESTION_WAITING)
			continue;
		Oyez__Question *question = question_of(record);
		bool details = question && question->details;
		if (question)
			oyez__question__free_unpacked(question, NULL);
		if (!details)
			continue;
		if (intent->share == OYEZ__WALLET__SHARE__SHARE_NEVER) {
			record->status = OYEZ__WALLET__QUESTION_STATUS__QUESTION_REFUSED;
		} else if (policy_allows(intent, record)) {
			enum err err = answer_add(customer, keys, record, intent->details, now_ms, true, NULL);
			if (err)
				customer_problem(customer, &keys->id, err, "answer");
			else
				customer_event(customer, "answered", &keys->id, question_json(intent, record));
		}
	}
}

// ---- by the person

static enum err answer_by_person(struct oyez_customer *customer, const struct id *id, const char *text,
                                 struct action *action, struct oyez_error *error)
{
	Oyez__Wallet__Intent *intent;
	Oyez__Wallet__Question *record = wallet_question(customer->wallet, id, &intent);
	Oyez__Question *asked = record ? question_of(record) : NULL;
	if (!asked)
		return oyez_error_set(error, ERR_NOT_FOUND, "question");
	const char *given = text;
	if (!given && asked->details)
		given = intent->details;
	oyez__question__free_unpacked(asked, NULL);
	if (record->status == OYEZ__WALLET__QUESTION_STATUS__QUESTION_ANSWERED)
		return oyez_error_set(error, ERR_CONFLICT, "this question was answered");
	if (!given || !*given)
		return oyez_error_set(error, ERR_MISSING_FIELD, "TEXT: there are no stored details to give");
	enum err err = answer_add(customer, &action->keys, record, given, action->now_ms, false, &action->pending);
	return err ? oyez_error_set(error, err, "answer") : ERR_OK;
}

// Was this question asked about an intent in French? Decides the words of masks.
static bool customer_is_french(struct oyez_customer *customer, const char *question)
{
	struct id id;
	Oyez__Wallet__Intent *intent = NULL;
	if (wallet_load(customer->wallet, NULL) || wallet_resolve(customer->wallet, WALLET_QUESTION, question, &id, NULL))
		return false;
	wallet_question(customer->wallet, &id, &intent);
	Oyez__Post *post = intent ? intent_post(intent) : NULL;
	bool french = post && strcmp(post->facets->language, "fr") == 0;
	if (post)
		oyez__post__free_unpacked(post, NULL);
	return french;
}

// Takes the question apart from the text: what leaves is already the text to send.
static enum err answer_text(struct oyez_customer *customer, const char *question, const char *text, json_t **out,
                            struct oyez_error *error)
{
	struct id id;
	struct action action;
	Oyez__Wallet__Intent *intent = NULL;
	enum err err = wallet_load(customer->wallet, error);
	if (!err)
		err = wallet_resolve(customer->wallet, WALLET_QUESTION, question, &id, error);
	if (err)
		return err;
	if (text && (err = text_check(text, strlen(text), DETAILS_BYTES_MAX)))
		return oyez_error_set(error, err, "answer: at most %d bytes", DETAILS_BYTES_MAX);
	err = vendor_verify_question(customer, &id, error);
	if (err)
		return err;
	wallet_question(customer->wallet, &id, &intent);
	struct id intent_id = field_id(&intent->id);
	err = action_begin(customer, &intent_id, &action, error);
	if (err)
		return err;
	err = answer_by_person(customer, &id, text, &action, error);
	if (err) {
		action_cancel(customer, &action);
		return err;
	}
	err = action_commit(customer, &action, error);
	if (!err || action.pending_still)
		*out = json_pack("{s:o, s:o, s:s}", "question", json_hex(id.bytes, ID_BYTES), "intent",
		                 json_hex(intent_id.bytes, ID_BYTES), "status", err ? "pending" : "answered");
	return err;
}

enum err oyez_answer_with(struct oyez_customer *customer, const char *question, const char *text, enum oyez_pii pii,
                          json_t **out, struct oyez_error *error)
{
	*out = NULL;
	char *masked;
	enum err err = text_scrub(text, pii, pii == OYEZ_PII_MASK && customer_is_french(customer, question), &masked, error);
	if (!err)
		err = answer_text(customer, question, masked ? masked : text, out, error);
	text_masked_free(masked);
	return err;
}

enum err oyez_answer(struct oyez_customer *customer, const char *question, const char *text, json_t **out,
                     struct oyez_error *error)
{
	return oyez_answer_with(customer, question, text, OYEZ_PII_REFUSE, out, error);
}
