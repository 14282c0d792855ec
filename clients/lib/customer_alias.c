// Aliases: an e-mail address of its own for each deal, so that a leak names the deal it came from. The pattern is the
// person's (a catch-all domain, a forwarding service); the random part nobody guesses, so nobody can frame a vendor.
#include <ctype.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clients/lib/customer.h"
#include "clients/lib/view.h"

enum { LOCAL_BYTES_MAX = 64, LABEL_BYTES_MAX = 63 };

// 32 letters and digits; those that are taken for others (i, l, o, u) are not among them.
static const char LETTERS[] = "0123456789abcdefghjkmnpqrstvwxyz";
_Static_assert(sizeof(LETTERS) == 33, "five bits a letter");

// ---- the pattern

static bool local_valid(const char *local, size_t bytes)
{
	if (bytes == 0 || bytes - 1 + ALIAS_RANDOM_LETTERS > LOCAL_BYTES_MAX || local[0] == '.' || local[bytes - 1] == '.')
		return false;
	for (size_t i = 0; i < bytes; i++) {
		if (!isalnum((unsigned char)local[i]) && !strchr("*+-._", local[i]))
			return false;
		if (i && local[i] == '.' && local[i - 1] == '.')
			return false;
	}
	return true;
}

static bool domain_valid(const char *domain)
{
	size_t label = 0, dots = 0;
	for (const char *at = domain; *at; at++) {
		if (*at == '.') {
			if (label == 0 || at[-1] == '-')
				return false;
			label = 0;
			dots++;
		} else if (!isalnum((unsigned char)*at) && (*at != '-' || label == 0)) {
			return false;
		} else if (++label > LABEL_BYTES_MAX) {
			return false;
		}
	}
	return dots > 0 && label > 0 && domain[strlen(domain) - 1] != '-';
}

enum err alias_pattern_check(const char *pattern, struct oyez_error *error)
{
	const char *at = strchr(pattern, '@'), *star = strchr(pattern, '*');
	if (!at || !star || star > at || strchr(at + 1, '@') || strchr(star + 1, '*'))
		return oyez_error_set(
		    error, ERR_BAD_VALUE,
		    "a pattern is an address with one * before the @, such as *@me.example or ann+*@example.org");
	if (!local_valid(pattern, (size_t)(at - pattern)) || !domain_valid(at + 1) ||
	    strlen(pattern) - 1 + ALIAS_RANDOM_LETTERS > ALIAS_BYTES_MAX)
		return oyez_error_set(error, ERR_BAD_VALUE, "%.120s is no e-mail address", pattern);
	return ERR_OK;
}

void alias_make(const char *pattern, char out[ALIAS_BYTES_MAX + 1])
{
	uint8_t random[ALIAS_RANDOM_LETTERS];
	randombytes_buf(random, sizeof(random));
	char *to = out;
	for (const char *at = pattern; *at; at++) {
		if (*at != '*') {
			*to++ = (char)tolower((unsigned char)*at);
			continue;
		}
		for (size_t i = 0; i < sizeof(random); i++)
			*to++ = LETTERS[random[i] % 32]; // 256 is a multiple of 32: no letter is likelier
	}
	*to = 0;
}

enum err oyez_alias_pattern(struct oyez_customer *customer, json_t **out, struct oyez_error *error)
{
	*out = NULL;
	enum err err = wallet_load(customer->wallet, error);
	if (err)
		return err;
	const char *pattern = wallet_records(customer->wallet)->alias_pattern;
	*out = json_pack("{s:o}", "pattern", *pattern ? json_text(pattern) : json_null());
	return ERR_OK;
}

enum err oyez_alias_set_pattern(struct oyez_customer *customer, const char *pattern, struct oyez_error *error)
{
	enum err err = *pattern ? alias_pattern_check(pattern, error) : ERR_OK;
	if (!err)
		err = wallet_begin(customer->wallet, error);
	if (err)
		return err;
	field_set_text(&wallet_records(customer->wallet)->alias_pattern, pattern);
	return wallet_commit(customer->wallet, error);
}

// ---- into the card

static bool named(const char *fields, const char *name)
{
	size_t bytes = strlen(name);
	for (const char *at = fields; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
		if (strcspn(at, ",") == bytes && strncmp(at, name, bytes) == 0)
			return true;
	}
	return false;
}

static bool needed(char *const *needs, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(needs[i], name) == 0)
			return true;
	}
	return false;
}

