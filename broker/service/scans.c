// Scans on their way out and back. What a scan does stands in scan.c, what becomes of its result in fetch.c and
// would_match.c.
#include "internal.h"

void scan_start(struct service *service, struct parked *parked, struct scan *scan)
{
	scan->waiting = parked;
	scan->origin = parked->origin;
	parked->scan = scan;
	if (!service->scans)
		service->scans_end = &service->scans;
	*service->scans_end = scan;
	service->scans_end = &scan->next;
}

struct scan *service_scan_next(struct service *service)
{
	struct scan *scan = service->in_batch ? NULL : service->scans;
	if (scan) {
		service->scans = scan->next;
		scan->next = NULL;
	}
	return scan;
}

void service_scan_done(struct service *service, struct scan *scan)
{
	struct parked *parked = scan->waiting;
	assert(service->in_batch);
	if (parked) {
		bool answered = true;
		if (parked->kind == PARKED_COUNT)
			would_match_scanned(service, parked, scan);
		else
			answered = fetch_scanned(service, parked, scan);
		parked->scan = NULL;
		if (answered)
			parking_leave(service, parked);
	}
	scan_free(scan);
}

void scans_drop(struct service *service)
{
	while (service->scans) {
		struct scan *scan = service->scans;
		service->scans = scan->next;
		if (scan->waiting)
			scan->waiting->scan = NULL;
		scan_free(scan);
	}
}
