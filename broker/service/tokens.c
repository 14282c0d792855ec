// Who may post, as far as the store knows: was this voucher taken before, was this token's intent posted. That tokens
// and vouchers are genuine was seen in verify_token.c.
#include "internal.h"
#include "proto/token.h"

enum { TRIM_PER_SLICE = 1024 };

// A stored intent is its token spent: nothing else is to be written (PROTOCOL.md §13.3).
static enum err check_token(struct service *service, const struct command *command)
{
	const struct right *right = &command->right;
	struct intent other;
	if (right->token || id_equal(&right->intent, &command->sender))
		return right->token;
	return store_intent_find(service->store, &right->intent, &other) ? ERR_TOKEN_SPENT : ERR_TOKEN_BAD;
}

enum err right_check(struct service *service, const struct command *command)
{
	switch (service->config.posting) {
	case OYEZ__POSTING__POSTING_TOKEN:
		return check_token(service, command);
	case OYEZ__POSTING__POSTING_STAMP:
		return command->right.stamp;
	default:
		return ERR_OK;
	}
}

// The reply says only that the voucher is taken; verify_token.c evaluates the elements on the way out.
enum err handle_issue(struct service *service, const struct command *command, const Oyez__IssueTokens *issue)
{
	struct id elements;
	if (store_issued_find(service->store, command->right.epoch, &command->sender, &elements)) {
		if (!id_equal(&elements, &command->record_hash))
			return ERR_VOUCHER_SPENT;
	} else {
		store_issued_put(service->store, command->right.epoch, &command->sender, &command->record_hash);
		service->wrote = true;
		service->numbers.tokens_issued += issue->n_blinded;
	}
	Oyez__TokensIssued tokens = OYEZ__TOKENS_ISSUED__INIT;
	Oyez__CustomerReply reply = OYEZ__CUSTOMER_REPLY__INIT;
	tokens.epoch = command->right.epoch;
	reply.body_case = OYEZ__CUSTOMER_REPLY__BODY_TOKENS;
	reply.tokens = &tokens;
	reply_customer(service, command->origin, &reply);
	return ERR_OK;
}

void issued_trim(struct service *service)
{
	if (store_issued_trim(service->store, token_epoch_of(service->now_ms), TRIM_PER_SLICE) > 0)
		service->wrote = true;
}
