// `oyez admin`: the operator's commands, over the socket in the broker's data folder.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clients/cli/admin.h"
#include "clients/lib/view.h"
#include "proto/sign.h"
#include "proto/values.h"

enum {
	ADMIN_DATA = 0x600,
	ADMIN_REASON,
	ADMIN_COUNT,
	ADMIN_VALID,
	ADMIN_VENDOR,
	ADMIN_FROM,
	ADMIN_TO,
	ADMIN_FIELDS,
	ADMIN_DEALS,
};
enum { PREFIX_DIGITS_MIN = 6 };
#define SOCKET_NAME "oyezd.ipc"

// Where oyezd keeps its data when nobody says otherwise.
static void data_default(char path[400])
{
	const char *share = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	if (geteuid() == 0)
		snprintf(path, 400, "/var/lib/oyezd");
	else if (share && *share)
		snprintf(path, 400, "%s/oyezd", share);
	else
		snprintf(path, 400, "%s/.local/share/oyezd", home ? home : ".");
}

static void admin_url(struct admin *admin)
{
	char path[400];
	const char *data = admin->data ? admin->data : getenv("OYEZ_DATA");
	// The tcp address that customers' and vendors' commands have in their environment is not the operator's.
	bool ipc_given = admin->cli->broker_given && strncmp(admin->cli->broker, "ipc://", 6) == 0;
	if (!admin->data && (ipc_given || admin->cli->broker_flag)) {
		snprintf(admin->url, sizeof(admin->url), "%s", admin->cli->broker);
		return;
	}
	if (data && *data)
		snprintf(path, sizeof(path), "%s", data);
	else
		data_default(path);
	snprintf(admin->url, sizeof(admin->url), "ipc://%s/" SOCKET_NAME, path);
}

int admin_open(struct cli *cli, int argc, char **argv, int words, struct admin *admin)
{
	static const struct option options[] = {{"data", required_argument, NULL, ADMIN_DATA},
	                                        {"reason", required_argument, NULL, ADMIN_REASON},
	                                        {"count", required_argument, NULL, ADMIN_COUNT},
	                                        {"valid", required_argument, NULL, ADMIN_VALID},
	                                        {"vendor", required_argument, NULL, ADMIN_VENDOR},
	                                        {"from", required_argument, NULL, ADMIN_FROM},
	                                        {"to", required_argument, NULL, ADMIN_TO},
	                                        {"fields", required_argument, NULL, ADMIN_FIELDS},
	                                        {"deals", required_argument, NULL, ADMIN_DEALS},
	                                        {NULL, 0, NULL, 0}};
	const char **const values[] = {&admin->data, &admin->reason, &admin->count,  &admin->valid, &admin->vendor,
	                               &admin->from, &admin->to,     &admin->fields, &admin->deals};
	int option;
	*admin = (struct admin){.cli = cli};
	optind = 0;
	while ((option = cli_getopt(cli, argc, argv, options)) != -1) {
		if (option < ADMIN_DATA || option > ADMIN_DEALS)
			return EXIT_USAGE;
		*values[option - ADMIN_DATA] = optarg;
	}
	if (!cli_words(cli, argc, words))
		return EXIT_USAGE;
	admin_url(admin);
	struct oyez_error error = {0};
	if (transport_open(admin->url, NULL, &admin->transport, &error))
		return cli_fail(cli, &error);
	return EXIT_DONE;
}

int admin_ask(struct admin *admin, const Oyez__AdminRequest *request, int expected, Oyez__AdminReply **reply)
{
	struct oyez_error error = {0};
	if (transport_admin(admin->transport, request, reply, &error))
		return cli_fail(admin->cli, &error);
	if ((int)(*reply)->body_case == expected)
		return EXIT_DONE;
	oyez__admin_reply__free_unpacked(*reply, NULL);
	*reply = NULL;
	return cli_fail_code(admin->cli, ERR_BAD_MESSAGE, "the broker's reply");
}

// ---- status

