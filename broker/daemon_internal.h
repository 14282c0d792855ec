// Shared by daemon*.c only: what the parts of the running broker are and which thread they belong to.
#ifndef OYEZ_BROKER_DAEMON_INTERNAL_H
#define OYEZ_BROKER_DAEMON_INTERNAL_H

#include "broker/edge/admin_http.h"
#include "broker/edge/nng.h"
#include "broker/peer/pushes.h"
#include "broker/peer/well_known.h"
#include "config.h"
#include "identity.h"

// Configurations stay until the end: the service keeps pointers into them, and reloads are few.
struct generation {
	struct config config;
	struct generation *older;
};

struct broker {
	int argc;
	char **argv;
	const char *version;
	struct generation *latest; // the edge loop's view

	// Set up before the state thread starts, its own from then on:
	struct store *store;
	struct identity identity;
	struct service *service;
	const struct config *active;
	uint64_t compact_at_ms;

	// For both:
	struct taxonomy *taxonomy; // NULL: the one built in
	uint8_t taxonomy_hash[32];
	struct verifier *verifier;
	struct sequencer *sequencer;
	struct metrics metrics;
	uint8_t homes[HOMES_MAX][KEY_BYTES], guardians[GUARDIANS_MAX][KEY_BYTES]; // as configured at the start
	size_t home_count, guardian_count;

	// The edge loop's:
	uv_loop_t loop;
	uv_signal_t signals[3];
	uv_timer_t upkeep;
	struct links *links; // NULL: no other broker is configured
	struct pushes *pushes; // and this with it
	struct well_known *well_known; // NULL: nobody looks at vendors' addresses
	struct edge *edge;
	struct admin_http *admin;
	bool loop_ready, serving, draining;
};

void broker_service_config(const struct broker *broker, const struct config *config, struct service_config *out);

// ---- daemon_links.c: the other brokers
bool links_start(struct broker *broker, const struct config *config);
void links_serve(struct broker *broker); // once there is a sequencer

// ---- daemon_upkeep.c: what happens once a minute and at SIGHUP
void upkeep_start(struct broker *broker);
void upkeep_reload(struct broker *broker);

#endif
