// Why a release did not reach a subscription: every condition that excluded it, on both sides of the match.
#include "hold.h"
#include "internal.h"

enum err handle_explain(struct service *service, const struct command *command, const Oyez__ExplainRelease *message)
{
	struct id id = id_of_wire(message->subscription_id);
	struct release_id release = release_id_of_wire(message->release_id);
	struct listener *listener = listener_find(service, &id);
	struct intent intent;
	if (!listener || !intent_load_released(service, &release, &intent))
		return ERR_NOT_FOUND;
	if (!id_equal(&listener->vendor, &command->sender))
		return ERR_NOT_YOURS;
	struct match_header header;
	bool standing = intent.state == INTENT_RELEASED && intent.release_seq;
	if (!standing && !hold_shown(service, &intent, &header))
		return intent.state == INTENT_WAITING ? ERR_NOT_FOUND : ERR_GONE;
	if (standing)
		release_header(&intent, &header);
	uint32_t failed = 0, rules_failed = 0, maybe = 0;
	struct filter filter;
	if (index_filter(service->index, (uint32_t)(listener - service->listeners), &filter))
		filter_match(&filter, &header, &service->trees, &maybe, &failed);
	else
		failed = FACET_CATEGORY;
	rules_match(&header.facets, &service->vendor.facts, &rules_failed);
	const char *names[FACET_NAMES_MAX + 1];
	size_t count = facet_names(failed | rules_failed, names);
	if (header.release_seq <= listener->start_seq)
		names[count++] = "released_before";
	Oyez__Explanation explanation = OYEZ__EXPLANATION__INIT;
	explanation.matches = count == 0;
	explanation.failed = (char **)names;
	explanation.n_failed = count;
	explanation.maybe = maybe;
	Oyez__Reply reply = OYEZ__REPLY__INIT;
	reply.body_case = OYEZ__REPLY__BODY_EXPLANATION;
	reply.explanation = &explanation;
	reply_vendor(service, command->origin, &reply);
	return ERR_OK;
}
