// A connection to one broker: nng REQ, configuration with pinned identity, cells, retries. Internal to liboyez.
#ifndef OYEZ_CLIENT_TRANSPORT_H
#define OYEZ_CLIENT_TRANSPORT_H

#include <stdbool.h>

#include "clients/lib/error.h"
#include "proto/cell.h"
#include "proto/codec.h"
#include "proto/sign.h"

struct transport;
struct transport_call;

// `url` is an nng address, with "#" and the broker's identity key in hex to pin it. `pinned` (may be NULL) is the key
// remembered from before; ERR_BROKER_CHANGED if the broker shows another one. Does not connect yet.
enum err transport_open(const char *url, const uint8_t *pinned, struct transport **out, struct oyez_error *error);
void transport_close(struct transport *transport);

// The broker's configuration, fetched and verified on first use. Owned by the transport.
enum err transport_config(struct transport *transport, const Oyez__Config **config, struct oyez_error *error);
// This client's idea of the broker's time: brokers on loopback or ipc have theirs adopted, others are held to ours.
uint64_t transport_now_ms(struct transport *transport);

// The Signed record the configuration came in, to remember which content stood under its number. Owned by the
// transport; false before transport_config.
bool transport_config_record(struct transport *transport, const uint8_t **record, size_t *record_bytes);
// Is `now` another content under the number of `before` (two Signed configs)? Then ERR_CONFIG_CONFLICT.
enum err config_compare(const uint8_t *before, size_t before_bytes, const uint8_t *now, size_t now_bytes);

// One request and its reply. `timeout_ms` counts over all retries of the same bytes (0 = 30 s), in real time whatever
// OYEZ_TEST_CLOCK_RATE says. A broker that was never reached is given up sooner: ERR_UNREACHABLE after 3 s on this
// machine, 10 s elsewhere. A broker's Error comes back as its code with its detail. Replies are freed with the
// message's free_unpacked. `customer` is a serialised Signed CustomerRecord; every try seals it anew.
enum err transport_customer(struct transport *transport, const uint8_t *customer, size_t customer_bytes,
                            uint64_t timeout_ms, Oyez__CustomerReply **reply, struct oyez_error *error);
enum err transport_request(struct transport *transport, const Oyez__Request *request, uint64_t timeout_ms,
                           Oyez__Reply **reply, struct oyez_error *error);
enum err transport_admin(struct transport *transport, const Oyez__AdminRequest *request, Oyez__AdminReply **reply,
                         struct oyez_error *error);

// Blinded elements to be evaluated, in a cell of their own: no signature of the wallet's.
enum err transport_issue(struct transport *transport, const Oyez__IssueTokens *issue, Oyez__CustomerReply **reply,
                         struct oyez_error *error);

// A Signed DealRecord, and a question for notices, in cells of their own (transport_deal.c). The wait of a `start` is
// that of the record inside.
enum err transport_deal(struct transport *transport, const uint8_t *deal, size_t deal_bytes,
                        Oyez__CustomerReply **reply, struct oyez_error *error);
enum err transport_deal_start(struct transport *transport, const uint8_t *deal, size_t deal_bytes, uint64_t timeout_ms,
                              struct transport_call **out);
enum err transport_notices(struct transport *transport, uint64_t after, Oyez__CustomerReply **reply,
                           struct oyez_error *error);

// ---- guardians and what is behind them (PROTOCOL.md §12; transport_guardian.c)

// Signs what is asked at this broker as a guardian. Copied.
void transport_set_account(struct transport *guardian, const struct sign_pair *account);
// A home broker reached through its guardian only: its configuration comes from the guardian, its cells go in the
// guardian's envelopes, all over the guardian's one connection. `home_key` is its identity. Close it before the guardian.
// Refusals of the guardian's own (home_unreachable, busy, account_unknown, home_unknown) never pass for the home's.
enum err transport_open_through(struct transport *guardian, const uint8_t home_key[KEY_BYTES], struct transport **out);
// The home's address as its guardian lists it; "" before transport_config.
const char *transport_home_url(const struct transport *home);
// Asks the guardian. `record` needs neither guardian nor time: each try is signed anew, its ids make it count once.
enum err transport_account(struct transport *guardian, const Oyez__AccountRecord *record, uint64_t timeout_ms,
                           Oyez__GuardianReply **reply, struct oyez_error *error);
enum err transport_account_start(struct transport *guardian, const Oyez__AccountRecord *record, uint64_t timeout_ms,
                                 void *tag, struct transport_call **out);
enum err transport_account_finish(struct transport_call *call, Oyez__GuardianReply **reply, struct oyez_error *error);

// The same without waiting: long polls of several intents or of feed and inbox side by side. One call, one nng context.
enum err transport_customer_start(struct transport *transport, const uint8_t *customer, size_t customer_bytes,
                                  uint64_t timeout_ms, void *tag, struct transport_call **out);
enum err transport_request_start(struct transport *transport, const Oyez__Request *request, uint64_t timeout_ms,
                                 void *tag, struct transport_call **out);
// Waits until one started call is done (or timeout_ms passed: NULL) and takes it from the transport.
struct transport_call *transport_wait(struct transport *transport, uint64_t timeout_ms);
void *transport_call_tag(const struct transport_call *call);
// The result; at most one of the replies is set, and it is the caller's.
enum err transport_call_finish(struct transport_call *call, Oyez__CustomerReply **customer_reply, Oyez__Reply **reply,
                               struct oyez_error *error);
// Gives a started call up; its reply, if one comes, is dropped.
void transport_call_cancel(struct transport_call *call);
// Readable when transport_wait has something to do at once: for those who poll several things. Do not read from it.
int transport_fd(struct transport *transport);
// Wakes a running transport_wait from another thread or a signal handler (it returns NULL).
void transport_wake(struct transport *transport);

#endif
