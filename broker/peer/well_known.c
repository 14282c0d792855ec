// One thread with libcurl's multi interface: names are looked up by threads of its own, transfers wait side by side, so
// a slow site keeps neither signatures nor the state waiting. A redirect is followed by hand, to the same scheme, host
// and port only; every connection's address is looked at after the name was resolved and before anything is sent.
#include "well_known.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include "proto/codec.h"

enum {
	FETCHES_MAX = 8, // at once; the others wait
	PAGE_BYTES_MAX = 64 * 1024,
	REDIRECTS_MAX = 3,
	FETCH_MS = 10 * 1000, // with all redirects
	POLL_MS = 1000,
	PATH_ROOM = 32,
};

static const char page_path[] = "/.well-known/oyez";

struct fetch {
	struct well_known *owner;
	struct url_check *check; // NULL: idle
	CURL *easy;
	CURLU *base; // what redirects are compared with
	char *page;
	size_t page_bytes;
	int redirects;
	int64_t until_ms; // of a clock that nobody sets
	bool refused;     // not asked at all: an address we do not call
	bool too_large;
};

struct well_known {
	well_known_done_fn *done;
	void *context;
	bool trial;
	pthread_t thread;
	CURLM *multi;
	pthread_mutex_t mutex; // guards what follows
	struct url_check *first, **end;
	bool stopping;
	struct fetch fetches[FETCHES_MAX]; // the thread's
};

static int64_t steady_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// ---- what comes in

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct fetch *fetch = context;
	(void)purpose;
	if (!well_known_address_open(&address->addr, fetch->owner->trial)) {
		fetch->refused = true;
		return CURL_SOCKET_BAD;
	}
	fetch->refused = false;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t take_page(char *bytes, size_t one, size_t count, void *context)
{
	struct fetch *fetch = context;
	count *= one;
	if (count > PAGE_BYTES_MAX - fetch->page_bytes) {
		fetch->too_large = true;
		return 0;
	}
	memcpy(fetch->page + fetch->page_bytes, bytes, count);
	fetch->page_bytes += count;
	return count;
}

// ---- addresses as written

static bool part_equal(CURLU *a, CURLU *b, CURLUPart part, unsigned flags)
{
	char *left = NULL, *right = NULL;
	bool equal = curl_url_get(a, part, &left, flags) == CURLUE_OK &&
	             curl_url_get(b, part, &right, flags) == CURLUE_OK && strcasecmp(left, right) == 0;
	curl_free(left);
	curl_free(right);
	return equal;
}

static bool has_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK;
	curl_free(text);
	return has;
}

static bool scheme_taken(CURLU *url, bool trial)
{
	char *scheme = NULL;
	bool taken = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	             (strcmp(scheme, "https") == 0 || (trial && strcmp(scheme, "http") == 0));
	curl_free(scheme);
	return taken;
}

// The page's address. False where we do not ask: another scheme, a name and password, a query.
static bool page_url(struct fetch *fetch, const char *url)
{
	char text[URL_BYTES_MAX + PATH_ROOM];
	size_t count = strlen(url);
	while (count > 0 && url[count - 1] == '/')
		count--;
	snprintf(text, sizeof(text), "%.*s%s", (int)count, url, page_path);
	fetch->base = curl_url();
	return fetch->base && curl_url_set(fetch->base, CURLUPART_URL, text, 0) == CURLUE_OK &&
	       scheme_taken(fetch->base, fetch->owner->trial) && !has_part(fetch->base, CURLUPART_USER) &&
	       !has_part(fetch->base, CURLUPART_PASSWORD) && !has_part(fetch->base, CURLUPART_QUERY) &&
	       !has_part(fetch->base, CURLUPART_FRAGMENT) && curl_easy_setopt(fetch->easy, CURLOPT_URL, text) == CURLE_OK;
}

// Follows a redirect within the same scheme, host and port.
static bool redirected(struct fetch *fetch)
{
	char *location = NULL;
	if (curl_easy_getinfo(fetch->easy, CURLINFO_REDIRECT_URL, &location) != CURLE_OK || !location ||
	    ++fetch->redirects > REDIRECTS_MAX)
		return false;
	CURLU *url = curl_url();
	bool same = url && curl_url_set(url, CURLUPART_URL, location, 0) == CURLUE_OK &&
	            part_equal(url, fetch->base, CURLUPART_SCHEME, 0) && part_equal(url, fetch->base, CURLUPART_HOST, 0) &&
	            part_equal(url, fetch->base, CURLUPART_PORT, CURLU_DEFAULT_PORT) && !has_part(url, CURLUPART_USER) &&
	            !has_part(url, CURLUPART_PASSWORD);
	if (same)
		same = curl_easy_setopt(fetch->easy, CURLOPT_URL, location) == CURLE_OK;
	curl_url_cleanup(url);
	return same;
}

// ---- one look

static bool fetch_go(struct fetch *fetch)
{
	int64_t left_ms = fetch->until_ms - steady_ms();
	fetch->page_bytes = 0;
	fetch->too_large = fetch->refused = false;
	if (left_ms <= 0)
		return false;
	curl_easy_setopt(fetch->easy, CURLOPT_TIMEOUT_MS, (long)left_ms);
	return curl_multi_add_handle(fetch->owner->multi, fetch->easy) == CURLM_OK;
}