static json_t *status_json(const Oyez__StatusReport *report)
{
	char tick[24], up[24];
	duration_format(report->tick_ms, tick);
	duration_format(report->up_ms / 1000 * 1000, up);
	json_t *object = json_object();
	json_object_set_new(object, "broker", json_binary(&report->broker_id));
	json_object_set_new(object, "version", json_text(report->version));
	json_object_set_new(object, "up", json_string(up));
	json_object_set_new(object, "region", json_text(report->region));
	json_object_set_new(object, "crowd", json_integer(report->crowd));
	json_object_set_new(object, "tick", json_string(tick));
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {{"intents_waiting", report->intents_waiting},
	               {"intents_released", report->intents_released},
	               {"vendors", report->vendors},
	               {"subscriptions", report->subscriptions},
	               {"deals_open", report->deals_open},
	               {"feed_length", report->feed_length},
	               {"parked", report->parked},
	               {"accounts", report->accounts},
	               {"vouchers_given", report->vouchers_given},
	               {"boxes_kept", report->boxes_kept},
	               {"boxes_pushed", report->boxes_pushed},
	               {"box_bytes_per_intent_day", report->box_bytes_per_intent_day},
	               {"brokers_in_conflict", report->brokers_in_conflict},
	               {"store_bytes", report->store_bytes}};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		json_object_set_new(object, numbers[i].name, json_integer((json_int_t)numbers[i].value));
	json_object_set_new(object, "clock_held", json_boolean(report->clock_held));
	return object;
}

int command_admin_status(struct cli *cli, int argc, char **argv)
{
	struct admin admin;
	int code = admin_open(cli, argc, argv, 0, &admin);
	if (code != EXIT_DONE)
		return code;
	Oyez__AdminStatus status = OYEZ__ADMIN_STATUS__INIT;
	Oyez__AdminRequest request = OYEZ__ADMIN_REQUEST__INIT;
	request.body_case = OYEZ__ADMIN_REQUEST__BODY_STATUS;
	request.status = &status;
	Oyez__AdminReply *reply = NULL;
	code = admin_ask(&admin, &request, OYEZ__ADMIN_REPLY__BODY_STATUS, &reply);
	if (code == EXIT_DONE) {
		cli_object(cli, status_json(reply->status));
		oyez__admin_reply__free_unpacked(reply, NULL);
	}
	transport_close(admin.transport);
	return code;
}

// ---- vendors

static const char *vendor_status_word(Oyez__VendorStatus status)
{
	switch (status) {
	case OYEZ__VENDOR_STATUS__VENDOR_PENDING:
		return "pending";
	case OYEZ__VENDOR_STATUS__VENDOR_APPROVED:
		return "approved";
	case OYEZ__VENDOR_STATUS__VENDOR_SUSPENDED:
		return "suspended";
	default:
		return "unknown";
	}
}

// What the vendor's own site says of it, as the broker found it last.
static void json_add_check(json_t *object, const Oyez__Signed *signed_standing)
{
	static const char *const words[] = {"unchecked", "confirmed", "silent", "denies"};
	Oyez__Standing *standing = NULL;
	if (signed_standing)
		codec_decode_standing(NULL, signed_standing->record.data, signed_standing->record.len, &standing, NULL);
	uint64_t at_ms = standing ? standing->url_checked_at_ms : 0;
	json_object_set_new(object, "vendor_checked", json_string(words[standing ? standing->url_check & 3 : 0]));
	json_object_set_new(object, "checked_at", at_ms ? json_time(at_ms) : json_null());
	if (standing)
		oyez__standing__free_unpacked(standing, NULL);
}

static json_t *vendor_json(const Oyez__VendorState *vendor)
{
	Oyez__Listing *listing = NULL;
	if (vendor->listing && vendor->listing->listing)
		codec_decode_listing(NULL, vendor->listing->listing->record.data, vendor->listing->listing->record.len,
		                     &listing, NULL);
	json_t *terms = json_array();
	for (size_t i = 0; listing && i < listing->n_terms; i++)
		json_array_append_new(terms, json_text(listing->terms[i]));
	json_t *object = json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "vendor", json_binary(&vendor->vendor_id), "status",
	                           vendor_status_word(vendor->status), "name", json_text(listing ? listing->name : ""),
	                           "url", json_text(listing ? listing->url : ""), "country",
	                           json_text(listing ? listing->country : ""), "terms", terms);
	json_add_check(object, vendor->standing);
	if (listing)
		oyez__listing__free_unpacked(listing, NULL);
	return object;
}

