// Looking at vendors' addresses: when the service asks for it, what it makes of the answer, and which addresses and
// pages count. Nothing is fetched here: the test plays the one who looks.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "broker/peer/well_known.h"
#include "broker/service/url_check.h"
#include "proto/sign.h"
#include "proto/stamp.h"
#include "support_service.h"

static struct support_service support;

static int open_service(void **state)
{
	(void)state;
	support_service_open(&support);
	support.config.url_checks = true;
	service_reconfigure(support.service, &support.config);
	return 0;
}

static int close_service(void **state)
{
	(void)state;
	support_service_close(&support);
	return 0;
}

static void give_back(struct url_check *check, Oyez__UrlCheck result)
{
	check->result = (uint8_t)result;
	service_begin(support.service, support.now_ms);
	service_url_check_done(support.service, check);
	static const uint8_t random[16];
	service_advance(support.service, random);
	assert_int_equal(service_commit(support.service), ERR_OK);
}

static struct standing standing_of(unsigned vendor)
{
	struct standing standing;
	struct id id = support_vendor_id(vendor);
	store_begin(support.store);
	store_standing_find(support.store, &id, &standing);
	store_abort(support.store);
	return standing;
}

// ---- home

static void test_registration_asks_at_once(void **state)
{
	(void)state;
	support_vendor_join(&support, 1);
	struct url_check *check = service_url_check_next(support.service);
	assert_non_null(check);
	assert_null(service_url_check_next(support.service));
	assert_string_equal(check->url, "https://vendor.example");
	assert_int_equal(standing_of(1).url_check, OYEZ__URL_CHECK__URL_UNCHECKED);
	give_back(check, OYEZ__URL_CHECK__URL_CONFIRMED);
	assert_int_equal(standing_of(1).url_check, OYEZ__URL_CHECK__URL_CONFIRMED);
	assert_int_equal(standing_of(1).url_checked_at_ms, support.now_ms);
}

static void test_daily(void **state)
{
	(void)state;
	support_vendor_join(&support, 1);
	give_back(service_url_check_next(support.service), OYEZ__URL_CHECK__URL_SILENT);
	support_service_wait(&support, 23 * HOUR_MS);
	assert_null(service_url_check_next(support.service));
	support_service_wait(&support, 2 * HOUR_MS);
	struct url_check *check = service_url_check_next(support.service);
	assert_non_null(check);
	support_service_wait(&support, 2 * DAY_MS); // one is out: no second
	assert_null(service_url_check_next(support.service));
	give_back(check, OYEZ__URL_CHECK__URL_DENIES);
	assert_int_equal(standing_of(1).url_check, OYEZ__URL_CHECK__URL_DENIES);
}

static void test_restart_keeps_the_day(void **state)
{
	(void)state;
	support_vendor_join(&support, 1);
	give_back(service_url_check_next(support.service), OYEZ__URL_CHECK__URL_CONFIRMED);
	support_service_restart(&support);
	support_service_wait(&support, 2 * HOUR_MS);
	assert_null(service_url_check_next(support.service));
	support_service_wait(&support, 23 * HOUR_MS);
	free(service_url_check_next(support.service));
}

static void register_at(unsigned vendor, const char *url)
{
	struct id id = support_vendor_id(vendor);
	struct arena arena;
	struct vendor row;
	arena_init(&arena);
	store_begin(support.store);
	assert_true(store_vendor_find(support.store, &id, &arena, &row));
	store_abort(support.store);
	Oyez__Signed *before = oyez__signed__unpack(NULL, row.listing.count, row.listing.at);
	Oyez__Listing *listing = oyez__listing__unpack(NULL, before->record.len, before->record.data);
	Oyez__Signed message = *before;
	char *kept = listing->url;
	listing->url = TEXT(url);
	listing->made_at_ms = support.now_ms;
	message.record = wire_pack(&support.arena, &listing->base);
	assert_vendor_error(support_vendor(&support, vendor, COMMAND_REGISTER, &message.base), ERR_OK);
	listing->url = kept;
	oyez__listing__free_unpacked(listing, NULL);
	oyez__signed__free_unpacked(before, NULL);
	arena_fini(&arena);
}