static bool fetch_prepare(struct fetch *fetch)
{
	CURL *easy = fetch->easy = curl_easy_init();
	fetch->page = malloc(PAGE_BYTES_MAX);
	if (!easy || !fetch->page || !page_url(fetch, fetch->check->url))
		return false;
	const char *schemes = fetch->owner->trial ? "http,https" : "https";
	bool set = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, schemes) == CURLE_OK &&
	           curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK && // none, whatever the environment says
	           curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
	           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, fetch) == CURLE_OK &&
	           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_page) == CURLE_OK &&
	           curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch) == CURLE_OK &&
	           curl_easy_setopt(easy, CURLOPT_PRIVATE, fetch) == CURLE_OK;
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); // a name server that does not answer keeps nobody
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_MAXFILESIZE, (long)PAGE_BYTES_MAX);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "oyez");
	fetch->until_ms = steady_ms() + FETCH_MS;
	fetch->redirects = 0;
	return set;
}

static void fetch_end(struct fetch *fetch, uint8_t result)
{
	struct url_check *check = fetch->check;
	curl_easy_cleanup(fetch->easy);
	curl_url_cleanup(fetch->base);
	free(fetch->page);
	*fetch = (struct fetch){.owner = fetch->owner};
	check->result = result;
	fetch->owner->done(fetch->owner->context, check);
}

static void fetch_done(struct fetch *fetch, CURLcode code)
{
	long status = 0;
	curl_multi_remove_handle(fetch->owner->multi, fetch->easy);
	curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_OK && status >= 300 && status < 400 && redirected(fetch) && fetch_go(fetch))
		return;
	uint8_t result = fetch->refused ? OYEZ__URL_CHECK__URL_UNCHECKED : OYEZ__URL_CHECK__URL_SILENT;
	if (code == CURLE_OK && status == 200)
		result = well_known_read(fetch->page, fetch->page_bytes, fetch->check->key);
	fetch_end(fetch, result);
}

// ---- the thread

static struct url_check *take(struct well_known *well_known)
{
	pthread_mutex_lock(&well_known->mutex);
	struct url_check *check = well_known->first;
	if (check)
		well_known->first = check->next;
	pthread_mutex_unlock(&well_known->mutex);
	return check;
}

static void start_fetches(struct well_known *well_known)
{
	for (int i = 0; i < FETCHES_MAX; i++) {
		struct fetch *fetch = &well_known->fetches[i];
		// An address that is refused at once makes room for the next one.
		while (!fetch->check && (fetch->check = take(well_known))) {
			if (!fetch_prepare(fetch) || !fetch_go(fetch))
				fetch_end(fetch, OYEZ__URL_CHECK__URL_UNCHECKED);
		}
	}
}

static bool stopping(struct well_known *well_known)
{
	pthread_mutex_lock(&well_known->mutex);
	bool stop = well_known->stopping;
	pthread_mutex_unlock(&well_known->mutex);
	return stop;
}

static void *run(void *argument)
{
	struct well_known *well_known = argument;
	while (!stopping(well_known)) {
		int running, left;
		CURLMsg *message;
		start_fetches(well_known);
		curl_multi_perform(well_known->multi, &running);
		bool ended = false;
		while ((message = curl_multi_info_read(well_known->multi, &left))) {
			struct fetch *fetch = NULL;
			CURLcode code = message->data.result;
			curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&fetch);
			fetch_done(fetch, code);
			ended = true;
		}
		if (!ended)
			curl_multi_poll(well_known->multi, NULL, 0, POLL_MS, NULL);
	}
	for (int i = 0; i < FETCHES_MAX; i++) {
		struct fetch *fetch = &well_known->fetches[i];
		if (!fetch->check)
			continue;
		curl_multi_remove_handle(well_known->multi, fetch->easy);
		curl_easy_cleanup(fetch->easy);
		curl_url_cleanup(fetch->base);
		free(fetch->page);
		free(fetch->check);
	}
	return NULL;
}

struct well_known *well_known_start(bool trial, well_known_done_fn *done, void *context)
{
	struct well_known *well_known = calloc(1, sizeof(*well_known));
	if (!well_known)
		return NULL;
	well_known->done = done;
	well_known->context = context;
	well_known->trial = trial;
	well_known->end = &well_known->first;
	for (int i = 0; i < FETCHES_MAX; i++)
		well_known->fetches[i].owner = well_known;
	pthread_mutex_init(&well_known->mutex, NULL);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	well_known->multi = curl_multi_init();
	if (well_known->multi && pthread_create(&well_known->thread, NULL, run, well_known) == 0)
		return well_known;
	if (well_known->multi)
		curl_multi_cleanup(well_known->multi);
	pthread_mutex_destroy(&well_known->mutex);
	free(well_known);
	return NULL;
}

void well_known_add(struct well_known *well_known, struct url_check *check)
{
	pthread_mutex_lock(&well_known->mutex);
	if (!well_known->first)
		well_known->end = &well_known->first;
	check->next = NULL;
	*well_known->end = check;
	well_known->end = &check->next;
	pthread_mutex_unlock(&well_known->mutex);
	curl_multi_wakeup(well_known->multi);
}

void well_known_stop(struct well_known *well_known)
{
	pthread_mutex_lock(&well_known->mutex);
	well_known->stopping = true;
	pthread_mutex_unlock(&well_known->mutex);
	curl_multi_wakeup(well_known->multi);
	pthread_join(well_known->thread, NULL);
}

void well_known_free(struct well_known *well_known)
{
	struct url_check *check;
	while ((check = take(well_known)))
		free(check);
	curl_multi_cleanup(well_known->multi);
	pthread_mutex_destroy(&well_known->mutex);
	free(well_known);
}