// All vendors, page after page.
static int admin_vendors(struct admin *admin, json_t **out)
{
	*out = json_array();
	bool more = true;
	while (more) {
		Oyez__AdminVendors vendors = OYEZ__ADMIN_VENDORS__INIT;
		vendors.offset = (uint32_t)json_array_size(*out);
		Oyez__AdminRequest request = OYEZ__ADMIN_REQUEST__INIT;
		request.body_case = OYEZ__ADMIN_REQUEST__BODY_VENDORS;
		request.vendors = &vendors;
		Oyez__AdminReply *reply = NULL;
		int code = admin_ask(admin, &request, OYEZ__ADMIN_REPLY__BODY_VENDORS, &reply);
		if (code != EXIT_DONE) {
			json_decref(*out);
			return code;
		}
		for (size_t i = 0; i < reply->vendors->n_items; i++)
			json_array_append_new(*out, vendor_json(reply->vendors->items[i]));
		more = reply->vendors->more && reply->vendors->n_items;
		oyez__admin_reply__free_unpacked(reply, NULL);
	}
	return EXIT_DONE;
}

static void print_vendors(struct cli *cli, const json_t *vendors)
{
	static const char *const titles[] = {"VENDOR", "STATUS", "NAME", "ADDRESS", "ADDRESS IS", "COUNTRY"};
	static const char *const titles_fr[] = {"VENDEUR", "ÉTAT", "NOM", "ADRESSE", "ADRESSE", "PAYS"};
	size_t i;
	json_t *vendor;
	struct cli_table *table = cli->json ? NULL : cli_table_new(cli, 6, cli->french ? titles_fr : titles);
	json_array_foreach(vendors, i, vendor)
	{
		if (cli->json) {
			cli_object(cli, json_incref(vendor));
			continue;
		}
		char id[13];
		snprintf(id, sizeof(id), "%s", json_string_value(json_object_get(vendor, "vendor")));
		cli_table_row(table,
		              (const char *const[]){
		                  id, cli_value_word(cli, "status", json_string_value(json_object_get(vendor, "status"))),
		                  json_string_value(json_object_get(vendor, "name")),
		                  json_string_value(json_object_get(vendor, "url")),
		                  cli_value_word(cli, "vendor_checked",
		                                 json_string_value(json_object_get(vendor, "vendor_checked"))),
		                  json_string_value(json_object_get(vendor, "country"))});
	}
	if (table)
		cli_table_print(table);
}

int command_admin_vendors(struct cli *cli, int argc, char **argv)
{
	struct admin admin;
	int code = admin_open(cli, argc, argv, 0, &admin);
	if (code != EXIT_DONE)
		return code;
	json_t *vendors;
	code = admin_vendors(&admin, &vendors);
	if (code == EXIT_DONE) {
		print_vendors(cli, vendors);
		json_decref(vendors);
	}
	transport_close(admin.transport);
	return code;
}

// ---- approve, suspend, compact

// A vendor by its id or the beginning of it. EXIT_DONE or an exit code.
int admin_vendor_find(struct admin *admin, const char *text, struct id *id)
{
	if (hex_decode(text, id->bytes, ID_BYTES))
		return EXIT_DONE;
	json_t *vendors, *vendor;
	int code = admin_vendors(admin, &vendors);
	if (code != EXIT_DONE)
		return code;
	size_t i, found = 0, length = strlen(text);
	json_array_foreach(vendors, i, vendor)
	{
		const char *hex = json_string_value(json_object_get(vendor, "vendor"));
		if (length >= PREFIX_DIGITS_MIN && strncasecmp(hex, text, length) == 0) {
			found++;
			hex_decode(hex, id->bytes, ID_BYTES);
		}
	}
	json_decref(vendors);
	if (found == 1)
		return EXIT_DONE;
	return cli_fail_code(admin->cli, found ? ERR_AMBIGUOUS : ERR_NOT_FOUND, text);
}

