// oyez vendor init, register, show: who the vendor is, and what the broker says of it.
#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/cli/vendor_cli.h"
#include "clients/cli/vendor_commands.h"
#include "clients/lib/view.h"
#include "proto/terms.h"

static const char *status_word(Oyez__VendorStatus status)
{
	switch (status) {
	case OYEZ__VENDOR_STATUS__VENDOR_PENDING:
		return "pending";
	case OYEZ__VENDOR_STATUS__VENDOR_APPROVED:
		return "approved";
	case OYEZ__VENDOR_STATUS__VENDOR_SUSPENDED:
		return "suspended";
	default:
		return "unregistered";
	}
}

static json_t *profile_json(struct oyez_vendor *vendor)
{
	struct oyez_vendor_profile profile = oyez_vendor_profile(vendor);
	struct id id = oyez_vendor_identity(vendor);
	json_t *object = json_object(), *terms = json_array();

	for (size_t i = 0; i < profile.term_count; i++)
		json_array_append_new(terms, json_text(profile.terms[i]));
	json_object_set_new(object, "vendor", json_hex(id.bytes, ID_BYTES));
	json_object_set_new(object, "name", json_text(profile.name));
	json_object_set_new(object, "url", json_text(profile.url));
	json_object_set_new(object, "country", json_text(profile.country));
	json_object_set_new(object, "terms", terms);
	return object;
}

// ---- init

static int make(struct cli *cli, const struct oyez_vendor_profile *profile)
{
	char *passphrase = cli_passphrase(cli, true);
	const struct oyez_vendor_options options = {.home = cli->home, .broker = cli->broker, .passphrase = passphrase};
	struct oyez_error error = {0};
	struct oyez_vendor *vendor = NULL;
	enum err err = oyez_vendor_init(&options, profile, &error);

	if (err == ERR_OK)
		err = oyez_vendor_open(&options, &vendor, &error);
	sodium_memzero(passphrase, strlen(passphrase));
	free(passphrase);
	if (err != ERR_OK)
		return cli_fail(cli, &error);
	cli_object(cli, profile_json(vendor));
	cli_say(cli, "Next: oyez vendor register", "Ensuite : oyez vendor register");
	oyez_vendor_close(vendor);
	return EXIT_DONE;
}

int vendor_init_run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"name", required_argument, NULL, 'n'},
	                                        {"url", required_argument, NULL, 'u'},
	                                        {"country", required_argument, NULL, 'c'},
	                                        {"terms", required_argument, NULL, 't'},
	                                        {NULL, 0, NULL, 0}};
	const char *terms[TERMS_MAX];
	char country[3] = "";
	struct oyez_vendor_profile profile = {.terms = terms};
	int option;

	optind = 0;
	while ((option = cli_getopt(cli, argc, argv, options)) != -1) {
		if (option == CLI_BAD_OPTION)
			return EXIT_USAGE;
		if (option == 'n')
			profile.name = optarg;
		else if (option == 'u')
			profile.url = optarg;
		else if (option == 'c')
			profile.country = optarg;
		else if (profile.term_count == TERMS_MAX)
			return cli_usage(cli, cli->command, "--terms: %d", TERMS_MAX);
		else
			terms[profile.term_count++] = optarg;
	}
	if (!vendor_words(cli, argc, 0))
		return EXIT_USAGE;
	if (!profile.name || !profile.url || !profile.country)
		return cli_usage(
		    cli, cli->command, "%s",
		    cli_word(cli, "--name, --url and --country are needed", "--name, --url et --country sont nécessaires"));
	if (strncmp(profile.url, "https://", 8) != 0 && strncmp(profile.url, "http://", 7) != 0)
		return cli_usage(cli, cli->command, "--url %s: https://...", profile.url);
	if (strlen(profile.country) == 2) {
		country[0] = (char)toupper((unsigned char)profile.country[0]);
		country[1] = (char)toupper((unsigned char)profile.country[1]);
		profile.country = country;
	}
	// Every intent asks for terms; who agrees to none hears nothing.
	if (profile.term_count == 0 && terms_at(0))
		terms[profile.term_count++] = terms_at(0)->id;
	return make(cli, &profile);
}

