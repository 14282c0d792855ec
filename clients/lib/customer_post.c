// From what a person wants to what is posted. Exact values stay here: the budget leaves as its 1-2-5 band, the
// quantity as its band, and both exactly only with the details that chosen vendors get.
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/clock.h"
#include "clients/lib/customer.h"
#include "clients/lib/view.h"
#include "proto/region.h"
#include "proto/taxonomy.h"
#include "proto/values.h"

#define EXPIRES_IN_MS_DEFAULT (7 * DAY_MS)
#define PATIENCE_MS_DEFAULT (10 * MINUTE_MS)
enum { SHARE_MAX_DEFAULT = 5, COARSEST_STEP_DEFAULT = 11, RATING_BAND_MAX_HALF_STARS = 10 };
#define TERMS_DEFAULT "SD-BASE"

void oyez_want_init(struct oyez_want *want)
{
	memset(want, 0, sizeof(*want));
	want->quantity = 1;
	want->coarsest_step = COARSEST_STEP_DEFAULT;
	want->patience_ms = PATIENCE_MS_DEFAULT;
	want->expires_in_ms = EXPIRES_IN_MS_DEFAULT;
	want->deals_max = 1;
	want->share_max = SHARE_MAX_DEFAULT;
}

// A post with everything it points to.
struct draft {
	Oyez__Post post;
	Oyez__Facets facets;
	Oyez__Budget budget;
	Oyez__VendorRules rules;
	char *countries[COUNTRIES_MAX];
	uint8_t lists[2 * VENDOR_LIST_MAX][ID_BYTES];
	ProtobufCBinaryData allow[VENDOR_LIST_MAX], block[VENDOR_LIST_MAX];
	const struct terms *terms;
	char *details;
};

// ---- words

static enum err suggest(struct oyez_error *error, enum err code, const char *given, const char *const found[3],
                        size_t count)
{
	return oyez_error_set(error, code, "%.60s%s%s%s%s%s%s", given, count ? ": " : "", count ? found[0] : "",
	                      count > 1 ? ", " : "", count > 1 ? found[1] : "", count > 2 ? ", " : "",
	                      count > 2 ? found[2] : "");
}

// Does this broker number categories as we do? Not known before the first meeting: then we suppose so.
static bool broker_has_our_taxonomy(struct oyez_customer *customer)
{
	char url[512];
	uint8_t key[KEY_BYTES], ours[HASH_BYTES];
	bool known;
	if (!customer)
		return true;
	connection_default_known(customer, url, key, &known);
	const Oyez__Wallet__Broker *broker = known ? wallet_broker_by_key(customer->wallet, key) : NULL;
	if (!broker || !broker->config.len)
		return true;
	Oyez__Signed *signed_config = NULL;
	Oyez__Config *config = NULL;
	bool same = true;
	taxonomy_hash(taxonomy_builtin(), ours);
	if (codec_decode_signed(NULL, broker->config.data, broker->config.len, &signed_config, NULL) == ERR_OK &&
	    codec_decode_config(NULL, signed_config->record.data, signed_config->record.len, &config, NULL) == ERR_OK)
		same = config->taxonomy_hash.len == HASH_BYTES && memcmp(config->taxonomy_hash.data, ours, HASH_BYTES) == 0;
	if (config)
		oyez__config__free_unpacked(config, NULL);
	if (signed_config)
		oyez__signed__free_unpacked(signed_config, NULL);
	return same;
}

static enum err fill_place(struct oyez_customer *customer, const struct oyez_want *want, struct draft *draft,
                           struct oyez_error *error)
{
	const char *found[3];
	if (!want->category || !*want->category)
		return oyez_error_set(error, ERR_MISSING_FIELD, "category");
	if (!want->region || !*want->region)
		return oyez_error_set(error, ERR_MISSING_FIELD, "region");
	if (broker_has_our_taxonomy(customer) && taxonomy_find(taxonomy_builtin(), want->category) == TREE_NONE)
		return suggest(error, ERR_UNKNOWN_CATEGORY, want->category, found,
		               taxonomy_suggest(taxonomy_builtin(), want->category, found));
	uint32_t region = region_find(want->region);
	if (region == TREE_NONE)
		return suggest(error, ERR_UNKNOWN_REGION, want->region, found, region_suggest(want->region, found));
	draft->facets.category = (char *)want->category;
	draft->facets.region = (char *)want->region;
	draft->facets.language = (char *)(want->language ? want->language : region_language(region));
	return ERR_OK;
}

