// What the wallet knows, as the JSON of the command line contract. Reads records and decides nothing.
#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "clients/lib/customer.h"
#include "clients/lib/view.h"

// ---- words

static const Oyez__Wallet__Deal *open_deal(struct oyez_customer *customer, const Oyez__Wallet__Intent *intent)
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	struct id id = field_id(&intent->id);
	for (size_t i = 0; i < file->n_deals; i++) {
		if (field_is_id(&file->deals[i]->intent_id, &id) && deal_is_open(file->deals[i]) &&
		    file->deals[i]->acknowledged)
			return file->deals[i];
	}
	return NULL;
}

const char *intent_status_word(struct oyez_customer *customer, const Oyez__Wallet__Intent *intent)
{
	switch (intent->status) {
	case OYEZ__WALLET__INTENT_STATUS__INTENT_PENDING:
		return "pending";
	case OYEZ__WALLET__INTENT_STATUS__INTENT_WAITING:
		return "waiting";
	case OYEZ__WALLET__INTENT_STATUS__INTENT_RELEASED:
		return open_deal(customer, intent) ? "accepted" : "released";
	case OYEZ__WALLET__INTENT_STATUS__INTENT_CONCLUDED:
		return "concluded";
	case OYEZ__WALLET__INTENT_STATUS__INTENT_WITHDRAWN:
		return "withdrawn";
	case OYEZ__WALLET__INTENT_STATUS__INTENT_EXPIRED:
		return open_deal(customer, intent) ? "accepted" : "expired";
	case OYEZ__WALLET__INTENT_STATUS__INTENT_REFUSED:
		return "refused";
	default:
		return "unknown";
	}
}

const char *deal_status_word(const Oyez__Wallet__Deal *deal)
{
	static const char *const words[] = {"pending", "accepted", "countersigned", "revealed", "concluded", "lapsed"};
	if (*deal->refusal)
		return "refused";
	return deal->state < sizeof(words) / sizeof(*words) ? words[deal->state] : "unknown";
}

Oyez__Listing *listing_of(const ProtobufCBinaryData *vouched)
{
	// Verified when it came; here it is only read.
	Oyez__VouchedListing *message = oyez__vouched_listing__unpack(NULL, vouched->len, vouched->data);
	Oyez__Listing *listing = NULL;
	if (message && message->listing)
		codec_decode_listing(NULL, message->listing->record.data, message->listing->record.len, &listing, NULL);
	if (message)
		oyez__vouched_listing__free_unpacked(message, NULL);
	return listing;
}

static void add_vendor(json_t *object, const ProtobufCBinaryData *vendor_key, const ProtobufCBinaryData *listing_bytes)
{
	Oyez__Listing *listing = listing_of(listing_bytes);
	struct id vendor = {0};
	if (vendor_key->len == KEY_BYTES)
		vendor = vendor_id_of(vendor_key->data);
	json_object_set_new(object, "vendor", json_hex(vendor.bytes, ID_BYTES));
	json_object_set_new(object, "vendor_name", json_text(listing ? listing->name : ""));
	json_object_set_new(object, "vendor_url", json_text(listing ? listing->url : ""));
	if (listing)
		oyez__listing__free_unpacked(listing, NULL);
}

// ---- offers

// Numbers that may be unknown travel as value + 1.
static json_t *maybe_number(uint32_t value_plus_one)
{
	return value_plus_one ? json_integer((json_int_t)value_plus_one - 1) : json_null();
}

static json_t *maybe_text(const char *text)
{
	return text && *text ? json_text(text) : json_null();
}

static Oyez__Offer *offer_of(const Oyez__Wallet__Offer *record)
{
	Oyez__Signed *signed_offer;
	Oyez__Offer *offer = NULL;
	if (codec_decode_signed(NULL, record->signed_.data, record->signed_.len, &signed_offer, NULL))
		return NULL;
	codec_decode_offer(NULL, signed_offer->record.data, signed_offer->record.len, &offer, NULL);
	oyez__signed__free_unpacked(signed_offer, NULL);
	return offer;
}

static const char *offer_status_word(const Oyez__Wallet__Offer *record)
{
	static const char *const words[] = {"open", "replaced", "withdrawn", "declined", "accepted"};
	return record->status < sizeof(words) / sizeof(*words) ? words[record->status] : "unknown";
}

