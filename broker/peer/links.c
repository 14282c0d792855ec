// Nothing is asked of a broker before its configuration, signed with the pinned key, came over the present connection;
// after that once a minute again. Two contents under one number are proof of cheating: such a broker is not used until
// the number has grown.
#include "links.h"

#include <stdlib.h>
#include <string.h>

#include "broker/base/log.h"
#include "link.h"
#include "proto/cell.h"
#include "proto/frame.h"
#include "proto/sign.h"

struct peer {
	struct links *links;
	struct link *link;
	char *url;
	uint8_t key[KEY_BYTES];
	bool is_home, is_guardian;
	bool checked; // over the present connection
	bool asking;  // for its configuration
	enum err err; // ERR_OK, or why it is not used
	struct link_seen seen;
};

struct links {
	struct links_options options;
	struct peer peers[LINKS_MAX];
	size_t count;
	uv_timer_t refresh;
	struct links_numbers numbers;
	bool closing;
};

// A relayed cell under way.
struct relay {
	struct links *links;
	links_relayed_fn *done;
	void *context;
};

// ---- configurations

static void tell_homes(struct peer *peer, const uint8_t *config, size_t count)
{
	struct home home = {.url = peer->url, .err = peer->err, .config = config, .config_bytes = count};
	memcpy(home.key, peer->key, KEY_BYTES);
	if (peer->is_home)
		homes_put(peer->links->options.homes, &home);
}

static void set_error(struct peer *peer, enum err err, const char *hint)
{
	if (peer->err == err)
		return;
	char key[2 * KEY_BYTES + 1];
	hex_encode(peer->key, KEY_BYTES, key);
	if (err)
		log_event(LOG_WARN, "broker_not_used", LOG_TEXT("key", key), LOG_TEXT("url", peer->url),
		          LOG_TEXT("code", err_name(err)), LOG_TEXT("hint", hint));
	else
		log_event(LOG_INFO, "broker_linked", LOG_TEXT("key", key), LOG_TEXT("url", peer->url));
	peer->err = err;
}

// Compares number and content with what was seen before. `seen` is what to remember.
static enum err compare(const struct link_seen *before, uint64_t number, const uint8_t hash[HASH_BYTES],
                        struct link_seen *seen)
{
	*seen = *before;
	if (number < before->number)
		return ERR_HOME_UNREACHABLE;
	if (number > before->number) {
		*seen = (struct link_seen){.number = number};
		memcpy(seen->hash, hash, HASH_BYTES);
		return ERR_OK;
	}
	seen->conflict |= memcmp(before->hash, hash, HASH_BYTES) != 0;
	return seen->conflict ? ERR_CONFIG_CONFLICT : ERR_OK;
}

// Is it the configuration of the broker we mean?
static enum err check_config(const struct peer *peer, const Oyez__Signed *record, uint64_t *number,
                             uint8_t hash[HASH_BYTES])
{
	Oyez__Config *config;
	enum err err = sign_open(record, TAG_CONFIG);
	if (err)
		return err;
	if (memcmp(record->key.data, peer->key, KEY_BYTES) != 0)
		return ERR_BROKER_CHANGED;
	err = codec_decode_config(NULL, record->record.data, record->record.len, &config, NULL);
	if (err)
		return err;
	*number = config->number;
	if (memcmp(config->broker_id.data, peer->key, KEY_BYTES) != 0)
		err = ERR_BROKER_CHANGED;
	oyez__config__free_unpacked(config, NULL);
	struct id id = signed_id_of(TAG_RECORD_ID, record);
	memcpy(hash, id.bytes, HASH_BYTES);
	return err;
}

static void take_config(struct peer *peer, const Oyez__Signed *record)
{
	struct link_seen seen = peer->seen;
	uint64_t number = 0;
	uint8_t hash[HASH_BYTES] = {0};
	enum err err = check_config(peer, record, &number, hash);
	if (!err)
		err = compare(&peer->seen, number, hash, &seen);
	switch (err) {
	case ERR_OK:
		set_error(peer, err, "");
		break;
	case ERR_CONFIG_CONFLICT:
		set_error(peer, err,
		          "it showed two configurations under one number: ask its operator; do not use it till then");
		break;
	case ERR_HOME_UNREACHABLE:
		set_error(peer, err, "it shows an older configuration than before: was it restored from a backup?");
		break;
	default:
		set_error(peer, err, "another broker answers there than the one whose key is configured");
	}
	if (memcmp(&seen.hash, peer->seen.hash, HASH_BYTES) != 0 || seen.conflict != peer->seen.conflict) {
		peer->seen = seen;
		peer->links->options.seen(peer->links->options.context, peer->key, &seen);
	}
	uint8_t *bytes;
	size_t count;
	if (codec_encode(&record->base, &bytes, &count))
		return;
	tell_homes(peer, bytes, err ? 0 : count);
	free(bytes);
	peer->checked = true;
}