static enum err fill_words(const struct oyez_want *want, struct draft *draft, struct oyez_error *error)
{
	Oyez__Facets *facets = &draft->facets;
	if (want->condition && !condition_parse(want->condition, &facets->condition))
		return oyez_error_set(error, ERR_BAD_VALUE, "condition: new, used or any");
	if (want->fulfilment && !fulfilment_parse(want->fulfilment, &facets->fulfilment))
		return oyez_error_set(error, ERR_BAD_VALUE, "fulfilment: delivery, pickup, onsite or any");
	if (want->reach && !reach_parse(want->reach, &facets->reach))
		return oyez_error_set(error, ERR_BAD_VALUE, "reach: region, country or world");
	const char *id = want->terms ? want->terms : TERMS_DEFAULT;
	int index = terms_find(id);
	if (index < 0) {
		const char *found[3];
		return suggest(error, ERR_UNKNOWN_TERMS, id, found, terms_suggest(id, found));
	}
	draft->terms = terms_at((size_t)index);
	facets->terms = (char *)draft->terms->id;
	return ERR_OK;
}

// ---- numbers

static enum err fill_budget(const struct oyez_want *want, struct draft *draft, struct oyez_error *error)
{
	const char *currency = want->currency ? want->currency : region_currency(region_find(want->region));
	if (!currency_find(currency))
		return oyez_error_set(error, ERR_UNKNOWN_CURRENCY, "%.20s", currency);
	if (!want->has_budget)
		return ERR_OK;
	if (want->budget_max_e4 && want->budget_min_e4 > want->budget_max_e4)
		return oyez_error_set(error, ERR_BAD_AMOUNT, "budget: the lower end is above the upper end");
	draft->budget.min_e4 = amount_band_down(want->budget_min_e4);
	draft->budget.max_e4 = amount_band_up(want->budget_max_e4);
	draft->budget.currency = (char *)currency;
	draft->facets.budget = &draft->budget;
	return ERR_OK;
}

static enum err fill_times(const struct oyez_want *want, struct draft *draft, uint64_t now_ms, struct oyez_error *error)
{
	if (want->needed_by_day && want->needed_by_day < now_ms / DAY_MS)
		return oyez_error_set(error, ERR_PAST_DATE, "needed-by");
	if (want->expires_in_ms < EXPIRES_MS_MIN || want->expires_in_ms > EXPIRES_MS_MAX)
		return oyez_error_set(error, ERR_BAD_VALUE, "expires: 1s to 90d");
	if (want->patience_ms > EXPIRES_MS_MAX)
		return oyez_error_set(error, ERR_BAD_VALUE, "patience: at most 90d");
	draft->post.needed_by_day = want->needed_by_day;
	draft->post.expires_at_ms = now_ms + want->expires_in_ms;
	draft->post.patience_ms = want->patience_ms;
	return ERR_OK;
}

static enum err fill_counts(const struct oyez_want *want, struct draft *draft, struct oyez_error *error)
{
	if (want->quantity == 0)
		return oyez_error_set(error, ERR_BAD_VALUE, "quantity: at least 1");
	if (want->deals_max == 0 || want->deals_max > DEALS_MAX)
		return oyez_error_set(error, ERR_BAD_VALUE, "deals-max: 1 to %d", DEALS_MAX);
	if (want->crowd > CROWD_WISH_MAX)
		return oyez_error_set(error, ERR_BAD_VALUE, "crowd: at most %d", CROWD_WISH_MAX);
	draft->facets.quantity = quantity_band_of(want->quantity);
	draft->post.deals_max = want->deals_max;
	draft->post.crowd_wish = want->crowd;
	draft->post.crowd_waived = want->waive_crowd;
	draft->post.coarsest_step = want->coarsest_step;
	return ERR_OK;
}

// ---- vendor rules

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum err fill_rules(const struct oyez_want *want, struct draft *draft, struct oyez_error *error)
{
	if (want->vendor_country_count > COUNTRIES_MAX)
		return oyez_error_set(error, ERR_BAD_VALUE, "vendor-country: at most %d", COUNTRIES_MAX);
	if (!(want->min_rating >= 0 && want->min_rating <= RATING_BAND_MAX_HALF_STARS / 2.0))
		return oyez_error_set(error, ERR_BAD_VALUE, "min-rating: 0 to 5");
	size_t count = 0;
	for (size_t i = 0; i < want->vendor_country_count; i++) {
		const char *code = want->vendor_countries[i];
		if (strlen(code) != 2 || region_find(code) == TREE_NONE)
			return oyez_error_set(error, ERR_UNKNOWN_REGION, "vendor-country %.20s: a country such as FR", code);
		draft->countries[count++] = (char *)code;
	}
	qsort(draft->countries, count, sizeof(*draft->countries), compare_texts);
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || strcmp(draft->countries[kept - 1], draft->countries[i]) != 0)
			draft->countries[kept++] = draft->countries[i];
	}
	draft->rules.countries = draft->countries;
	draft->rules.n_countries = kept;
	draft->rules.rating_band = (uint32_t)ceil(want->min_rating * 2);
	if (kept || draft->rules.rating_band)
		draft->facets.rules = &draft->rules;
	return ERR_OK;
}

