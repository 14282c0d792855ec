// What the runner does for its program; see the header.
#include "clients/bot/bot_deeds.h"

#include <stdlib.h>
#include <string.h>

#include "clients/lib/vendor_answer.h"
#include "clients/lib/view.h"
#include "proto/sign.h"
#include "proto/values.h"

enum { SEND_AGAIN_MS = 5000 };

static void complain_error(struct bot *bot, const char *line, const struct oyez_error *error)
{
	bot_complain(bot->cli, line, "%s: %s%s%s", cli_word(bot->cli, "line skipped", "ligne ignorée"),
	             err_message(error->code, bot->cli->french), *error->detail ? ": " : "", error->detail);
}

// ---- messages under way

static void remember(struct bot *bot, enum oyez_done_kind kind, const struct id *id, const char *did, json_t *told)
{
	bot->unsent = true;
	for (struct deed *known = bot->deeds; known; known = known->next) {
		if (known->kind == kind && id_equal(&known->id, id)) {
			json_decref(told);
			return;
		}
	}
	struct deed *deed = calloc(1, sizeof(*deed));
	if (!deed)
		abort();
	deed->kind = kind;
	deed->id = *id;
	deed->did = did;
	deed->told = told;
	deed->next = bot->deeds;
	bot->deeds = deed;
	bot->sends++;
}

static void refused(struct bot *bot, const char *what, json_t *told, const struct oyez_error *error)
{
	json_object_set_new(told, "what", json_string(what));
	json_object_set_new(told, "error",
	                    json_pack("{s:s, s:s, s:s}", "code", err_name(error->code), "message",
	                              err_message(error->code, bot->cli->french), "hint",
	                              err_hint(error->code, bot->cli->french)));
	if (*error->detail)
		json_object_set_new(told, "detail", json_text(error->detail));
	bot_did(bot->cli, "refused", told);
}

static bool will_be_sent_again(enum err err)
{
	return err == ERR_UNREACHABLE || err == ERR_TIMEOUT || err == ERR_BUSY || err == ERR_UNAVAILABLE ||
	       err == ERR_STOPPING || err == ERR_STORAGE_FULL || err == ERR_INTERNAL;
}

void deed_sent(struct bot *bot, const struct oyez_done *done)
{
	struct deed **link = &bot->deeds;

	if (done->result != ERR_OK && will_be_sent_again(done->result)) {
		bot_complain(bot->cli, done->error.detail, "%s", err_message(done->result, bot->cli->french));
		bot->send_at_ms = bot_now_ms() + SEND_AGAIN_MS;
		return;
	}
	while (*link && ((*link)->kind != done->kind || !id_equal(&(*link)->id, &done->object)))
		link = &(*link)->next;
	struct deed *deed = *link;
	if (!deed)
		return;
	*link = deed->next;
	bot->sends--;
	if (done->result == ERR_OK)
		bot_did(bot->cli, deed->did, deed->told);
	else
		refused(bot, deed->did, deed->told, &done->error);
	free(deed);
}

void deed_send(struct bot *bot)
{
	struct oyez_error error = {0};

	// Sent anew at once; what could not leave is tried again later. A queued message keeps the home locked until here.
	if (!bot->unsent && (bot->send_at_ms == 0 || bot_now_ms() < bot->send_at_ms))
		return;
	bot->unsent = false;
	bot->send_at_ms = 0;
	if (oyez_vendor_send_start(bot->vendor, &error) == ERR_OK)
		return;
	// The home could not be written, say: nothing was lost, the events stay unconfirmed.
	bot_complain(bot->cli, error.detail, "%s", err_message(error.code, bot->cli->french));
	bot->send_at_ms = bot_now_ms() + SEND_AGAIN_MS;
}

void deeds_fini(struct bot *bot)
{
	while (bot->deeds) {
		struct deed *next = bot->deeds->next;

		json_decref(bot->deeds->told);
		free(bot->deeds);
		bot->deeds = next;
	}
}

// ---- countersigning

