// Which addresses may be called, and what a page says about a key. Fetches nothing.
#include <jansson.h>
#include <string.h>

#include "proto/codec.h"
#include "proto/sign.h"
#include "well_known.h"

// ---- addresses

struct range {
	uint32_t first;
	int bits;
};

// IPv4 that is not the open internet (RFC 6890 and its successors).
static const struct range reserved[] = {
    {0x00000000, 8},  // this network
    {0x0a000000, 8},  // private
    {0x64400000, 10}, // shared
    {0x7f000000, 8},  // loopback
    {0xa9fe0000, 16}, // link-local, and where clouds keep their secrets
    {0xac100000, 12}, // private
    {0xc0000000, 24}, // protocol assignments
    {0xc0000200, 24}, // documentation
    {0xc0586300, 24}, // 6to4 relays
    {0xc0a80000, 16}, // private
    {0xc6120000, 15}, // benchmarks
    {0xc6336400, 24}, // documentation
    {0xcb007100, 24}, // documentation
    {0xe0000000, 4},  // multicast
    {0xf0000000, 4},  // reserved, broadcast
};

static bool ipv4_open(uint32_t address, bool trial)
{
	if (trial && address >> 24 == 127)
		return true;
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++) {
		if ((address ^ reserved[i].first) >> (32 - reserved[i].bits) == 0)
			return false;
	}
	return true;
}

// Only the global unicast space, without the parts that stand for other addresses or for examples.
static bool ipv6_open(const uint8_t a[16], bool trial)
{
	static const uint8_t loopback[16] = {[15] = 1};
	if (trial && memcmp(a, loopback, 16) == 0)
		return true;
	if ((a[0] & 0xe0) != 0x20)
		return false;
	bool documentation = a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0d && a[3] == 0xb8;
	bool documentation_new = a[0] == 0x3f && a[1] == 0xff && (a[2] & 0xf0) == 0;
	bool protocols = a[0] == 0x20 && a[1] == 0x01 && a[2] < 0x02; // Teredo, ORCHID, benchmarks
	bool six_to_four = a[0] == 0x20 && a[1] == 0x02;
	return !documentation && !documentation_new && !protocols && !six_to_four;
}

bool well_known_address_open(const struct sockaddr *address, bool trial)
{
	if (address->sa_family == AF_INET)
		return ipv4_open(ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr), trial);
	if (address->sa_family == AF_INET6)
		return ipv6_open(((const struct sockaddr_in6 *)(const void *)address)->sin6_addr.s6_addr, trial);
	return false;
}

// ---- the page

static bool names_key(const json_t *vendor, const char hex[2 * KEY_BYTES + 1])
{
	const char *key = json_string_value(json_object_get(vendor, "key"));
	return key && strcmp(key, hex) == 0;
}

uint8_t well_known_read(const char *page, size_t bytes, const uint8_t key[KEY_BYTES])
{
	json_t *object = json_loadb(page, bytes, JSON_REJECT_DUPLICATES, NULL);
	const json_t *version = json_object_get(object, "oyez"), *vendors = json_object_get(object, "vendors");
	uint8_t result = OYEZ__URL_CHECK__URL_SILENT;
	if (json_is_integer(version) && json_integer_value(version) == 1 && json_is_array(vendors)) {
		char hex[2 * KEY_BYTES + 1];
		hex_encode(key, KEY_BYTES, hex);
		result = OYEZ__URL_CHECK__URL_DENIES;
		for (size_t i = 0; i < json_array_size(vendors); i++) {
			if (names_key(json_array_get(vendors, i), hex))
				result = OYEZ__URL_CHECK__URL_CONFIRMED;
		}
	}
	json_decref(object);
	return result;
}
