// Does a vendor's address name its key (PROTOCOL.md §14.5)? What is asked, and what came of it. The service says what
// to look at and keeps the answers; somebody beside the state thread goes and looks (peer/well_known.h).
#ifndef OYEZ_SERVICE_URL_CHECK_H
#define OYEZ_SERVICE_URL_CHECK_H

#include <stdbool.h>

#include "proto/id.h"
#include "proto/limits.h"

enum {
	URL_CHECKS_MAX = 64,    // asked for at once
	URL_CHECKS_KEPT = 512,  // answers a guardian remembers
	URL_CHECKS_SLICE = 256, // vendors looked through in one go
	URL_CHECK_WAIT_S = 20,  // real time a wallet waits at most
};

struct url_check {
	struct url_check *next;
	struct id vendor; // of the home: whose standing it goes to
	struct id asked;  // of the guardian: who wait for it
	bool for_standing;
	uint8_t key[KEY_BYTES];
	char url[URL_BYTES_MAX + 1];
	uint8_t result; // UrlCheck of proto/record.proto
};

// A guardian's memory of what it was asked.
struct url_answer {
	struct id asked;
	uint64_t at_ms; // 0: none yet
	uint8_t result;
	bool used, running;
};

struct url_checks {
	struct url_check *wanted, **wanted_end; // not handed out yet
	uint32_t running;                       // wanted or handed out
	uint32_t at;                            // the vendor to look at next
	uint64_t next_ms;                       // when the vendors are gone through again
	struct url_answer *answers;             // URL_CHECKS_KEPT, made when first needed
};

struct service;
struct vendor;

void url_checks_free(struct url_checks *checks);
// Vendors whose address was not looked at for a day: a bounded slice. Part of a batch.
void url_checks_advance(struct service *service);
// A vendor registered: at once, unless its address was confirmed or looked at a moment ago.
void url_check_vendor(struct service *service, const struct vendor *vendor);

#endif