static void countersign_deal(struct bot *bot, const struct id *deal, const struct release_id *release)
{
	struct oyez_error error = {0};
	bool known;
	json_t *told = json_pack("{s:o, s:o}", "release", json_hex(release->bytes, RELEASE_ID_BYTES), "deal",
	                         json_hex(deal->bytes, ID_BYTES));

	bot->unsent = true;
	if (oyez_vendor_countersign_queue(bot->vendor, deal, &known, &error))
		refused(bot, "countersign", told, &error);
	else if (known)
		json_decref(told);
	else
		remember(bot, OYEZ_DONE_COUNTERSIGN, deal, "countersign", told);
}

static void agreement(struct bot *bot, const struct oyez_event *event)
{
	if (!bot->ask_to_countersign)
		countersign_deal(bot, &event->deal, &event->release_id);
	else
		bot_did(bot->cli, "waiting",
		        json_pack("{s:o, s:o}", "deal", json_hex(event->deal.bytes, ID_BYTES), "countersign_by",
		                  json_time(event->countersign_by_ms)));
}

struct open_deals {
	struct oyez_deal *items;
	size_t count;
};

static void collect(const struct oyez_deal *deal, void *context)
{
	struct open_deals *open = context;

	if (strcmp(deal->state, "agreement") != 0)
		return;
	open->items = realloc(open->items, (open->count + 1) * sizeof(*open->items));
	if (!open->items)
		abort();
	open->items[open->count++] = *deal;
}

void deed_open_agreements(struct bot *bot)
{
	struct open_deals open = {0};
	struct oyez_error error = {0};

	if (bot->ask_to_countersign || oyez_vendor_deals(bot->vendor, collect, &open, &error))
		return;
	for (size_t i = 0; i < open.count; i++) {
		if (oyez_vendor_now_ms(bot->vendor) < open.items[i].countersign_by_ms)
			countersign_deal(bot, &open.items[i].id, &open.items[i].release);
	}
	free(open.items);
	deed_send(bot);
}

// ---- erasing

static void erasure(struct bot *bot, const struct oyez_event *event)
{
	struct oyez_error error = {0};
	json_t *told = json_pack("{s:o, s:o}", "deal", json_hex(event->deal.bytes, ID_BYTES), "answer_by",
	                         json_time(event->answer_by_ms));
	bool known;

	if (!bot->erase_at_once) {
		bot_did(bot->cli, "waiting", told);
		return;
	}
	bot->unsent = true;
	if (oyez_vendor_answer_erasure_queue(bot->vendor, &event->deal, NULL, &known, &error))
		refused(bot, "erased", told, &error);
	else if (known)
		json_decref(told);
	else
		bot_did(bot->cli, "erased", told);
}

// ---- events

static void tell_event(struct bot *bot, const struct oyez_event *event)
{
	json_t *full = oyez_event_json(event), *told = json_object();
	static const char *const shown[] = {"type", "release", "deal", "reason", "category", "region", "error"};

	// Neither texts nor cards: this goes to logs.
	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
		json_t *value = json_object_get(full, shown[i]);

		if (value)
			json_object_set(told, shown[i], value);
	}
	json_decref(full);
	bot_did(bot->cli, "received", told);
}

void deed_event(struct bot *bot, enum stream stream, const struct oyez_event *event)
{
	tell_event(bot, event);
	queue_add(&bot->queue, stream, event);
	if (event->kind == OYEZ_EVENT_GONE && event->has_release_id && !event->has_deal)
		queue_close_release(&bot->queue, &event->release_id, bot_now_ms());
	if (event->kind == OYEZ_EVENT_AGREEMENT)
		agreement(bot, event);
	if (event->kind == OYEZ_EVENT_ERASURE)
		erasure(bot, event);
	// The library has a receipt for it in the home.
	if (event->kind == OYEZ_EVENT_REVEAL)
		bot->unsent = true;
}

// ---- answers

static json_t *about(const struct answer *answer)
{
	return json_pack("{s:o}", "release", json_hex(answer->release.bytes, RELEASE_ID_BYTES));
}