static void on_config(void *context, uint64_t number, enum err err, const uint8_t *frame, size_t count)
{
	struct peer *peer = context;
	enum frame_kind kind;
	Oyez__Reply *reply;
	(void)number;
	peer->asking = false;
	if (err || frame_kind_of(frame, count, &kind) || kind != FRAME_REPLY ||
	    codec_decode_reply(NULL, frame + FRAME_HEADER_BYTES, count - FRAME_HEADER_BYTES, &reply, NULL))
		return; // asked again in a while
	if (reply->body_case == OYEZ__REPLY__BODY_CONFIG)
		take_config(peer, reply->config);
	oyez__reply__free_unpacked(reply, NULL);
}

static void ask_config(struct peer *peer)
{
	Oyez__GetConfig get = OYEZ__GET_CONFIG__INIT;
	Oyez__Request request = OYEZ__REQUEST__INIT;
	struct link_request asked = {.done = on_config, .context = peer};
	if (peer->asking || peer->links->closing)
		return;
	request.body_case = OYEZ__REQUEST__BODY_GET_CONFIG;
	request.get_config = &get;
	if (codec_encode_frame(&request.base, FRAME_REQUEST, &asked.frame, &asked.count))
		abort();
	peer->asking = link_ask(peer->link, &asked) == ERR_OK;
}

static void on_connected(void *context)
{
	struct peer *peer = context;
	peer->checked = false;
	ask_config(peer);
}

static void on_refresh(uv_timer_t *timer)
{
	struct links *links = timer->data;
	for (size_t i = 0; i < links->count; i++)
		if (link_is_connected(links->peers[i].link))
			ask_config(&links->peers[i]);
}

// ---- cells and batches

static struct peer *find(struct links *links, const uint8_t key[KEY_BYTES])
{
	for (size_t i = 0; i < links->count; i++)
		if (memcmp(links->peers[i].key, key, KEY_BYTES) == 0)
			return &links->peers[i];
	return NULL;
}

static enum err usable(const struct links *links, const struct peer *peer)
{
	if (!peer)
		return ERR_HOME_UNKNOWN;
	if (links->closing)
		return ERR_STOPPING;
	if (peer->err == ERR_CONFIG_CONFLICT)
		return ERR_CONFIG_CONFLICT;
	return peer->err || !peer->checked || !link_is_connected(peer->link) ? ERR_HOME_UNREACHABLE : ERR_OK;
}

// The error in an error frame of the other broker's.
static enum err error_of(const uint8_t *frame, size_t count)
{
	Oyez__Error *error;
	if (codec_decode_error(NULL, frame + FRAME_HEADER_BYTES, count - FRAME_HEADER_BYTES, &error, NULL))
		return ERR_HOME_UNREACHABLE;
	enum err err = (enum err)error->code;
	oyez__error__free_unpacked(error, NULL);
	return err;
}

static void on_relayed(void *context, uint64_t number, enum err err, const uint8_t *frame, size_t count)
{
	struct relay *relay = context;
	enum frame_kind kind;
	if (!err && frame_kind_of(frame, count, &kind))
		err = ERR_HOME_UNREACHABLE;
	else if (!err && kind == FRAME_ERROR)
		err = error_of(frame, count);
	else if (!err && (kind != FRAME_CELL_REPLY || count != CELL_BYTES))
		err = ERR_HOME_UNREACHABLE;
	relay->links->numbers.relayed += !err;
	relay->links->numbers.relay_errors += err != ERR_OK;
	relay->done(relay->context, number, err, err ? NULL : frame);
	free(relay);
}

