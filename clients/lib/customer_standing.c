// A vendor's public record as its broker signs it, and the news that the operator shut a vendor out.
#include <stdlib.h>
#include <string.h>

#include "clients/lib/customer.h"
#include "clients/lib/view.h"

enum err standing_verify(const uint8_t broker_key[KEY_BYTES], const struct id *vendor,
                         const Oyez__Signed *signed_standing)
{
	enum err err = sign_open(signed_standing, TAG_STANDING);
	if (!err && memcmp(signed_standing->key.data, broker_key, KEY_BYTES) != 0)
		err = ERR_BAD_SIGNATURE;
	Oyez__Standing *standing = NULL;
	if (!err)
		err = codec_decode_standing(NULL, signed_standing->record.data, signed_standing->record.len, &standing, NULL);
	if (err)
		return err;
	if (!field_is_id(&standing->vendor_id, vendor) || standing->broker_id.len != KEY_BYTES ||
	    memcmp(standing->broker_id.data, broker_key, KEY_BYTES) != 0)
		err = ERR_BAD_SIGNATURE;
	oyez__standing__free_unpacked(standing, NULL);
	return err;
}

Oyez__Standing *standing_of(const ProtobufCBinaryData *bytes)
{
	Oyez__Signed *signed_standing;
	Oyez__Standing *standing = NULL;
	if (!bytes->len || codec_decode_signed(NULL, bytes->data, bytes->len, &signed_standing, NULL))
		return NULL;
	codec_decode_standing(NULL, signed_standing->record.data, signed_standing->record.len, &standing, NULL);
	oyez__signed__free_unpacked(signed_standing, NULL);
	return standing;
}

double standing_rating(const Oyez__Standing *standing)
{
	if (!standing || standing->ratings < RATINGS_PUBLISHED_MIN)
		return 0;
	return (double)standing->stars / standing->ratings;
}

const char *url_check_word(Oyez__UrlCheck check)
{
	static const char *const words[] = {"unchecked", "confirmed", "silent", "denies"};
	return (size_t)check < sizeof(words) / sizeof(*words) ? words[check] : "unknown";
}

static json_t *record_json(const Oyez__Standing *standing)
{
	json_t *object = json_object();
	json_object_set_new(object, "offers", json_integer(standing->offers));
	json_object_set_new(object, "accepted", json_integer(standing->accepted));
	json_object_set_new(object, "concluded", json_integer(standing->concluded));
	json_object_set_new(object, "lapsed_by_fault", json_integer(standing->lapsed_by_fault));
	json_object_set_new(object, "erasures_asked", json_integer(standing->erasures_asked));
	json_object_set_new(object, "erasures_in_time", json_integer(standing->erasures_in_time));
	json_object_set_new(object, "erasures_late", json_integer(standing->erasures_late));
	json_object_set_new(object, "at", json_time(standing->at_ms));
	return object;
}

void json_add_standing(json_t *object, const ProtobufCBinaryData *signed_standing)
{
	Oyez__Standing *standing = standing_of(signed_standing);
	double stars = standing_rating(standing);
	json_object_set_new(object, "rating",
	                    stars > 0 ? json_pack("{s:f, s:i}", "value", (double)(uint64_t)(stars * 100 + 0.5) / 100,
	                                          "count", (int)standing->ratings)
	                              : json_null());
	json_object_set_new(object, "vendor_record", standing ? record_json(standing) : json_null());
	json_object_set_new(object, "vendor_checked",
	                    json_string(url_check_word(standing ? standing->url_check : OYEZ__URL_CHECK__URL_UNCHECKED)));
	if (standing)
		oyez__standing__free_unpacked(standing, NULL);
}

// ---- shut out by the operator

static bool vendor_is(const ProtobufCBinaryData *vendor_key, const struct id *vendor)
{
	if (vendor_key->len != KEY_BYTES)
		return false;
	struct id id = vendor_id_of(vendor_key->data);
	return id_equal(&id, vendor);
}

void vendor_suspended_take(struct oyez_customer *customer, Oyez__Wallet__Intent *intent,
                           const Oyez__VendorSuspended *suspended)
{
	struct id vendor = field_id(&suspended->vendor_id), intent_id = field_id(&intent->id);
	const Oyez__Wallet__File *file = wallet_records(customer->wallet);
	json_t *event =
	    json_pack("{s:o, s:o}", "vendor", json_hex(vendor.bytes, ID_BYTES), "reason", json_text(suspended->reason));
	bool news = false;
	for (size_t i = 0; i < intent->n_offers; i++) {
		Oyez__Wallet__Offer *offer = intent->offers[i];
		if (!vendor_is(&offer->vendor_key, &vendor))
			continue;
		news = news || !offer->vendor_suspended;
		offer->vendor_suspended = true;
		field_set_text(&offer->suspended_reason, suspended->reason);
		json_object_set_new(event, "offer", json_binary(&offer->id));
	}
	for (size_t i = 0; i < file->n_deals; i++) {
		Oyez__Wallet__Deal *deal = file->deals[i];
		if (!field_is_id(&deal->intent_id, &intent_id) || !field_is_id(&deal->vendor_id, &vendor))
			continue;
		news = news || !deal->vendor_suspended;
		deal->vendor_suspended = true;
		field_set_text(&deal->suspended_reason, suspended->reason);
		json_object_set_new(event, "deal", json_binary(&deal->id));
		json_object_set_new(event, "vendor_name", json_text(deal->vendor_name));
	}
	if (news)
		customer_event(customer, "vendor_suspended", &intent_id, event);
	else
		json_decref(event);
}
