// The members of the home's state: found, added, removed, pruned. No files here.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/vendor_home.h"
#include "proto/limits.h"

// What has ended is kept this long, for `oyez vendor inbox` read late.
#define ENDED_KEPT_MS (1 * DAY_MS)
#define EXPIRED_KEPT_MS (30 * DAY_MS)
// The longest expiry band plus what an agreement may take.
#define RELEASE_KEPT_MS (EXPIRES_MS_MAX + REVEAL_MS_DEFAULT)

static void *allocate(size_t bytes)
{
	void *memory = calloc(1, bytes);

	assert(memory != NULL);
	return memory;
}

// Appends `item` to a repeated field.
static void append(void ***list, size_t *count, void *item)
{
	*list = realloc(*list, (*count + 1) * sizeof(**list));
	assert(*list != NULL);
	(*list)[(*count)++] = item;
}

static void remove_at(void **list, size_t *count, size_t index)
{
	protobuf_c_message_free_unpacked(list[index], NULL);
	memmove(list + index, list + index + 1, (*count - index - 1) * sizeof(*list));
	(*count)--;
}

#define DEFINE_ADD(name, type, init, list)                                                                             \
	type *home_add_##name(Oyez__VendorHome *state)                                                                     \
	{                                                                                                                  \
		type *item = allocate(sizeof(*item));                                                                          \
                                                                                                                       \
		init(item);                                                                                                    \
		append((void ***)&state->list, &state->n_##list, item);                                                        \
		return item;                                                                                                   \
	}
DEFINE_ADD(subscription, Oyez__HomeSubscription, oyez__home_subscription__init, subscriptions)
DEFINE_ADD(release, Oyez__HomeRelease, oyez__home_release__init, releases)
DEFINE_ADD(question, Oyez__HomeQuestion, oyez__home_question__init, questions)
DEFINE_ADD(offer, Oyez__HomeOffer, oyez__home_offer__init, offers)
DEFINE_ADD(deal, Oyez__HomeDeal, oyez__home_deal__init, deals)
DEFINE_ADD(pending, Oyez__HomePending, oyez__home_pending__init, pending)

#define DEFINE_REMOVE(name, type, list)                                                                                \
	void home_remove_##name(Oyez__VendorHome *state, const type *which)                                                \
	{                                                                                                                  \
		for (size_t i = 0; i < state->n_##list; i++) {                                                                 \
			if (state->list[i] == which) {                                                                             \
				remove_at((void **)state->list, &state->n_##list, i);                                                  \
				return;                                                                                                \
			}                                                                                                          \
		}                                                                                                              \
	}
DEFINE_REMOVE(subscription, Oyez__HomeSubscription, subscriptions)
DEFINE_REMOVE(question, Oyez__HomeQuestion, questions)
DEFINE_REMOVE(pending, Oyez__HomePending, pending)

// Newest first: what is looked for was mostly added lately.
#define DEFINE_FIND(name, type, list)                                                                                  \
	type *home_##name(const Oyez__VendorHome *state, const struct id *id)                                              \
	{                                                                                                                  \
		for (size_t i = state->n_##list; i-- > 0;) {                                                                   \
			if (home_is_id(&state->list[i]->id, id))                                                                   \
				return state->list[i];                                                                                 \
		}                                                                                                              \
		return NULL;                                                                                                   \
	}
DEFINE_FIND(subscription, Oyez__HomeSubscription, subscriptions)
DEFINE_FIND(question, Oyez__HomeQuestion, questions)
DEFINE_FIND(offer, Oyez__HomeOffer, offers)
DEFINE_FIND(deal, Oyez__HomeDeal, deals)

Oyez__HomeRelease *home_release(const Oyez__VendorHome *state, const struct release_id *id)
{
	for (size_t i = state->n_releases; i-- > 0;) {
		const ProtobufCBinaryData *field = &state->releases[i]->id;

		if (field->len == RELEASE_ID_BYTES && memcmp(field->data, id->bytes, RELEASE_ID_BYTES) == 0)
			return state->releases[i];
	}
	return NULL;
}

Oyez__HomePending *home_pending(const Oyez__VendorHome *state, Oyez__HomePendingKind kind, const struct id *id)
{
	for (size_t i = 0; i < state->n_pending; i++) {
		if (state->pending[i]->kind == kind && (id == NULL || home_is_id(&state->pending[i]->object_id, id)))
			return state->pending[i];
	}
	return NULL;
}

void home_set_bytes(ProtobufCBinaryData *field, const void *bytes, size_t count)
{
	uint8_t *copy = NULL;

	if (count > 0) {
		copy = allocate(count);
		memcpy(copy, bytes, count);
	}
	free(field->data);
	field->data = copy;
	field->len = count;
}

void home_set_text(char **field, const char *text)
{
	char *copy = strdup(text);

	assert(copy != NULL);
	if (*field != protobuf_c_empty_string)
		free(*field);
	*field = copy;
}

void home_set_pair(ProtobufCBinaryData *field, const struct hpke_pair *pair)
{
	uint8_t bytes[2 * KEY_BYTES];

	memcpy(bytes, pair->secret_key, KEY_BYTES);
	memcpy(bytes + KEY_BYTES, pair->public_key, KEY_BYTES);
	home_set_bytes(field, bytes, sizeof(bytes));
}

bool home_get_pair(const ProtobufCBinaryData *field, struct hpke_pair *pair)
{
	if (field->len != 2 * KEY_BYTES)
		return false;
	memcpy(pair->secret_key, field->data, KEY_BYTES);
	memcpy(pair->public_key, field->data + KEY_BYTES, KEY_BYTES);
	return true;
}

static bool same_bytes(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static bool offer_has_deal(const Oyez__VendorHome *state, const Oyez__HomeOffer *offer)
{
	for (size_t i = 0; i < state->n_deals; i++) {
		if (same_bytes(&state->deals[i]->offer_id, &offer->id))
			return true;
	}
	return false;
}

static bool offer_is_over(const Oyez__VendorHome *state, const Oyez__HomeOffer *offer, uint64_t now_ms)
{
	uint64_t over_at_ms = offer->valid_until_ms + EXPIRED_KEPT_MS;

	// A refused offer never reached a customer; the others may still be accepted by an agreement on its way.
	if (offer->end == OYEZ__HOME_OFFER_END__HOME_OFFER_REFUSED)
		over_at_ms = offer->made_at_ms + ENDED_KEPT_MS;
	return now_ms > over_at_ms && !offer_has_deal(state, offer);
}

static bool release_is_used(const Oyez__VendorHome *state, const Oyez__HomeRelease *release)
{
	for (size_t i = 0; i < state->n_offers; i++) {
		if (same_bytes(&state->offers[i]->release_id, &release->id))
			return true;
	}
	for (size_t i = 0; i < state->n_questions; i++) {
		if (same_bytes(&state->questions[i]->release_id, &release->id))
			return true;
	}
	for (size_t i = 0; i < state->n_deals; i++) {
		if (same_bytes(&state->deals[i]->release_id, &release->id))
			return true;
	}
	return false;
}

static bool release_is_over(const Oyez__HomeRelease *release, uint64_t now_ms)
{
	return now_ms > release->at_ms + (release->gone != 0 ? ENDED_KEPT_MS : RELEASE_KEPT_MS);
}

static void prune_offers(Oyez__VendorHome *state, uint64_t now_ms)
{
	for (size_t i = state->n_offers; i-- > 0;) {
		if (offer_is_over(state, state->offers[i], now_ms))
			remove_at((void **)state->offers, &state->n_offers, i);
	}
	for (size_t i = state->n_questions; i-- > 0;) {
		if (now_ms > state->questions[i]->made_at_ms + RELEASE_KEPT_MS)
			remove_at((void **)state->questions, &state->n_questions, i);
	}
}

void vendor_home_prune(Oyez__VendorHome *state, uint64_t now_ms)
{
	size_t excess = state->n_releases > HOME_RELEASES_MAX ? state->n_releases - HOME_RELEASES_MAX : 0;
	size_t kept = 0;

	prune_offers(state, now_ms);
	for (size_t i = 0; i < state->n_releases; i++) {
		Oyez__HomeRelease *release = state->releases[i];

		if ((excess > 0 || release_is_over(release, now_ms)) && !release_is_used(state, release)) {
			excess -= excess > 0;
			protobuf_c_message_free_unpacked(&release->base, NULL);
			continue;
		}
		state->releases[kept++] = release;
	}
	state->n_releases = kept;
}
