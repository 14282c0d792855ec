// The wallets of the simulated people. To the broker they are customers like all others: nothing here goes past oyez.h.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "clients/bot/crowd.h"

struct wallet_note {
	struct oyez_customer *customer;
};

struct crowd {
	struct crowd_options options;
	const struct people *people;
	struct dice *dice;
	struct wallet_note *wallets;
	size_t opened, next_look;
	struct crowd_numbers numbers;
};

static enum err fail_io(struct oyez_error *error, const char *path)
{
	error->code = ERR_IO;
	snprintf(error->detail, sizeof error->detail, "%.180s: %s", path, strerror(errno));
	return ERR_IO;
}

static enum err open_one(struct crowd *crowd, size_t number, struct oyez_error *error)
{
	char home[512];
	const struct crowd_options *options = &crowd->options;
	struct wallet_note *note = &crowd->wallets[number];
	snprintf(home, sizeof home, "%s/wallet-%04zu", options->home, number);
	enum err err = oyez_wallet_create(home, "", error);
	if (err && err != ERR_WALLET_EXISTS)
		return err;
	err = oyez_customer_open(home, "", options->broker, &note->customer, error);
	if (!err && options->guardian)
		err = oyez_customer_set_guardian(note->customer, options->guardian, error);
	return err;
}

enum err crowd_new(const struct crowd_options *options, const struct people *people, struct dice *dice,
                   struct crowd **out, struct oyez_error *error)
{
	struct crowd *crowd = calloc(1, sizeof *crowd);
	if (!crowd || !(crowd->wallets = calloc(options->wallets, sizeof *crowd->wallets)))
		abort();
	crowd->options = *options;
	crowd->people = people;
	crowd->dice = dice;
	*out = crowd;
	if (mkdir(options->home, 0700) != 0 && errno != EEXIST)
		return fail_io(error, options->home);
	// The others are opened when they first want something.
	crowd->opened = 1;
	return open_one(crowd, 0, error);
}

void crowd_free(struct crowd *crowd)
{
	if (!crowd)
		return;
	for (size_t i = 0; i < crowd->options.wallets; i++)
		if (crowd->wallets[i].customer)
			oyez_customer_close(crowd->wallets[i].customer);
	free(crowd->wallets);
	free(crowd);
}

const struct crowd_numbers *crowd_numbers(const struct crowd *crowd)
{
	return &crowd->numbers;
}

enum err crowd_check_demo(struct crowd *crowd, struct oyez_error *error)
{
	bool demo;
	enum err err = oyez_demo(crowd->wallets[0].customer, &demo, error);
	if (err || demo)
		return err;
	error->code = ERR_USAGE;
	snprintf(error->detail, sizeof error->detail,
	         "this broker does not announce a demonstration (demo: on); simulated callers would deceive its people");
	return ERR_USAGE;
}

// ---- what they do

enum err crowd_post(struct crowd *crowd, struct oyez_error *error)
{
	size_t number = dice_below(crowd->dice, crowd->options.wallets);
	struct wallet_note *note = &crowd->wallets[number];
	enum err err = note->customer ? ERR_OK : open_one(crowd, number, error);
	if (err)
		return err;
	struct oyez_want want;
	json_t *result = NULL;
	people_want(crowd->people, crowd->dice, &want);
	if (crowd->options.patience_ms)
		want.patience_ms = crowd->options.patience_ms;
	if (crowd->options.expires_ms)
		want.expires_in_ms = crowd->options.expires_ms;
	if (crowd->options.has_coarsest)
		want.coarsest_step = crowd->options.coarsest;
	err = oyez_post(note->customer, &want, &result, error);
	json_decref(result);
	crowd->numbers.posts += !err;
	crowd->numbers.refused += err != ERR_OK;
	return err;
}

static bool is_open(const json_t *intent)
{
	const char *status = json_string_value(json_object_get(intent, "status"));
	return status && (strcmp(status, "waiting") == 0 || strcmp(status, "released") == 0);
}

static void accept_one(struct crowd *crowd, struct oyez_customer *customer, const char *intent)
{
	json_t *offers = NULL, *result = NULL;
	if (oyez_offers(customer, intent, "price", &offers, NULL) == ERR_OK && json_array_size(offers) > 0) {
		const char *offer = json_string_value(json_object_get(json_array_get(offers, 0), "offer"));
		if (offer && oyez_accept(customer, offer, people_card(crowd->dice), NULL, NULL, &result, NULL) == ERR_OK)
			crowd->numbers.accepted++;
		else
			crowd->numbers.problems++;
	}
	json_decref(result);
	json_decref(offers);
}

// Looks at one intent as a person would: takes an offer, loses interest, or leaves it for later.
static void consider(struct crowd *crowd, struct oyez_customer *customer, const json_t *intent)
{
	const char *id = json_string_value(json_object_get(intent, "intent"));
	json_int_t offers = json_integer_value(json_object_get(intent, "offers"));
	if (!id || !is_open(intent))
		return;
	crowd->numbers.offers_seen += (uint64_t)offers;
	if (offers > 0 && dice_chance(crowd->dice, crowd->options.accept)) {
		accept_one(crowd, customer, id);
	} else if (dice_chance(crowd->dice, crowd->options.withdraw)) {
		json_t *result = NULL;
		if (oyez_withdraw(customer, id, &result, NULL) == ERR_OK)
			crowd->numbers.withdrawn++;
		json_decref(result);
	}
}

void crowd_look(struct crowd *crowd)
{
	for (size_t tried = 0; tried < crowd->options.wallets; tried++) {
		size_t number = crowd->next_look++ % crowd->options.wallets;
		struct oyez_customer *customer = crowd->wallets[number].customer;
		json_t *intents = NULL, *intent;
		size_t i;
		if (!customer)
			continue;
		if (oyez_sync(customer, NULL, 0, NULL, NULL) != ERR_OK)
			crowd->numbers.problems++;
		else if (oyez_intents(customer, &intents, NULL) == ERR_OK)
			json_array_foreach(intents, i, intent) consider(crowd, customer, intent);
		json_decref(intents);
		return;
	}
}