json_t *offer_json(const Oyez__Wallet__Intent *intent, const Oyez__Wallet__Offer *record)
{
	json_t *object = json_object();
	json_object_set_new(object, "offer", json_binary(&record->id));
	json_object_set_new(object, "intent", json_binary(&intent->id));
	json_object_set_new(object, "status", json_string(offer_status_word(record)));
	add_vendor(object, &record->vendor_key, &record->listing);
	Oyez__Offer *offer = offer_of(record);
	if (!offer)
		return object;
	int64_t total_e4 = offer->total_e4 ? offer->total_e4 : offer->price_e4;
	json_object_set_new(object, "price", json_money(offer->price_e4, offer->currency));
	json_object_set_new(object, "total", json_money(total_e4, offer->currency));
	json_object_set_new(object, "availability", maybe_text(offer->availability));
	json_object_set_new(object, "delivery_days", maybe_number(offer->delivery_days));
	json_object_set_new(object, "origin", maybe_text(offer->origin));
	json_object_set_new(object, "co2_g", maybe_number(offer->co2_g));
	json_add_standing(object, &record->standing);
	if (record->vendor_suspended)
		json_object_set_new(object, "vendor_suspended", json_text(record->suspended_reason));
	json_object_set_new(object, "warranty_months", maybe_number(offer->warranty_months));
	json_object_set_new(object, "returns_days", maybe_number(offer->returns_days));
	json_t *needs = json_array();
	for (size_t i = 0; i < offer->n_needs; i++)
		json_array_append_new(needs, json_text(offer->needs[i]));
	json_object_set_new(object, "needs", needs);
	json_object_set_new(object, "valid_until", json_time(offer->valid_until_ms));
	json_object_set_new(object, "note", maybe_text(offer->note));
	const struct terms *counter = offer_counter(intent, offer), *asked = intent_terms(intent);
	json_object_set_new(object, "terms", maybe_text(counter ? counter->id : asked ? asked->id : ""));
	json_object_set_new(object, "counter_terms", counter_json(intent, offer));
	json_object_set_new(object, "vendor_checked",
	                    json_string(url_check_word(vendor_checked(&record->standing, record->guardian_check))));
	json_object_set_new(object, "at", json_time(record->at_ms));
	oyez__offer__free_unpacked(offer, NULL);
	return object;
}

struct sorted_offer {
	const Oyez__Wallet__Offer *record;
	double key; // smaller is better
	size_t came;
};

static double sort_key(const Oyez__Wallet__Offer *record, const Oyez__Offer *offer, const char *sort)
{
	const double last = 1e300;
	if (strcmp(sort, "price") == 0)
		return (double)(offer->total_e4 ? offer->total_e4 : offer->price_e4);
	if (strcmp(sort, "delivery") == 0)
		return offer->delivery_days ? offer->delivery_days : last;
	if (strcmp(sort, "co2") == 0)
		return offer->co2_g ? offer->co2_g : last;
	Oyez__Standing *standing = standing_of(&record->standing);
	double stars = standing_rating(standing);
	if (standing)
		oyez__standing__free_unpacked(standing, NULL);
	return stars > 0 ? -stars : last; // the best first
}

static int compare_offers(const void *a, const void *b)
{
	const struct sorted_offer *left = a, *right = b;
	if (left->key != right->key)
		return left->key < right->key ? -1 : 1;
	return left->came < right->came ? -1 : left->came > right->came;
}

enum err oyez_offers(struct oyez_customer *customer, const char *text, const char *sort, json_t **out,
                     struct oyez_error *error)
{
	*out = NULL;
	struct id id;
	if (sort && strcmp(sort, "price") && strcmp(sort, "delivery") && strcmp(sort, "rating") && strcmp(sort, "co2"))
		return oyez_error_set(error, ERR_BAD_VALUE, "sort: price, delivery, rating or co2");
	enum err err = wallet_load(customer->wallet, error);
	if (!err)
		err = wallet_resolve(customer->wallet, WALLET_INTENT, text, &id, error);
	if (err)
		return err;
	const Oyez__Wallet__Intent *intent = wallet_intent(customer->wallet, &id);
	struct sorted_offer *sorted = wallet_alloc((intent->n_offers + 1) * sizeof(*sorted));
	size_t count = 0;
	uint64_t now_ms = customer_now_ms(customer);
	for (size_t i = 0; i < intent->n_offers; i++) {
		const Oyez__Wallet__Offer *record = intent->offers[i];
		Oyez__Offer *offer = offer_of(record);
		bool open = record->status == OYEZ__WALLET__OFFER_STATUS__OFFER_OPEN && offer &&
		            now_ms < offer->valid_until_ms && intent_is_open(intent);
		if (offer && (open || record->status == OYEZ__WALLET__OFFER_STATUS__OFFER_ACCEPTED))
			sorted[count++] = (struct sorted_offer){record, sort ? sort_key(record, offer, sort) : 0, i};
		if (offer)
			oyez__offer__free_unpacked(offer, NULL);
	}
	qsort(sorted, count, sizeof(*sorted), compare_offers);
	*out = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(*out, offer_json(intent, sorted[i].record));
	free(sorted);
	return ERR_OK;
}

// ---- questions