// Who was confirmed under an own address must not stay so under somebody else's.
static void test_another_address_is_not_confirmed(void **state)
{
	(void)state;
	support_vendor_join(&support, 1);
	give_back(service_url_check_next(support.service), OYEZ__URL_CHECK__URL_CONFIRMED);
	support_service_wait(&support, SECOND_MS);
	register_at(1, "https://famous.example");
	assert_int_equal(standing_of(1).url_check, OYEZ__URL_CHECK__URL_UNCHECKED);
	struct url_check *check = service_url_check_next(support.service);
	assert_non_null(check);
	assert_string_equal(check->url, "https://famous.example");
	give_back(check, OYEZ__URL_CHECK__URL_DENIES);
	assert_int_equal(standing_of(1).url_check, OYEZ__URL_CHECK__URL_DENIES);
}

// The answer for an address left meanwhile does not count for the new one.
static void test_moved_while_looking(void **state)
{
	(void)state;
	support_vendor_join(&support, 1);
	struct url_check *check = service_url_check_next(support.service);
	support_service_wait(&support, SECOND_MS);
	register_at(1, "https://famous.example");
	give_back(check, OYEZ__URL_CHECK__URL_CONFIRMED);
	assert_int_equal(standing_of(1).url_check, OYEZ__URL_CHECK__URL_UNCHECKED);
	check = service_url_check_next(support.service);
	assert_non_null(check);
	assert_string_equal(check->url, "https://famous.example");
	free(check);
}

static void test_off(void **state)
{
	(void)state;
	support.config.url_checks = false;
	service_reconfigure(support.service, &support.config);
	support_vendor_join(&support, 1);
	support_service_wait(&support, 2 * DAY_MS);
	assert_null(service_url_check_next(support.service));
}

static void test_many_wait_their_turn(void **state)
{
	(void)state;
	for (unsigned vendor = 1; vendor <= URL_CHECKS_MAX + 10; vendor++)
		support_vendor_join(&support, vendor);
	struct url_check *checks[URL_CHECKS_MAX + 10];
	int count = 0;
	while ((checks[count] = service_url_check_next(support.service)))
		count++;
	assert_int_equal(count, URL_CHECKS_MAX);
	for (int i = 0; i < count; i++)
		give_back(checks[i], OYEZ__URL_CHECK__URL_CONFIRMED);
	support_service_wait(&support, 2 * MINUTE_MS);
	for (count = 0; (checks[count] = service_url_check_next(support.service)); count++)
		;
	assert_int_equal(count, 10);
	while (count > 0)
		free(checks[--count]);
}

// ---- guardian

static void join(unsigned account)
{
	uint8_t key[KEY_BYTES], broker[KEY_BYTES], stamp[STAMP_BYTES];
	Oyez__OpenAccount open = OYEZ__OPEN_ACCOUNT__INIT;
	memset(broker, 'B', KEY_BYTES);
	support_account_key(account, key);
	assert_true(stamp_make(key, broker, (uint32_t)(support.now_ms / TOKEN_EPOCH_MS), support.config.account_stamp_bits,
	                       NULL, NULL, stamp));
	open.stamp = wire_bytes(stamp, STAMP_BYTES);
	assert_account_error(support_account(&support, account, COMMAND_OPEN_ACCOUNT, &open.base), ERR_OK);
}

static const Oyez__GuardianReply *ask(unsigned account, const char *url, char key)
{
	uint8_t bytes[KEY_BYTES];
	Oyez__CheckVendor message = OYEZ__CHECK_VENDOR__INIT;
	memset(bytes, key, sizeof bytes);
	message.url = TEXT(url);
	message.vendor_key = wire_bytes(bytes, KEY_BYTES);
	return support_account(&support, account, COMMAND_CHECK_VENDOR, &message.base);
}

