// Looks whether a vendor's own site names its key: fetches URL/.well-known/oyez within narrow bounds (PROTOCOL.md
// §14.5) on a thread of its own, a few at a time. A vendor chooses the address, so this is where the broker could be
// made to call somebody it should not: only https, only addresses of the open internet, no redirect to another host.
#ifndef OYEZ_PEER_WELL_KNOWN_H
#define OYEZ_PEER_WELL_KNOWN_H

#include <netinet/in.h>

#include "broker/service/url_check.h"

struct well_known;
// On the thread, once for each check added; the callee takes it over.
typedef void well_known_done_fn(void *context, struct url_check *check);
// `trial`: http and loopback as well. NULL if there is no thread or memory for it.
struct well_known *well_known_start(bool trial, well_known_done_fn *done, void *context);
// From any thread. Takes the check over.
void well_known_add(struct well_known *well_known, struct url_check *check);
// Ends the thread; what was not finished is freed. well_known_free afterwards, when nobody adds any more.
void well_known_stop(struct well_known *well_known);
void well_known_free(struct well_known *well_known);

// ---- the rules, by themselves
// May an address be called? Not private, local or reserved ones; loopback with `trial`.
bool well_known_address_open(const struct sockaddr *address, bool trial);
// What a page says about a key: URL_CONFIRMED, URL_DENIES or URL_SILENT.
uint8_t well_known_read(const char *page, size_t bytes, const uint8_t key[KEY_BYTES]);

#endif
