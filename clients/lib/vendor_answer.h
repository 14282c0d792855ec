// What a bot's program answers, one JSON object a line:
//   {"type":"offer","release":"..","price":"189.00","currency":"EUR","delivery_days":3,...}
//   {"type":"details","release":".."}   {"type":"ask","release":"..","text":".."}
//   {"type":"pass","release":"..","reason":".."}   {"type":"countersign","deal":".."}
// Only the form is checked here; whether the release still stands is the caller's question.
#ifndef OYEZ_CLIENT_VENDOR_ANSWER_H
#define OYEZ_CLIENT_VENDOR_ANSWER_H

#include "oyez_vendor.h"

enum answer_kind { ANSWER_OFFER, ANSWER_DETAILS, ANSWER_ASK, ANSWER_PASS, ANSWER_COUNTERSIGN };

struct answer {
	enum answer_kind kind;
	struct release_id release; // all but COUNTERSIGN
	struct id deal;            // COUNTERSIGN
	struct oyez_offer offer;   // OFFER
	const char *text;          // ASK: the question; PASS: the reason, may be ""
	const char *unknown;       // a field's name nobody asked for, NULL if there is none: perhaps a slip of the pen
	json_t *json;              // owns the strings
};

// ERR_BAD_MESSAGE (not a JSON object), ERR_MISSING_FIELD, ERR_BAD_VALUE, ERR_BAD_AMOUNT, ...; the detail names the
// field.
enum err answer_parse(const char *line, size_t bytes, struct answer *out, struct oyez_error *error);
void answer_fini(struct answer *answer);

// The offer's fields out of a JSON object: amounts as strings, numbers or {"amount","currency"}; `valid` as "3d";
// `needs` as an array or "name,address". The strings of *out live as long as `object`, which is changed.
enum err offer_from_json(json_t *object, struct oyez_offer *out, struct oyez_error *error);

#endif