static int admin_acknowledged(struct admin *admin, const Oyez__AdminRequest *request, json_t *result)
{
	Oyez__AdminReply *reply = NULL;
	int code = admin_ask(admin, request, OYEZ__ADMIN_REPLY__BODY_ACK, &reply);
	if (code == EXIT_DONE) {
		cli_object(admin->cli, json_incref(result));
		oyez__admin_reply__free_unpacked(reply, NULL);
	}
	json_decref(result);
	return code;
}

int command_admin_approve(struct cli *cli, int argc, char **argv)
{
	struct admin admin;
	struct id id;
	int code = admin_open(cli, argc, argv, 1, &admin);
	if (code != EXIT_DONE)
		return code;
	code = admin_vendor_find(&admin, argv[optind], &id);
	if (code == EXIT_DONE) {
		Oyez__AdminApprove approve = OYEZ__ADMIN_APPROVE__INIT;
		approve.vendor_id = (ProtobufCBinaryData){.data = id.bytes, .len = ID_BYTES};
		Oyez__AdminRequest request = OYEZ__ADMIN_REQUEST__INIT;
		request.body_case = OYEZ__ADMIN_REQUEST__BODY_APPROVE;
		request.approve = &approve;
		code = admin_acknowledged(
		    &admin, &request, json_pack("{s:o, s:s}", "vendor", json_hex(id.bytes, ID_BYTES), "status", "approved"));
	}
	transport_close(admin.transport);
	return code;
}

int command_admin_suspend(struct cli *cli, int argc, char **argv)
{
	struct admin admin;
	struct id id;
	int code = admin_open(cli, argc, argv, 1, &admin);
	if (code != EXIT_DONE)
		return code;
	if (!admin.reason)
		code = cli_usage(cli, cli->command, "%s", cli_word(cli, "--reason R is missing", "il manque --reason R"));
	else
		code = admin_vendor_find(&admin, argv[optind], &id);
	if (code == EXIT_DONE) {
		Oyez__AdminSuspend suspend = OYEZ__ADMIN_SUSPEND__INIT;
		suspend.vendor_id = (ProtobufCBinaryData){.data = id.bytes, .len = ID_BYTES};
		suspend.reason = (char *)admin.reason;
		Oyez__AdminRequest request = OYEZ__ADMIN_REQUEST__INIT;
		request.body_case = OYEZ__ADMIN_REQUEST__BODY_SUSPEND;
		request.suspend = &suspend;
		code = admin_acknowledged(&admin, &request,
		                          json_pack("{s:o, s:s, s:o}", "vendor", json_hex(id.bytes, ID_BYTES), "status",
		                                    "suspended", "reason", json_text(admin.reason)));
	}
	transport_close(admin.transport);
	return code;
}

int command_admin_compact(struct cli *cli, int argc, char **argv)
{
	struct admin admin;
	int code = admin_open(cli, argc, argv, 0, &admin);
	if (code != EXIT_DONE)
		return code;
	Oyez__AdminCompact compact = OYEZ__ADMIN_COMPACT__INIT;
	Oyez__AdminRequest request = OYEZ__ADMIN_REQUEST__INIT;
	request.body_case = OYEZ__ADMIN_REQUEST__BODY_COMPACT;
	request.compact = &compact;
	code = admin_acknowledged(&admin, &request, json_pack("{s:b}", "compacted", 1));
	transport_close(admin.transport);
	return code;
}

int command_admin_confirm_clock(struct cli *cli, int argc, char **argv)
{
	struct admin admin;
	int code = admin_open(cli, argc, argv, 0, &admin);
	if (code != EXIT_DONE)
		return code;
	Oyez__AdminConfirmClock confirm = OYEZ__ADMIN_CONFIRM_CLOCK__INIT;
	Oyez__AdminRequest request = OYEZ__ADMIN_REQUEST__INIT;
	request.body_case = OYEZ__ADMIN_REQUEST__BODY_CONFIRM_CLOCK;
	request.confirm_clock = &confirm;
	code = admin_acknowledged(&admin, &request, json_pack("{s:b}", "clock_confirmed", 1));
	transport_close(admin.transport);
	return code;
}
