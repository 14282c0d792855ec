// Events as the feed and the inbox give them, and the JSON that people's programs see (the contract of `oyez vendor
// watch`, `inbox` and `oyez bot`).
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/vendor_internal.h"
#include "clients/lib/view.h"
#include "proto/values.h"

struct oyez_event *events_add(struct oyez_events *events)
{
	struct oyez_event *grown = realloc(events->items, (events->count + 1) * sizeof(*grown));

	assert(grown != NULL);
	events->items = grown;
	memset(&grown[events->count], 0, sizeof(*grown));
	return &grown[events->count++];
}

void event_fini(struct oyez_event *event)
{
	if (event->release != NULL)
		oyez__release__free_unpacked(event->release, NULL);
	free(event->text);
	json_decref(event->fields);
	json_decref(event->card);
	memset(event, 0, sizeof(*event));
}

void oyez_events_free(struct oyez_events *events)
{
	for (size_t i = 0; i < events->count; i++)
		event_fini(&events->items[i]);
	free(events->items);
	memset(events, 0, sizeof(*events));
}

void event_problem(struct oyez_event *event, enum err code, const char *detail)
{
	event->kind = OYEZ_EVENT_PROBLEM;
	vendor_fail(&event->problem, code, detail);
}

// ---- JSON

static const char *const facet_bit_names[] = {
    "category", "region", "budget", "needed_by",      "condition",    "quantity",      "fulfilment",
    "language", "terms",  "crowd",  "vendor_country", "vendor_terms", "vendor_rating",
};

const char *oyez_facet_bit_name(unsigned bit)
{
	return bit < sizeof(facet_bit_names) / sizeof(*facet_bit_names) ? facet_bit_names[bit] : NULL;
}

static void set_text(json_t *object, const char *name, const char *text)
{
	if (text && *text)
		json_object_set_new(object, name, json_text(text));
}

static void release_json(json_t *object, const struct oyez_event *event)
{
	json_t *maybe = json_array();

	json_add_release(object, event->release);
	for (unsigned bit = 0; oyez_facet_bit_name(bit) != NULL; bit++) {
		if (event->maybe & (1u << bit))
			json_array_append_new(maybe, json_string(oyez_facet_bit_name(bit)));
	}
	json_object_set_new(object, "maybe", maybe);
	if (event->demo)
		json_object_set_new(object, "demo", json_true());
}

static void agreement_json(json_t *object, const struct oyez_event *event)
{
	json_object_set_new(object, "countersign_by", json_time(event->countersign_by_ms));
	json_object_set_new(object, "reveal_by", json_time(event->reveal_by_ms));
	set_text(object, "terms", event->terms);
	if (event->fields != NULL)
		json_object_set(object, "fields", event->fields);
	json_object_set_new(object, "retention_days", json_integer(event->retention_days));
}

static void reveal_json(json_t *object, const struct oyez_event *event)
{
	json_t *alias = json_object_get(event->card, "alias");

	json_object_set(object, "card", event->card);
	json_object_set_new(object, "alias", json_is_string(alias) ? json_incref(alias) : json_null());
	set_text(object, "terms", event->terms);
	json_object_set_new(object, "retention_days", json_integer(event->retention_days));
}

static const char *event_type(enum oyez_event_kind kind)
{
	static const char *const types[] = {"release",  "gone",      "answer", "details",
	                                    "declined", "agreement", "reveal", "problem",
	                                    "message",  "erasure"};

	return types[kind];
}

json_t *oyez_event_json(const struct oyez_event *event)
{
	json_t *object = json_object();

	assert(object != NULL);
	set_text(object, "type", event_type(event->kind));
	set_text(object, "cursor", event->cursor);
	if (event->has_release_id)
		json_object_set_new(object, "release", json_hex(event->release_id.bytes, RELEASE_ID_BYTES));
	json_object_set_new(object, "at", json_time(event->at_ms));
	if (event->has_deal)
		json_object_set_new(object, "deal", json_hex(event->deal.bytes, ID_BYTES));
	if (event->has_offer)
		json_object_set_new(object, "offer", json_hex(event->offer.bytes, ID_BYTES));
	if (event->has_question)
		json_object_set_new(object, "question", json_hex(event->question.bytes, ID_BYTES));
	set_text(object, "reason", event->reason);
	if (event->kind == OYEZ_EVENT_RELEASE)
		release_json(object, event);
	else if (event->kind == OYEZ_EVENT_AGREEMENT)
		agreement_json(object, event);
	else if (event->kind == OYEZ_EVENT_REVEAL)
		reveal_json(object, event);
	else if (event->kind == OYEZ_EVENT_ERASURE)
		json_object_set_new(object, "answer_by", json_time(event->answer_by_ms));
	else if (event->kind == OYEZ_EVENT_DECLINED)
		set_text(object, "reason", event->text);
	else if (event->kind == OYEZ_EVENT_PROBLEM)
		json_object_set_new(object, "error",
		                    json_pack("{s:s, s:s, s:s, s:s}", "code", err_name(event->problem.code), "message",
		                              err_message(event->problem.code, 0), "hint", err_hint(event->problem.code, 0),
		                              "detail", event->problem.detail));
	else if (event->text != NULL)
		json_object_set_new(object, "text", json_text(event->text));
	return object;
}