static enum err fill_list(const char *const *given, size_t count, uint8_t (*ids)[ID_BYTES], ProtobufCBinaryData *out,
                          const char *name, struct oyez_error *error)
{
	if (count > VENDOR_LIST_MAX)
		return oyez_error_set(error, ERR_BAD_VALUE, "%s: at most %d", name, VENDOR_LIST_MAX);
	for (size_t i = 0; i < count; i++) {
		if (!hex_decode(given[i], ids[i], ID_BYTES))
			return oyez_error_set(error, ERR_BAD_VALUE, "%s: a vendor's id, 64 hex digits", name);
		out[i] = (ProtobufCBinaryData){.data = ids[i], .len = ID_BYTES};
	}
	return ERR_OK;
}

static enum err fill_lists(const struct oyez_want *want, struct draft *draft, struct oyez_error *error)
{
	enum err err = fill_list(want->allow, want->allow_count, draft->lists, draft->allow, "allow", error);
	if (!err)
		err = fill_list(want->block, want->block_count, draft->lists + VENDOR_LIST_MAX, draft->block, "block", error);
	if (err)
		return err;
	draft->post.allow = draft->allow;
	draft->post.n_allow = want->allow_count;
	draft->post.block = draft->block;
	draft->post.n_block = want->block_count;
	return ERR_OK;
}

// ---- sensitive categories

static bool category_sensitive(const char *category)
{
	const struct tree *tree = taxonomy_tree(taxonomy_builtin());
	for (uint32_t up = taxonomy_find(taxonomy_builtin(), category); up != TREE_NONE; up = tree->parent[up]) {
		if (tree->flags[up] & TREE_SENSITIVE)
			return true;
	}
	return false;
}

// These start, and end, at the last public step (PROTOCOL.md §6). Finer facets would never be published, so they do not
// leave the wallet: not even the home broker learns them.
static void coarsen_sensitive(struct draft *draft)
{
	Oyez__Facets *facets = &draft->facets;
	const struct taxonomy *taxonomy = taxonomy_builtin();
	if (!category_sensitive(facets->category))
		return;
	uint32_t category = taxonomy_find(taxonomy, facets->category), region = region_find(facets->region);
	facets->category = (char *)taxonomy_id(taxonomy, tree_climb(taxonomy_tree(taxonomy), category, 1));
	if (region != TREE_NONE)
		facets->region = (char *)region_code(tree_climb(region_tree(), region, 1));
	facets->budget = NULL;
	facets->condition = OYEZ__CONDITION__CONDITION_UNKNOWN;
	facets->quantity = OYEZ__QUANTITY_BAND__QUANTITY_UNKNOWN;
	facets->fulfilment = OYEZ__FULFILMENT__FULFILMENT_UNKNOWN;
	facets->reach = OYEZ__REACH__REACH_UNKNOWN;
	facets->language = (char *)protobuf_c_empty_string;
	draft->post.needed_by_day = 0;
}

// ---- details

// The text, then what was said exactly, each on a line of its own.
static enum err fill_details(const struct oyez_want *want, struct draft *draft, struct oyez_error *error)
{
	size_t count = 0;
	char *masked;
	enum err err = text_scrub(want->text, want->pii, strcmp(draft->facets.language, "fr") == 0, &masked, error);
	if (err)
		return err;
	FILE *stream = open_memstream(&draft->details, &count);
	if (!stream) {
		text_masked_free(masked);
		return oyez_error_set(error, ERR_NO_MEMORY, NULL);
	}
	if (want->text && *want->text)
		fprintf(stream, "%s\n", masked ? masked : want->text);
	text_masked_free(masked);
	if (want->has_budget) {
		char min[32] = "", max[32] = "";
		const char *currency = draft->budget.currency;
		if (want->budget_min_e4)
			amount_format(want->budget_min_e4, currency, min);
		if (want->budget_max_e4)
			amount_format(want->budget_max_e4, currency, max);
		fprintf(stream, "budget: %s-%s %s\n", min, max, currency);
	}
	fprintf(stream, "quantity: %u\n", want->quantity);
	if (want->needed_by_day) {
		char day[16];
		day_format(want->needed_by_day, day);
		fprintf(stream, "needed by: %s\n", day);
	}
	if (category_sensitive(draft->facets.category))
		fprintf(stream, "category: %s\nregion: %s\n", draft->facets.category, draft->facets.region);
	fclose(stream);
	err = text_check(draft->details, count, DETAILS_BYTES_MAX);
	return err ? oyez_error_set(error, err, "details: at most %d bytes", DETAILS_BYTES_MAX) : ERR_OK;
}