static void assert_check(const Oyez__GuardianReply *reply, Oyez__UrlCheck expected)
{
	assert_non_null(reply);
	assert_int_equal(reply->body_case, OYEZ__GUARDIAN_REPLY__BODY_VENDOR_CHECK);
	assert_int_equal(reply->vendor_check->check, expected);
}

static void test_guardian_asks_once_an_hour(void **state)
{
	(void)state;
	assert_account_error(ask(1, "https://a.example", 'a'), ERR_ACCOUNT_UNKNOWN);
	join(1);
	join(2);
	assert_null(ask(1, "https://a.example", 'a'));
	uint64_t first = support.last_origin;
	struct url_check *check = service_url_check_next(support.service);
	assert_non_null(check);
	assert_null(ask(2, "https://a.example", 'a')); // joins the first
	uint64_t second = support.last_origin;
	assert_null(service_url_check_next(support.service));
	check->result = OYEZ__URL_CHECK__URL_CONFIRMED;
	service_begin(support.service, support.now_ms);
	service_url_check_done(support.service, check);
	assert_int_equal(service_commit(support.service), ERR_OK);
	int answered = 0;
	struct effect effect;
	while (service_effect_next(support.service, &effect))
		answered += effect.origin == first || effect.origin == second;
	assert_int_equal(answered, 2);
	assert_check(ask(1, "https://a.example", 'a'), OYEZ__URL_CHECK__URL_CONFIRMED);
	// Another key at the same address is another question.
	assert_null(ask(1, "https://a.example", 'b'));
	free(service_url_check_next(support.service));
	support_service_wait(&support, 2 * HOUR_MS);
	assert_null(ask(1, "https://a.example", 'a'));
	free(service_url_check_next(support.service));
}

static void test_guardian_does_not_wait_for_ever(void **state)
{
	(void)state;
	join(1);
	assert_null(ask(1, "https://slow.example", 'a'));
	uint64_t origin = support.last_origin;
	struct url_check *check = service_url_check_next(support.service);
	support.now_ms += 21 * SECOND_MS;
	support_batch(&support);
	assert_check(support_parked_reply(&support, origin), OYEZ__URL_CHECK__URL_UNCHECKED);
	give_back(check, OYEZ__URL_CHECK__URL_SILENT);
	assert_check(ask(1, "https://slow.example", 'a'), OYEZ__URL_CHECK__URL_SILENT);
}

static void test_guardian_is_no_scanner(void **state)
{
	(void)state;
	int parked = 0, refused = 0;
	char url[64];
	join(1);
	for (int i = 0; i < 200; i++) {
		snprintf(url, sizeof url, "https://host-%d.example", i);
		const Oyez__GuardianReply *reply = ask(1, url, 'a');
		parked += !reply;
		refused += reply && support_account_error(reply) == ERR_BUSY;
	}
	assert_true(parked <= 60 && refused >= 130);
	struct url_check *check;
	while ((check = service_url_check_next(support.service)))
		free(check);
}

// ---- addresses and pages

static bool open_to(const char *text, bool trial)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return well_known_address_open((struct sockaddr *)&v4, trial);
	assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	return well_known_address_open((struct sockaddr *)&v6, trial);
}

