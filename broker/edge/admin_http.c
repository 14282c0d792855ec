// libwebsockets parses HTTP; here are three pages and the bounds: few connections, short headers, short patience.
#include "admin_http.h"

#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/log.h"

enum {
	CONNECTIONS_MAX = 64,
	HEADER_BYTES_MAX = 2048,
	PATIENCE_S = 10,
	REPLY_HEADER_BYTES = 512,
};

struct admin_http {
	struct admin_http_source source;
	struct lws_context *context;
	struct lws_vhost *vhost;
};

// One request's answer, between headers and body.
struct session {
	char *body; // malloc'd with LWS_PRE bytes in front
	size_t body_bytes;
};

static void set_body(struct session *session, const char *text, size_t count)
{
	free(session->body);
	session->body = malloc(LWS_PRE + count + 1);
	if (!session->body)
		abort();
	memcpy(session->body + LWS_PRE, text, count);
	session->body_bytes = count;
}

static unsigned make_page(struct admin_http *admin, const char *path, struct session *session)
{
	if (strcmp(path, "/healthz") == 0) {
		set_body(session, "ok\n", 3);
		return HTTP_STATUS_OK;
	}
	if (strcmp(path, "/readyz") == 0) {
		const char *reason = admin->source.not_ready(admin->source.context);
		char line[128];
		int count = snprintf(line, sizeof(line), "%s\n", reason ? reason : "ready");
		set_body(session, line, (size_t)count);
		return reason ? HTTP_STATUS_SERVICE_UNAVAILABLE : HTTP_STATUS_OK;
	}
	if (strcmp(path, "/metrics") == 0) {
		char *text = NULL;
		size_t count = 0;
		admin->source.metrics(admin->source.context, &text, &count);
		set_body(session, text, count);
		free(text);
		return HTTP_STATUS_OK;
	}
	static const char lost[] = "there are /healthz, /readyz and /metrics\n";
	set_body(session, lost, sizeof(lost) - 1);
	return HTTP_STATUS_NOT_FOUND;
}

static int answer(struct admin_http *admin, struct lws *wsi, struct session *session, const char *path)
{
	bool get = lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0;
	bool head = lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0;
	unsigned status = HTTP_STATUS_METHOD_NOT_ALLOWED;
	if (get || head)
		status = make_page(admin, path, session);
	else
		set_body(session, "only GET and HEAD\n", 18);

	uint8_t headers[LWS_PRE + REPLY_HEADER_BYTES];
	uint8_t *start = headers + LWS_PRE, *at = start, *end = headers + sizeof(headers) - 1;
	if (lws_add_http_common_headers(wsi, status, "text/plain; version=0.0.4; charset=utf-8", session->body_bytes, &at,
	                                end) ||
	    lws_add_http_header_by_name(wsi, (const uint8_t *)"cache-control:", (const uint8_t *)"no-store", 8, &at, end) ||
	    lws_finalize_write_http_header(wsi, start, &at, end))
		return 1;
	if (head)
		return lws_http_transaction_completed(wsi) ? -1 : 0;
	lws_callback_on_writable(wsi);
	return 0;
}

static int write_body(struct lws *wsi, struct session *session)
{
	if (!session->body)
		return 0;
	int written = lws_write(wsi, (uint8_t *)session->body + LWS_PRE, session->body_bytes, LWS_WRITE_HTTP_FINAL);
	free(session->body);
	session->body = NULL;
	if (written < 0)
		return 1;
	return lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int on_http(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t count)
{
	struct session *session = user;
	switch (reason) {
	case LWS_CALLBACK_HTTP:
		return answer(lws_context_user(lws_get_context(wsi)), wsi, session, in);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return write_body(wsi, session);
	case LWS_CALLBACK_CLOSED_HTTP:
	case LWS_CALLBACK_HTTP_DROP_PROTOCOL:
		if (session) {
			free(session->body);
			session->body = NULL;
		}
		return 0;
	default:
		return lws_callback_http_dummy(wsi, reason, user, in, count);
	}
}

static const struct lws_protocols protocols[] = {
    {.name = "http", .callback = on_http, .per_session_data_size = sizeof(struct session)},
    {0},
};

// What libwebsockets has to say about itself. Its errors about what clients sent are theirs, not ours.
static void on_log(int level, const char *line)
{
	(void)level;
	char text[200];
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(line, "\n"), line);
	log_event(LOG_DEBUG, "admin_http", LOG_TEXT("text", text));
}

enum err admin_http_open(uv_loop_t *loop, const char *host, uint16_t port, const struct admin_http_source *source,
                         struct admin_http **out)
{
	lws_set_log_level(LLL_ERR | LLL_WARN, on_log);
	struct admin_http *admin = calloc(1, sizeof(*admin));
	if (!admin)
		return ERR_NO_MEMORY;
	admin->source = *source;
	void *loops[] = {loop};
	struct lws_context_creation_info info = {
	    .port = port,
	    .iface = host,
	    .protocols = protocols,
	    .options =
	        LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
	    .foreign_loops = loops,
	    .user = admin,
	    .pcontext = &admin->context,
	    .fd_limit_per_thread = CONNECTIONS_MAX,
	    .max_http_header_data = HEADER_BYTES_MAX,
	    .max_http_header_pool = 16,
	    .timeout_secs = PATIENCE_S,
	    .keepalive_timeout = PATIENCE_S,
	    .timeout_secs_ah_idle = PATIENCE_S,
	    .gid = -1,
	    .uid = -1,
	};
	admin->context = lws_create_context(&info);
	if (admin->context)
		admin->vhost = lws_create_vhost(admin->context, &info);
	*out = admin;
	return admin->vhost ? ERR_OK : ERR_IO;
}

uint16_t admin_http_port(const struct admin_http *admin)
{
	return (uint16_t)lws_get_vhost_listen_port(admin->vhost);
}

void admin_http_close(struct admin_http *admin)
{
	if (admin->context)
		lws_context_destroy(admin->context);
}

void admin_http_free(struct admin_http *admin)
{
	// On a loop that is not its own libwebsockets ends in two steps: handles first, then the rest. It sets our pointer
	// to NULL when it is done.
	if (admin->context)
		lws_context_destroy(admin->context);
	free(admin);
}