static void draft_free(struct draft *draft)
{
	if (draft->details)
		sodium_memzero(draft->details, strlen(draft->details));
	free(draft->details);
}

static enum err draft_fill(struct oyez_customer *customer, const struct oyez_want *want, uint64_t now_ms,
                           struct draft *draft, struct oyez_error *error)
{
	memset(draft, 0, sizeof(*draft));
	oyez__post__init(&draft->post);
	oyez__facets__init(&draft->facets);
	oyez__budget__init(&draft->budget);
	oyez__vendor_rules__init(&draft->rules);
	draft->post.suite = SUITE_X25519_CHACHA;
	draft->post.facets = &draft->facets;
	enum err err = fill_place(customer, want, draft, error);
	if (!err)
		err = fill_words(want, draft, error);
	if (!err)
		err = fill_budget(want, draft, error);
	if (!err)
		err = fill_times(want, draft, now_ms, error);
	if (!err)
		err = fill_counts(want, draft, error);
	if (!err)
		err = fill_rules(want, draft, error);
	if (!err)
		err = fill_lists(want, draft, error);
	if (!err)
		err = fill_details(want, draft, error);
	if (!err)
		coarsen_sensitive(draft);
	return err;
}

// ---- looking before posting

json_t *broadcast_json(const Oyez__Post *post, uint64_t now_ms)
{
	json_t *object = json_object();
	json_add_facets(object, post->facets, needed_band(post->needed_by_day, now_ms),
	                expiry_band(post->expires_at_ms, now_ms), now_ms);
	return object;
}

// The broker's time, or ours when it cannot be reached. A broker that is not what it was gets no post at all.
static enum err now_at_default(struct oyez_customer *customer, uint64_t *now_ms, struct oyez_error *error)
{
	struct connection *connection;
	struct oyez_error problem = {0};
	enum err err = connection_default(customer, &connection, &problem);
	*now_ms = err ? clock_now_ms() : transport_now_ms(connection->transport);
	if (err != ERR_BROKER_CHANGED && err != ERR_CONFIG_CONFLICT && err != ERR_BAD_SIGNATURE && err != ERR_USAGE)
		return ERR_OK;
	if (error)
		*error = problem;
	return err;
}

enum err oyez_preview(struct oyez_customer *customer, const struct oyez_want *want, json_t **out,
                      struct oyez_error *error)
{
	*out = NULL;
	struct draft draft;
	uint64_t now_ms = clock_now_ms();
	// The text is no part of what is shown; it is told beside, not refused.
	struct oyez_want looked_at = *want;
	looked_at.pii = OYEZ_PII_ALLOW;
	enum err err = draft_fill(customer, &looked_at, now_ms, &draft, error);
	if (!err)
		*out = broadcast_json(&draft.post, now_ms);
	json_t *found = NULL;
	if (!err && want->text && oyez_scrub(want->text, &found) == ERR_OK && json_array_size(found))
		json_object_set(*out, "found", found);
	json_decref(found);
	draft_free(&draft);
	return err;
}

// ---- posting

static void intent_record(struct oyez_customer *customer, const struct oyez_want *want, const struct draft *draft,
                          const struct intent_keys *keys, uint64_t now_ms)
{
	uint8_t hash[HASH_BYTES];
	size_t count = oyez__post__get_packed_size(&draft->post);
	uint8_t *post = wallet_alloc(count);
	oyez__post__pack(&draft->post, post);
	terms_hash(draft->terms, hash);
	Oyez__Wallet__Intent *intent = wallet_add_intent(customer->wallet);
	field_set_id(&intent->id, &keys->id);
	field_set(&intent->key, keys->pair.public_key, KEY_BYTES);
	field_set(&intent->seed, keys->pair.secret_key, crypto_sign_SEEDBYTES);
	field_set(&intent->reply_key, keys->reply.public_key, KEY_BYTES);
	field_set(&intent->reply_secret, keys->reply.secret_key, KEY_BYTES);
	field_set_text(&intent->broker_url, keys->broker_url);
	if (keys->broker_known)
		field_set(&intent->broker_key, keys->broker_key, KEY_BYTES);
	field_set_text(&intent->details, draft->details);
	field_set(&intent->post, post, count);
	field_set(&intent->terms_hash, hash, sizeof(hash));
	intent->terms_version = draft->terms->version;
	intent->made_at_ms = now_ms;
	intent->status = OYEZ__WALLET__INTENT_STATUS__INTENT_PENDING;
	intent->share = want->share == OYEZ_SHARE_AUTO    ? OYEZ__WALLET__SHARE__SHARE_AUTO
	                : want->share == OYEZ_SHARE_NEVER ? OYEZ__WALLET__SHARE__SHARE_NEVER
	                                                  : OYEZ__WALLET__SHARE__SHARE_ASK;
	intent->share_max = want->share_max;
	wallet_allocator.free(NULL, post);
}