static void test_addresses(void **state)
{
	(void)state;
	static const char *const open[] = {"8.8.8.8",         "93.184.216.34",      "172.15.0.1",       "172.32.0.1",
	                                   "192.167.255.255", "2606:2800:220:1::1", "2a00:1450:4007::1"};
	static const char *const closed[] = {"0.0.0.0",
	                                     "10.0.0.1",
	                                     "100.64.0.1",
	                                     "100.127.255.255",
	                                     "169.254.169.254",
	                                     "172.16.0.1",
	                                     "172.31.255.255",
	                                     "192.0.0.1",
	                                     "192.0.2.1",
	                                     "192.168.1.1",
	                                     "198.18.0.1",
	                                     "198.51.100.1",
	                                     "203.0.113.9",
	                                     "224.0.0.1",
	                                     "255.255.255.255",
	                                     "240.0.0.1",
	                                     "::",
	                                     "fe80::1",
	                                     "fc00::1",
	                                     "fd12::1",
	                                     "ff02::1",
	                                     "::ffff:10.0.0.1",
	                                     "::ffff:8.8.8.8",
	                                     "64:ff9b::a00:1",
	                                     "2001:db8::1",
	                                     "2002:a00:1::1",
	                                     "2001:0:1::1",
	                                     "3fff:1::1",
	                                     "100::1",
	                                     "fec0::1"};
	for (size_t i = 0; i < sizeof open / sizeof *open; i++)
		assert_true(open_to(open[i], false));
	for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
		assert_false(open_to(closed[i], false) || open_to(closed[i], true));
	assert_false(open_to("127.0.0.1", false) || open_to("::1", false));
	assert_true(open_to("127.0.0.1", true) && open_to("::1", true));
	assert_false(well_known_address_open(&(struct sockaddr){.sa_family = AF_UNIX}, true));
}

static uint8_t read_page(const char *format, const char *key)
{
	uint8_t ours[KEY_BYTES];
	char page[1000];
	memset(ours, 0xab, sizeof ours);
	snprintf(page, sizeof page, format, key);
	return well_known_read(page, strlen(page), ours);
}

static void test_pages(void **state)
{
	(void)state;
	char ours[2 * KEY_BYTES + 1] = "", theirs[2 * KEY_BYTES + 1] = "";
	for (int i = 0; i < KEY_BYTES; i++) {
		memcpy(ours + 2 * i, "ab", 3);
		memcpy(theirs + 2 * i, "cd", 3);
	}
	static const char page[] = "{\"oyez\": 1, \"vendors\": [{\"key\": \"%s\", \"name\": \"A\"}]}";
	static const char *const silent[] = {"",
	                                     "hello %s",
	                                     "[\"%s\"]",
	                                     "{\"oyez\": 2, \"vendors\": [{\"key\": \"%s\"}]}",
	                                     "{\"vendors\": [{\"key\": \"%s\"}]}",
	                                     "{\"oyez\": 1, \"vendors\": \"%s\"}",
	                                     "{\"oyez\": 1}",
	                                     "{\"oyez\":1,\"oyez\":1,\"vendors\":[{\"key\":\"%s\"}]}"};
	assert_int_equal(read_page(page, ours), OYEZ__URL_CHECK__URL_CONFIRMED);
	assert_int_equal(read_page(page, theirs), OYEZ__URL_CHECK__URL_DENIES);
	assert_int_equal(read_page("{\"oyez\": 1, \"vendors\": []}", ours), OYEZ__URL_CHECK__URL_DENIES);
	assert_int_equal(read_page("{\"oyez\": 1, \"vendors\": [7, null, {\"key\": \"cd\"}, {\"key\": \"%s\"}]}", ours),
	                 OYEZ__URL_CHECK__URL_CONFIRMED);
	for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
		assert_int_equal(read_page(silent[i], ours), OYEZ__URL_CHECK__URL_SILENT);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, open_service, close_service)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_registration_asks_at_once),
	    CASE(test_daily),
	    CASE(test_restart_keeps_the_day),
	    CASE(test_another_address_is_not_confirmed),
	    CASE(test_moved_while_looking),
	    CASE(test_off),
	    CASE(test_many_wait_their_turn),
	    CASE(test_guardian_asks_once_an_hour),
	    CASE(test_guardian_does_not_wait_for_ever),
	    CASE(test_guardian_is_no_scanner),
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_pages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
