// The other brokers this one works with: homes it relays to, guardians it pushes boxes to. Knows who they are (their
// pinned keys), fetches and checks their configurations, carries cells and batches.
//
// Everything here runs on the loop.
#ifndef OYEZ_PEER_LINKS_H
#define OYEZ_PEER_LINKS_H

#include <uv.h>

#include "broker/service/homes.h"
#include "proto/id.h"

// What was last seen of a broker's configuration; kept over restarts by whoever has a store.
struct link_seen {
	uint64_t number; // 0: nothing yet
	uint8_t hash[HASH_BYTES];
	bool conflict; // another content was seen under this number
};

struct link_target {
	const char *url; // both copied
	uint8_t key[KEY_BYTES];
	bool is_home, is_guardian;
	struct link_seen seen;
};

struct links_options {
	uv_loop_t *loop;
	struct homes *homes; // what wallets are shown
	const struct link_target *targets;
	size_t target_count;
	uint64_t refresh_ms; // between looks at the configurations, real time
	void (*seen)(void *context, const uint8_t key[KEY_BYTES], const struct link_seen *seen);
	void *context;
};

enum { LINKS_MAX = HOMES_MAX + GUARDIANS_MAX };

struct links_numbers {
	size_t brokers, connected, conflicts;
	uint64_t relayed, relay_errors;             // cells
	uint64_t pushed, push_errors, push_dropped; // batches: taken, refused by the guardian, never sent
};

struct links;

// ERR_IO: *failed is an address that is none; links_close and links_free all the same.
enum err links_open(const struct links_options *options, struct links **out, const char **failed);

// The home's reply cell (CELL_BYTES), or an error: the home's own, or ERR_HOME_UNREACHABLE, ERR_STOPPING.
typedef void links_relayed_fn(void *context, uint64_t number, enum err err, const uint8_t *cell);
// Sends `cell` (CELL_BYTES) to a home for `account`. `done` is called once, later, unless this returns an error:
// ERR_HOME_UNKNOWN, ERR_HOME_UNREACHABLE, ERR_CONFIG_CONFLICT, ERR_BUSY, ERR_STOPPING.
enum err links_relay(struct links *links, const uint8_t home[KEY_BYTES], const struct id *account, const uint8_t *cell,
                     links_relayed_fn *done, void *context, uint64_t number);
// Sends a request frame with a PushBatch to a guardian, or drops it. Takes the (malloc'd) frame over.
void links_push(struct links *links, const uint8_t guardian[KEY_BYTES], uint8_t *frame, size_t count);
void links_numbers(const struct links *links, struct links_numbers *out);

// As for a link.
void links_close(struct links *links);
void links_free(struct links *links);

#endif