json_t *question_json(const Oyez__Wallet__Intent *intent, const Oyez__Wallet__Question *record)
{
	static const char *const words[] = {"waiting", "answered", "refused"};
	Oyez__Signed *signed_question = NULL;
	Oyez__Question *question = NULL;
	if (codec_decode_signed(NULL, record->signed_.data, record->signed_.len, &signed_question, NULL) == ERR_OK)
		codec_decode_question(NULL, signed_question->record.data, signed_question->record.len, &question, NULL);
	json_t *object = json_object();
	json_object_set_new(object, "question", json_binary(&record->id));
	json_object_set_new(object, "intent", json_binary(&intent->id));
	add_vendor(object, &record->vendor_key, &record->listing);
	json_object_set_new(object, "kind", json_string(question && question->details ? "details" : "question"));
	json_object_set_new(object, "text", question ? maybe_text(question->text) : json_null());
	json_object_set_new(object, "vendor_checked",
	                    json_string(url_check_word(vendor_checked(&record->standing, record->guardian_check))));
	json_object_set_new(object, "status", json_string(record->status < 3 ? words[record->status] : "unknown"));
	json_object_set_new(object, "at", json_time(record->at_ms));
	if (question)
		oyez__question__free_unpacked(question, NULL);
	if (signed_question)
		oyez__signed__free_unpacked(signed_question, NULL);
	return object;
}

enum err oyez_questions(struct oyez_customer *customer, const char *text, json_t **out, struct oyez_error *error)
{
	*out = NULL;
	struct id id;
	enum err err = wallet_load(customer->wallet, error);
	if (!err)
		err = wallet_resolve(customer->wallet, WALLET_INTENT, text, &id, error);
	if (err)
		return err;
	const Oyez__Wallet__Intent *intent = wallet_intent(customer->wallet, &id);
	*out = json_array();
	for (size_t i = 0; i < intent->n_questions; i++) {
		if (intent->questions[i]->status == OYEZ__WALLET__QUESTION_STATUS__QUESTION_WAITING)
			json_array_append_new(*out, question_json(intent, intent->questions[i]));
	}
	return ERR_OK;
}

// ---- intents

json_t *intent_json(struct oyez_customer *customer, const Oyez__Wallet__Intent *intent)
{
	size_t offers = 0, questions = 0;
	for (size_t i = 0; i < intent->n_offers; i++)
		offers += intent->offers[i]->status == OYEZ__WALLET__OFFER_STATUS__OFFER_OPEN;
	for (size_t i = 0; i < intent->n_questions; i++)
		questions += intent->questions[i]->status == OYEZ__WALLET__QUESTION_STATUS__QUESTION_WAITING;
	Oyez__Post *post = intent_post(intent);
	json_t *object = json_object();
	json_object_set_new(object, "intent", json_binary(&intent->id));
	json_object_set_new(object, "status", json_string(intent_status_word(customer, intent)));
	if (*intent->refusal)
		json_object_set_new(object, "refusal", json_text(intent->refusal));
	json_object_set_new(object, "category", json_text(post ? post->facets->category : ""));
	json_object_set_new(object, "region", json_text(post ? post->facets->region : ""));
	json_object_set_new(object, "offers", json_integer((json_int_t)offers));
	json_object_set_new(object, "questions", json_integer((json_int_t)questions));
	json_object_set_new(object, "made_at", json_time(intent->made_at_ms));
	json_object_set_new(object, "expires_at", json_time(post ? post->expires_at_ms : 0));
	json_object_set_new(
	    object, "crowd",
	    json_pack("{s:i, s:i}", "estimate", (int)intent->crowd_estimate, "want", (int)intent->crowd_want));
	json_object_set_new(object, "mode", json_string(intent->guardian_key.len ? "two_brokers" : "direct"));
	json_add_demo(customer, intent, object);
	if (post)
		oyez__post__free_unpacked(post, NULL);
	return object;
}

enum err oyez_intents(struct oyez_customer *customer, json_t **out, struct oyez_error *error)
{
	*out = NULL;
	enum err err = wallet_load(customer->wallet, error);
	if (err)
		return err;
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	*out = json_array();
	for (size_t i = 0; i < file->n_intents; i++)
		json_array_append_new(*out, intent_json(customer, file->intents[i]));
	return ERR_OK;
}

// As released, or as it would be by now.
static json_t *broadcast_of(const Oyez__Wallet__Intent *intent, uint64_t now_ms)
{
	Oyez__Release *release = NULL;
	json_t *object = NULL;
	if (intent->release.len)
		codec_decode_release(NULL, intent->release.data, intent->release.len, &release, NULL);
	if (release) {
		object = json_object();
		json_object_set_new(object, "release", json_binary(&release->release_id));
		json_add_release(object, release);
		oyez__release__free_unpacked(release, NULL);
		return object;
	}
	Oyez__Post *post = intent_post(intent);
	object = post ? broadcast_json(post, now_ms) : json_object();
	if (post)
		oyez__post__free_unpacked(post, NULL);
	return object;
}

