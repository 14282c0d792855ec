// Subscriptions, from their rows into memory: most of the work of a start. On a store that is read beside its writer
// two threads do it while the caller loads what else there is; elsewhere it is done at once. Either way rows are taken
// in one after the other in the store's order, so the listeners, their numbers and the index are the same.
#ifndef OYEZ_SERVICE_LOADING_H
#define OYEZ_SERVICE_LOADING_H

#include <stdbool.h>

struct service;
struct loading;

// Within a transaction that has not written subscriptions; vendors are loaded. Until loading_end the caller leaves
// alone: listeners, the index, vendors.
struct loading *loading_begin(struct service *service);
// Waits until all are there. False: a row could not be read.
bool loading_end(struct loading *loading);

#endif
