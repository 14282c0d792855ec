// What a table of offers has no room for and a person should know before accepting: other terms than asked for, and an
// address that its vendor's own site denies.
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "clients/cli/commands.h"
#include "clients/cli/customer_cli.h"

static void say_words(struct cli *cli, const char *english, const char *french, const json_t *words)
{
	size_t i;
	json_t *word;
	if (json_array_size(words) == 0)
		return;
	printf("    %s%s ", cli_word(cli, english, french), cli_word(cli, ":", " :"));
	json_array_foreach(words, i, word) printf("%s%s", i ? "; " : "", cli_term_word(cli, json_string_value(word)));
	printf("\n");
}

void counter_say(struct cli *cli, const json_t *counter)
{
	const char *terms = json_string_value(json_object_get(counter, "terms"));
	const char *asked = json_string_value(json_object_get(counter, "asked"));
	cli_say(cli, "    other terms: %s instead of %s. %s", "    autres conditions : %s au lieu de %s. %s", terms, asked,
	        json_string_value(json_object_get(counter, cli->french ? "summary_fr" : "summary_en")));
	say_words(cli, "also for", "aussi pour", json_object_get(counter, "purposes_more"));
	say_words(cli, "not for", "pas pour", json_object_get(counter, "purposes_less"));
	say_words(cli, "also given to", "données aussi à", json_object_get(counter, "recipients_more"));
	say_words(cli, "not given to", "pas données à", json_object_get(counter, "recipients_less"));
	cli_say(cli, "    kept %lld days after the deal instead of %lld",
	        "    gardées %lld jours après l'affaire au lieu de %lld",
	        (long long)json_integer_value(json_object_get(counter, "retention_days")),
	        (long long)json_integer_value(json_object_get(counter, "retention_days_asked")));
	cli_say(cli, "    To read it: oyez terms %s. To agree: oyez accept ... --terms %s.",
	        "    Pour le lire : oyez terms %s. Pour l'accepter : oyez accept ... --terms %s.", terms, terms);
}

json_t *offers_noted(struct cli *cli, json_t *offers)
{
	size_t i;
	json_t *offer;
	json_array_foreach(offers, i, offer)
	{
		const json_t *counter = json_object_get(offer, "counter_terms");
		const char *checked = json_string_value(json_object_get(offer, "vendor_checked"));
		if (json_is_object(counter)) {
			cli_say(cli, "Offer %s by %s asks for", "L'offre %s de %s demande", short_id(offer, "offer"),
			        text_of(offer, "vendor_name"));
			counter_say(cli, counter);
		}
		if (checked && strcmp(checked, "denies") == 0)
			cli_say(cli, "Offer %s: %s says that it is not this vendor. Accepting is refused.",
			        "Offre %s : %s dit n'être pas ce vendeur. L'accepter est refusé.", short_id(offer, "offer"),
			        text_of(offer, "vendor_url"));
	}
	return offers;
}