enum err links_relay(struct links *links, const uint8_t home[KEY_BYTES], const struct id *account, const uint8_t *cell,
                     links_relayed_fn *done, void *context, uint64_t number)
{
	struct peer *peer = find(links, home);
	enum err err = usable(links, peer && peer->is_home ? peer : NULL);
	if (err)
		return err;
	struct relay *relay = malloc(sizeof(*relay));
	struct link_request request = {.count = CELL_BYTES, .owner = *account, .done = on_relayed, .number = number};
	request.frame = malloc(CELL_BYTES);
	if (!relay || !request.frame)
		abort();
	memcpy(request.frame, cell, CELL_BYTES);
	*relay = (struct relay){links, done, context};
	request.context = relay;
	err = link_ask(peer->link, &request);
	if (err)
		free(relay);
	return err;
}

static void on_pushed(void *context, uint64_t number, enum err err, const uint8_t *frame, size_t count)
{
	struct links *links = context;
	enum frame_kind kind;
	Oyez__Reply *reply;
	(void)number;
	if (err) {
		links->numbers.push_dropped++;
		return;
	}
	bool taken = false;
	if (frame_kind_of(frame, count, &kind) == ERR_OK && kind == FRAME_REPLY &&
	    codec_decode_reply(NULL, frame + FRAME_HEADER_BYTES, count - FRAME_HEADER_BYTES, &reply, NULL) == ERR_OK) {
		taken = reply->body_case == OYEZ__REPLY__BODY_ACK;
		oyez__reply__free_unpacked(reply, NULL);
	}
	links->numbers.pushed += taken;
	links->numbers.push_errors += !taken;
}

void links_push(struct links *links, const uint8_t guardian[KEY_BYTES], uint8_t *frame, size_t count)
{
	struct peer *peer = find(links, guardian);
	if (usable(links, peer && peer->is_guardian ? peer : NULL)) {
		links->numbers.push_dropped++;
		free(frame);
		return;
	}
	struct link_request request = {.frame = frame, .count = count, .done = on_pushed, .context = links};
	links->numbers.push_dropped += link_ask(peer->link, &request) != ERR_OK;
}

void links_numbers(const struct links *links, struct links_numbers *out)
{
	*out = links->numbers;
	out->brokers = links->count;
	for (size_t i = 0; i < links->count; i++) {
		out->connected += link_is_connected(links->peers[i].link) && links->peers[i].checked;
		out->conflicts += links->peers[i].err == ERR_CONFIG_CONFLICT;
	}
}

// ---- opening and closing

static enum err open_peer(struct links *links, const struct link_target *target)
{
	struct peer *peer = find(links, target->key);
	if (peer) { // both a home and a guardian: one link serves
		peer->is_home |= target->is_home;
		peer->is_guardian |= target->is_guardian;
		return ERR_OK;
	}
	peer = &links->peers[links->count];
	*peer = (struct peer){
	    .links = links,
	    .url = strdup(target->url),
	    .is_home = target->is_home,
	    .is_guardian = target->is_guardian,
	    .err = target->seen.conflict ? ERR_CONFIG_CONFLICT : ERR_HOME_UNREACHABLE,
	    .seen = target->seen,
	};
	if (!peer->url)
		abort();
	memcpy(peer->key, target->key, KEY_BYTES);
	struct link_options options = {
	    .loop = links->options.loop, .url = peer->url, .connected = on_connected, .context = peer};
	enum err err = link_open(&options, &peer->link);
	if (peer->link)
		links->count++;
	else
		free(peer->url);
	return err;
}

enum err links_open(const struct links_options *options, struct links **out, const char **failed)
{
	struct links *links = calloc(1, sizeof(*links));
	*out = links;
	if (!links)
		return ERR_NO_MEMORY;
	links->options = *options;
	uv_timer_init(options->loop, &links->refresh);
	links->refresh.data = links;
	for (size_t i = 0; i < options->target_count && links->count < LINKS_MAX; i++) {
		*failed = options->targets[i].url;
		enum err err = open_peer(links, &options->targets[i]);
		if (err)
			return err;
	}
	for (size_t i = 0; i < links->count; i++)
		tell_homes(&links->peers[i], NULL, 0);
	uv_timer_start(&links->refresh, on_refresh, options->refresh_ms, options->refresh_ms);
	return ERR_OK;
}

void links_close(struct links *links)
{
	if (links->closing)
		return;
	links->closing = true;
	uv_close((uv_handle_t *)&links->refresh, NULL);
	for (size_t i = 0; i < links->count; i++)
		link_close(links->peers[i].link);
}

void links_free(struct links *links)
{
	for (size_t i = 0; i < links->count; i++) {
		link_free(links->peers[i].link);
		free(links->peers[i].url);
	}
	free(links);
}
