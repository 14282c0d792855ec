// The wallet of one home: its records in memory, and the protocol by which several programs change them.
//
//   reading:  wallet_load, then look
//   changing: wallet_begin (lock, reload), change the records, wallet_commit (write, unlock) or wallet_abort
//
// Pointers to records are valid until the next load, begin, commit or abort. Never talk to a broker between begin and
// commit: other programs wait for the lock. Internal to liboyez.
#ifndef OYEZ_CLIENT_WALLET_H
#define OYEZ_CLIENT_WALLET_H

#include "clients/lib/transport.h"
#include "proto/id.h"
#include "wallet.pb-c.h"

struct wallet;

// Makes the home (0700) and an empty wallet in it. ERR_WALLET_EXISTS, ERR_IO.
enum err wallet_create(const char *home, const char *passphrase, struct oyez_error *error);
// ERR_WALLET_MISSING, ERR_WALLET_LOCKED, ERR_WALLET_DAMAGED, ERR_IO. The passphrase is copied.
enum err wallet_open(const char *home, const char *passphrase, struct wallet **out, struct oyez_error *error);
void wallet_close(struct wallet *wallet); // wipes
// True when there is a wallet that needs a passphrase.
bool wallet_is_locked(const char *home);

enum err wallet_load(struct wallet *wallet, struct oyez_error *error);
enum err wallet_begin(struct wallet *wallet, struct oyez_error *error);
enum err wallet_commit(struct wallet *wallet, struct oyez_error *error);
void wallet_abort(struct wallet *wallet);
// Has somebody else written the file since it was read here?
bool wallet_changed(const struct wallet *wallet);
Oyez__Wallet__File *wallet_records(struct wallet *wallet);

// Everything but unused tokens and their keys, under the same passphrase. An existing file is not overwritten.
enum err wallet_backup(struct wallet *wallet, const char *path, struct oyez_error *error);
// Takes a backup into a home without a wallet, after opening it as a test.
enum err wallet_restore(const char *home, const char *passphrase, const char *path, struct oyez_error *error);

// ---- records
Oyez__Wallet__Intent *wallet_intent(struct wallet *wallet, const struct id *id); // NULL if there is none
Oyez__Wallet__Deal *wallet_deal(struct wallet *wallet, const struct id *id);
Oyez__Wallet__Offer *wallet_offer(struct wallet *wallet, const struct id *id, Oyez__Wallet__Intent **intent);
Oyez__Wallet__Question *wallet_question(struct wallet *wallet, const struct id *id, Oyez__Wallet__Intent **intent);
Oyez__Wallet__Broker *wallet_broker_by_key(struct wallet *wallet, const uint8_t *key);
Oyez__Wallet__Broker *wallet_broker_by_url(struct wallet *wallet, const char *url);
Oyez__Wallet__Account *wallet_account(struct wallet *wallet, const uint8_t *guardian_key);

Oyez__Wallet__Intent *wallet_add_intent(struct wallet *wallet);
Oyez__Wallet__Deal *wallet_add_deal(struct wallet *wallet);
Oyez__Wallet__Broker *wallet_add_broker(struct wallet *wallet);
Oyez__Wallet__Pending *wallet_add_pending(struct wallet *wallet);
Oyez__Wallet__Offer *wallet_add_offer(Oyez__Wallet__Intent *intent);
Oyez__Wallet__Question *wallet_add_question(Oyez__Wallet__Intent *intent);
Oyez__Wallet__Account *wallet_add_account(struct wallet *wallet);
Oyez__Wallet__Token *wallet_add_token(struct wallet *wallet);
Oyez__Wallet__Batch *wallet_add_batch(struct wallet *wallet);
Oyez__Wallet__BatchToken *wallet_add_batch_token(Oyez__Wallet__Batch *batch);
Oyez__Wallet__BoxItem *wallet_add_box_item(Oyez__Wallet__Intent *intent);
Oyez__Wallet__Message *wallet_add_message(Oyez__Wallet__Deal *deal);
Oyez__Wallet__DealOut *wallet_add_deal_out(Oyez__Wallet__Deal *deal);
Oyez__Wallet__Notice *wallet_add_notice(Oyez__Wallet__Broker *broker);
void wallet_remove_deal_out(Oyez__Wallet__Deal *deal, const struct id *id);
void wallet_remove_notice(Oyez__Wallet__Broker *broker, size_t index);
void wallet_remove_token(struct wallet *wallet, size_t index);
void wallet_remove_batch(struct wallet *wallet, size_t index);
void wallet_remove_box_item(Oyez__Wallet__Intent *intent, size_t index);
void wallet_remove_pending(struct wallet *wallet, Oyez__Wallet__Pending *pending);
void wallet_remove_intent(struct wallet *wallet, const struct id *id); // with its pending records and deals

// Fields: the old value is wiped and freed, the new one copied.
void field_set(ProtobufCBinaryData *field, const void *bytes, size_t count);
void field_set_id(ProtobufCBinaryData *field, const struct id *id);
void field_set_signed(ProtobufCBinaryData *field, const Oyez__Signed *message); // NULL: nothing changes
void field_set_text(char **field, const char *text);
void field_wipe(ProtobufCBinaryData *field);
// Zero for a field of another length.
struct id field_id(const ProtobufCBinaryData *field);
bool field_is_id(const ProtobufCBinaryData *field, const struct id *id);

// What a person typed for an id: the whole in hex, or a beginning of at least 6 digits that fits only one.
// ERR_NOT_FOUND, ERR_AMBIGUOUS.
enum wallet_kind { WALLET_INTENT, WALLET_OFFER, WALLET_QUESTION, WALLET_DEAL };
enum err wallet_resolve(struct wallet *wallet, enum wallet_kind kind, const char *text, struct id *id,
                        struct oyez_error *error);

// Unpacks records' own messages with memory that is wiped when freed.
extern ProtobufCAllocator wallet_allocator;
void *wallet_alloc(size_t bytes); // zeroed, aborts when there is no memory

#endif