enum err alias_into_card(const char *card, const char *fields, char *const *needs, size_t need_count, const char *alias,
                         char **out, char **out_fields, bool *used, struct oyez_error *error)
{
	*out = NULL;
	*out_fields = NULL;
	*used = false;
	json_t *parsed = json_loads(card, JSON_REJECT_DUPLICATES, NULL);
	bool wanted = parsed && json_is_object(parsed) &&
	              (fields ? named(fields, "email")
	                      : json_object_get(parsed, "email") || need_count == 0 || needed(needs, need_count, "email"));
	if (!wanted) { // no card, or no e-mail given: card_select says what is wrong with it
		json_decref(parsed);
		return ERR_OK;
	}
	json_object_set_new(parsed, "email", json_string(alias));
	json_object_set_new(parsed, "alias", json_string(alias));
	*out = json_dumps(parsed, JSON_COMPACT);
	json_decref(parsed);
	if (!*out)
		return oyez_error_set(error, ERR_NO_MEMORY, NULL);
	if (fields && asprintf(out_fields, "%s,alias", fields) < 0)
		abort();
	*used = true;
	return ERR_OK;
}

// ---- whose was it?

// "<Ann+X7K@Example.org>" -> "ann+x7k@example.org"
static void normalise(const char *text, char out[ALIAS_BYTES_MAX + 1])
{
	while (isspace((unsigned char)*text) || *text == '<')
		text++;
	if (strncasecmp(text, "mailto:", 7) == 0)
		text += 7;
	size_t bytes = strlen(text);
	while (bytes && (isspace((unsigned char)text[bytes - 1]) || text[bytes - 1] == '>'))
		bytes--;
	if (bytes > ALIAS_BYTES_MAX)
		bytes = ALIAS_BYTES_MAX;
	for (size_t i = 0; i < bytes; i++)
		out[i] = (char)tolower((unsigned char)text[i]);
	out[bytes] = 0;
}

static bool alias_is(const char *alias, const char *asked)
{
	size_t local = strcspn(alias, "@");
	return *alias && (strcmp(alias, asked) == 0 || (strlen(asked) == local && strncmp(alias, asked, local) == 0));
}

static json_t *who_json(struct oyez_customer *customer, const Oyez__Wallet__Deal *deal)
{
	static const char proof[] =
	    "the random part was made for this deal and given to this vendor alone, so a message to "
	    "it comes from this vendor or from whoever had it from this vendor; it does not prove "
	    "which of them";
	Oyez__Agreement *agreement = agreement_of(deal);
	json_t *object = json_object();
	json_object_set_new(object, "alias", json_text(deal->alias));
	json_object_set_new(object, "deal", json_binary(&deal->id));
	json_object_set_new(object, "vendor", json_binary(&deal->vendor_id));
	json_object_set_new(object, "vendor_name", json_text(deal->vendor_name));
	json_object_set_new(object, "vendor_url", json_text(deal->vendor_url));
	json_object_set_new(object, "since", json_time(deal->revealed_at_ms));
	json_object_set_new(object, "terms", json_text(deal->terms));
	json_object_set_new(object, "terms_version", json_integer(deal->terms_version));
	json_object_set_new(object, "terms_iri", agreement ? json_text(agreement->terms_iri) : json_null());
	json_object_set_new(object, "until",
	                    json_time(deal->revealed_at_ms ? deal->revealed_at_ms + deal->retention_days * DAY_MS : 0));
	json_object_set_new(object, "given", json_boolean(deal->revealed_at_ms > 0));
	json_object_set_new(object, "erasure", erasure_json(deal, customer_now_ms(customer)));
	json_object_set_new(object, "proves",
	                    json_string(deal->revealed_at_ms ? proof : "nothing: this alias never left the wallet"));
	if (agreement)
		oyez__agreement__free_unpacked(agreement, NULL);
	return object;
}

enum err oyez_who(struct oyez_customer *customer, const char *alias, json_t **out, struct oyez_error *error)
{
	*out = NULL;
	enum err err = wallet_load(customer->wallet, error);
	if (err)
		return err;
	char asked[ALIAS_BYTES_MAX + 1];
	normalise(alias, asked);
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	for (size_t i = 0; i < file->n_deals; i++) {
		if (!alias_is(file->deals[i]->alias, asked))
			continue;
		*out = who_json(customer, file->deals[i]);
		return ERR_OK;
	}
	return oyez_error_set(error, ERR_NOT_FOUND, "no deal of this wallet has the alias %.120s", asked);
}