static json_t *deals_of(struct oyez_customer *customer, const struct id *intent)
{
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	json_t *deals = json_array();
	for (size_t i = 0; i < file->n_deals; i++) {
		if (!intent || field_is_id(&file->deals[i]->intent_id, intent))
			json_array_append_new(deals, deal_json(file->deals[i], customer_now_ms(customer)));
	}
	return deals;
}

enum err oyez_show(struct oyez_customer *customer, const char *text, json_t **out, struct oyez_error *error)
{
	static const char *const shares[] = {"ask", "auto", "never"};
	*out = NULL;
	struct id id;
	enum err err = wallet_load(customer->wallet, error);
	if (!err)
		err = wallet_resolve(customer->wallet, WALLET_INTENT, text, &id, error);
	if (err)
		return err;
	const Oyez__Wallet__Intent *intent = wallet_intent(customer->wallet, &id);
	json_t *object = intent_json(customer, intent);
	json_object_set_new(object, "broadcast", broadcast_of(intent, customer_now_ms(customer)));
	json_object_set_new(object, "details", json_text(intent->details));
	json_object_set_new(object, "share_details", json_string(intent->share < 3 ? shares[intent->share] : "ask"));
	json_object_set_new(object, "deals", deals_of(customer, &id));
	json_object_set_new(object, "broker", json_text(intent->broker_url));
	if (intent->guardian_key.len)
		json_object_set_new(object, "guardian", json_text(intent->guardian_url));
	json_object_set_new(object, "privacy", json_string(privacy_word(intent)));
	if (intent->withdrawn_proof.len)
		json_object_set_new(object, "withdrawn_proof",
		                    json_pack("{s:s, s:o}", "type", "withdrawal", "signed",
		                              json_base64(intent->withdrawn_proof.data, intent->withdrawn_proof.len)));
	*out = object;
	return ERR_OK;
}

// ---- deals

json_t *deal_json(const Oyez__Wallet__Deal *deal, uint64_t now_ms)
{
	json_t *object = json_object();
	json_object_set_new(object, "deal", json_binary(&deal->id));
	json_object_set_new(object, "status", json_string(deal_status_word(deal)));
	if (*deal->refusal)
		json_object_set_new(object, "refusal", json_text(deal->refusal));
	json_object_set_new(object, "intent", json_binary(&deal->intent_id));
	json_object_set_new(object, "offer", json_binary(&deal->offer_id));
	json_object_set_new(object, "vendor", json_binary(&deal->vendor_id));
	json_object_set_new(object, "vendor_name", json_text(deal->vendor_name));
	json_object_set_new(object, "vendor_url", json_text(deal->vendor_url));
	json_object_set_new(object, "total", json_money(deal->price_e4, deal->currency));
	json_t *fields = json_array();
	for (size_t i = 0; i < deal->n_fields; i++)
		json_array_append_new(fields, json_text(deal->fields[i]));
	json_object_set_new(object, "fields", fields);
	json_object_set_new(object, "terms", json_text(deal->terms));
	json_object_set_new(object, "accepted_at", json_time(deal->accepted_at_ms));
	json_object_set_new(object, "countersign_by", json_time(deal->countersign_by_ms));
	json_object_set_new(object, "reveal_by", json_time(deal->reveal_by_ms));
	json_object_set_new(object, "countersigned_at", json_time(deal->countersigned_at_ms));
	json_object_set_new(object, "revealed_at", json_time(deal->revealed_at_ms));
	json_object_set_new(object, "ended_at", json_time(deal->ended_at_ms));
	if (*deal->alias)
		json_object_set_new(object, "alias", json_text(deal->alias));
	json_object_set_new(object, "messages", json_integer((json_int_t)deal->n_messages));
	json_object_set_new(object, "erasure", erasure_json(deal, now_ms));
	json_object_set_new(object, "stars", deal->stars ? json_integer(deal->stars) : json_null());
	if (deal->vendor_suspended)
		json_object_set_new(object, "vendor_suspended", json_text(deal->suspended_reason));
	return object;
}

enum err oyez_deals(struct oyez_customer *customer, json_t **out, struct oyez_error *error)
{
	*out = NULL;
	enum err err = wallet_load(customer->wallet, error);
	if (!err)
		*out = deals_of(customer, NULL);
	return err;
}

enum err oyez_deal(struct oyez_customer *customer, const char *text, json_t **out, struct oyez_error *error)
{
	*out = NULL;
	struct id id;
	enum err err = wallet_load(customer->wallet, error);
	if (!err)
		err = wallet_resolve(customer->wallet, WALLET_DEAL, text, &id, error);
	if (!err)
		*out = deal_json(wallet_deal(customer->wallet, &id), customer_now_ms(customer));
	return err;
}