static json_t *price_json(const struct oyez_offer *offer)
{
	char amount[32];

	if (offer->currency)
		return json_money(offer->price_e4, offer->currency);
	amount_format(offer->price_e4, "EUR", amount); // the library chooses the currency; two decimals do for a log
	return json_string(amount);
}

static void answer_offer(struct bot *bot, const struct answer *answer)
{
	struct oyez_error error = {0};
	struct id id;
	bool known;
	json_t *told = about(answer);
	enum err err = oyez_vendor_offer_queue(bot->vendor, &answer->release, &answer->offer, &id, &known, &error);

	bot->unsent = true; // also after a refusal: the home is locked until the next write
	if (err) {
		refused(bot, "offer", told, &error);
		return;
	}
	json_object_set_new(told, "offer", json_hex(id.bytes, ID_BYTES));
	json_object_set_new(told, "price", price_json(&answer->offer));
	if (known)
		bot_did(bot->cli, "offer", told);
	else
		remember(bot, OYEZ_DONE_OFFER, &id, "offer", told);
}

static void answer_question(struct bot *bot, const struct answer *answer)
{
	struct oyez_error error = {0};
	struct id id;
	bool known;
	const char *did = answer->kind == ANSWER_DETAILS ? "details" : "ask";
	json_t *told = about(answer);
	enum err err = oyez_vendor_ask_queue(bot->vendor, &answer->release, answer->text, &id, &known, &error);

	bot->unsent = true;
	if (err) {
		refused(bot, did, told, &error);
		return;
	}
	json_object_set_new(told, "question", json_hex(id.bytes, ID_BYTES));
	if (known)
		bot_did(bot->cli, did, told);
	else
		remember(bot, OYEZ_DONE_QUESTION, &id, did, told);
}

static void answer_pass(struct bot *bot, const struct answer *answer)
{
	json_t *told = about(answer);

	json_object_set_new(told, "reason", json_text(answer->text));
	bot_did(bot->cli, "pass", told);
}

static void late_answer(struct bot *bot, const struct answer *answer, const char *line)
{
	int gone;
	bool seen = oyez_vendor_release_state(bot->vendor, &answer->release, &gone);

	bot_complain(bot->cli, line, "%s: %s", cli_word(bot->cli, "line skipped", "ligne ignorée"),
	             !seen  ? cli_word(bot->cli, "no such release was given out", "aucune demande de ce numéro")
	             : gone ? cli_word(bot->cli, "too late, the release is gone", "trop tard, la demande a pris fin")
	                    : cli_word(bot->cli, "too late, or not asked for", "trop tard, ou non demandé"));
}

static void act(struct bot *bot, const struct answer *answer, const char *line)
{
	static const struct release_id unknown;

	if (answer->kind == ANSWER_COUNTERSIGN) {
		countersign_deal(bot, &answer->deal, &unknown);
		return;
	}
	if (!queue_answer(&bot->queue, &answer->release, bot_now_ms())) {
		late_answer(bot, answer, line);
		return;
	}
	bot->child.deaths = 0; // it works
	switch (answer->kind) {
	case ANSWER_OFFER:
		answer_offer(bot, answer);
		break;
	case ANSWER_PASS:
		answer_pass(bot, answer);
		break;
	default:
		answer_question(bot, answer);
		break;
	}
}

void deed_answer(struct bot *bot, const char *line, size_t bytes, bool too_long)
{
	struct answer answer;
	struct oyez_error error = {0};

	if (too_long) {
		bot_complain(bot->cli, line,
		             cli_word(bot->cli, "line skipped: longer than %d bytes", "ligne ignorée : plus de %d octets"),
		             LINE_BYTES_MAX);
		return;
	}
	if (line[strspn(line, " \t")] == '\0')
		return;
	if (answer_parse(line, bytes, &answer, &error)) {
		complain_error(bot, line, &error);
		return;
	}
	act(bot, &answer, line);
	answer_fini(&answer);
}