// Fresh keys, the record, and the post among what is pending: one change of the wallet.
static enum err post_store(struct oyez_customer *customer, const struct oyez_want *want, struct draft *draft,
                           struct post_right *right, uint64_t now_ms, struct id *intent_id, struct id *pending,
                           struct oyez_error *error)
{
	struct intent_keys keys = {.alive = true};
	connection_default_known(customer, keys.broker_url, keys.broker_key, &keys.broker_known);
	enum err right_err = post_right_keys(customer, right, &keys, &draft->post, now_ms, error);
	if (right_err)
		return right_err;
	hpke_pair_new(&keys.reply);
	keys.id = intent_id_of(keys.pair.public_key);
	*intent_id = keys.id;
	draft->post.reply_key = (ProtobufCBinaryData){.data = keys.reply.public_key, .len = KEY_BYTES};

	struct codec_detail detail = {0};
	enum err err = codec_check(&draft->post.base, &detail);
	if (err) {
		oyez_error_set(error, err, "%s", detail.text);
	} else if (!(err = wallet_begin(customer->wallet, error))) {
		Oyez__CustomerRecord body = OYEZ__CUSTOMER_RECORD__INIT;
		body.body_case = OYEZ__CUSTOMER_RECORD__BODY_POST;
		body.post = &draft->post;
		intent_record(customer, want, draft, &keys, now_ms);
		err = pending_add(customer, &keys, &keys.id, &body, now_ms, pending);
		if (err)
			oyez_error_set(error, err, "post");
		else
			err = post_right_take(customer, right, wallet_intent(customer->wallet, &keys.id), error);
		if (err) {
			wallet_abort(customer->wallet);
		} else {
			err = wallet_commit(customer->wallet, error);
		}
	}
	intent_keys_wipe(&keys);
	return err;
}

// A post refused at once leaves nothing: the person has the error, and corrects it.
static void post_forget(struct oyez_customer *customer, const struct id *intent)
{
	if (wallet_begin(customer->wallet, NULL))
		return;
	wallet_remove_intent(customer->wallet, intent);
	wallet_commit(customer->wallet, NULL);
}

enum err oyez_post(struct oyez_customer *customer, const struct oyez_want *want, json_t **out, struct oyez_error *error)
{
	*out = NULL;
	struct draft draft;
	struct id intent, pending;
	uint64_t now_ms;
	enum err err = wallet_load(customer->wallet, error);
	if (!err)
		err = now_at_default(customer, &now_ms, error);
	if (err)
		return err;
	struct post_right right = {0};
	err = draft_fill(customer, want, now_ms, &draft, error);
	if (!err)
		err = post_right_prepare(customer, now_ms, &right, error);
	if (!err)
		err = post_store(customer, want, &draft, &right, now_ms, &intent, &pending, error);
	bool tokens_fresh = right.tokens_fresh;
	post_right_wipe(&right);
	draft_free(&draft);
	if (err)
		return err;
	struct oyez_error refused = {0};
	err = pending_flush(customer, &pending, &refused, error);
	if (!err && refused.code) {
		post_forget(customer, &intent);
		if (error)
			*error = refused;
		return refused.code;
	}
	const Oyez__Wallet__Intent *record = wallet_intent(customer->wallet, &intent);
	if (!record)
		return oyez_error_set(error, ERR_INTERNAL, "the new intent is gone");
	*out = json_pack("{s:o, s:s, s:{s:i, s:i}, s:s}", "intent", json_hex(intent.bytes, ID_BYTES), "status",
	                 intent_status_word(customer, record), "crowd", "estimate", (int)record->crowd_estimate, "want",
	                 (int)record->crowd_want, "privacy", privacy_word(record));
	if (tokens_fresh)
		json_object_set_new(*out, "privacy_note", json_string("tokens_just_issued"));
	json_add_demo(customer, record, *out);
	return err;
}