// ---- register, show

static json_t *standing_json(const Oyez__Standing *standing)
{
	static const char *const checks[] = {"unchecked", "confirmed", "silent", "denies"};
	json_t *object = json_object();
	const struct {
		const char *name;
		uint32_t value;
	} numbers[] = {{"offers", standing->offers},
	               {"accepted", standing->accepted},
	               {"concluded", standing->concluded},
	               {"lapsed_by_fault", standing->lapsed_by_fault},
	               {"erasures_asked", standing->erasures_asked},
	               {"erasures_in_time", standing->erasures_in_time},
	               {"erasures_late", standing->erasures_late},
	               {"ratings", standing->ratings}};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		json_object_set_new(object, numbers[i].name, json_integer(numbers[i].value));
	json_object_set_new(object, "rating",
	                    standing->ratings ? json_real((double)(standing->stars * UINT64_C(10) / standing->ratings) / 10) : json_null());
	if ((size_t)standing->url_check < sizeof(checks) / sizeof(*checks))
		json_object_set_new(object, "url_check", json_string(checks[standing->url_check]));
	json_object_set_new(object, "at", json_time(standing->at_ms));
	return object;
}

static int tell_status(struct cli *cli, struct oyez_vendor *vendor, Oyez__VendorStatus status,
                       const Oyez__Standing *standing)
{
	json_t *object = profile_json(vendor);

	json_object_set_new(object, "status", json_string(status_word(status)));
	json_object_set_new(object, "broker", json_text(oyez_vendor_broker_hex(vendor)));
	if (standing)
		json_object_set_new(object, "standing", standing_json(standing));
	cli_object(cli, object);
	if (status == OYEZ__VENDOR_STATUS__VENDOR_PENDING)
		cli_say(cli, "The operator has to approve this vendor first.",
		        "L'exploitant doit d'abord accepter ce vendeur.");
	return EXIT_DONE;
}

int vendor_register_run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{NULL, 0, NULL, 0}};
	struct oyez_error error = {0};
	Oyez__VendorStatus status;
	int code = EXIT_DONE;

	optind = 0;
	if (cli_getopt(cli, argc, argv, options) == CLI_BAD_OPTION || !vendor_words(cli, argc, 0))
		return EXIT_USAGE;
	struct oyez_vendor *vendor = vendor_open(cli, &code);
	if (!vendor)
		return code;
	code = oyez_vendor_register(vendor, &status, &error) ? cli_fail(cli, &error) : tell_status(cli, vendor, status, NULL);
	oyez_vendor_close(vendor);
	return code;
}

int vendor_show_run(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{NULL, 0, NULL, 0}};
	struct oyez_error error = {0};
	Oyez__VendorStatus status;
	Oyez__Standing *standing = NULL;
	int code = EXIT_DONE;

	optind = 0;
	if (cli_getopt(cli, argc, argv, options) == CLI_BAD_OPTION || !vendor_words(cli, argc, 0))
		return EXIT_USAGE;
	struct oyez_vendor *vendor = vendor_open(cli, &code);
	if (!vendor)
		return code;
	enum err err = oyez_vendor_show(vendor, &status, &standing, &error);
	if (err == ERR_VENDOR_UNKNOWN || err == ERR_VENDOR_PENDING || err == ERR_VENDOR_SUSPENDED) {
		// What the home says is worth showing whatever the broker thinks of it.
		status = err == ERR_VENDOR_PENDING     ? OYEZ__VENDOR_STATUS__VENDOR_PENDING
		         : err == ERR_VENDOR_SUSPENDED ? OYEZ__VENDOR_STATUS__VENDOR_SUSPENDED
		                                       : OYEZ__VENDOR_STATUS__VENDOR_UNKNOWN;
		err = ERR_OK;
	}
	code = err ? cli_fail(cli, &error) : tell_status(cli, vendor, status, standing);
	if (standing)
		oyez__standing__free_unpacked(standing, NULL);
	oyez_vendor_close(vendor);
	return code;
}
