// Questions and details requests of vendors, and the customer's answers. What is asked and answered is sealed.
#include "hold.h"
#include "internal.h"

static enum err question_new(struct service *service, const struct command *command, const Oyez__SendQuestion *message)
{
	struct intent intent;
	bool excluded;
	struct release_id release = release_id_of_wire(message->release_id);
	enum err err = check_fresh(service, command);
	if (!err)
		err = answer_check(service, &release, &intent, &excluded);
	if (err)
		return err;
	struct question_list asked = questions_of(service, &intent.id);
	size_t own = 0;
	for (size_t i = 0; i < asked.count; i++)
		own += id_equal(&asked.items[i].vendor, &command->sender);
	if (own >= QUESTIONS_PER_VENDOR_MAX)
		return ERR_QUESTION_LIMIT;
	struct question question = {
	    .id = id_of_wire(message->question_id),
	    .intent = intent.id,
	    .vendor = command->sender,
	    .record_hash = command->record_hash,
	    .asked_at_ms = service->now_ms,
	    .dropped = excluded,
	};
	store_question_put(service->store, &question);
	service->wrote = true;
	if (excluded)
		return ERR_OK;
	Oyez__VendorMessage delivered = OYEZ__VENDOR_MESSAGE__INIT;
	delivered.id = message->question_id;
	delivered.sealed = message->sealed;
	uint64_t mailbox_seq;
	answer_deliver(service, &intent, false, &delivered, &mailbox_seq);
	return ERR_OK;
}

enum err handle_question(struct service *service, const struct command *command, const Oyez__SendQuestion *message)
{
	struct id id = id_of_wire(message->question_id);
	struct question known;
	if (store_question_find(service->store, &id, &known)) {
		if (!id_equal(&known.record_hash, &command->record_hash))
			return ERR_CONFLICT;
	} else {
		enum err err = question_new(service, command, message);
		if (err)
			return err;
	}
	reply_ack(service, command, &id);
	return ERR_OK;
}

static enum err answer_new(struct service *service, const struct command *command, const struct intent *intent,
                           struct question *question, const Oyez__Answer *message)
{
	enum err err = check_fresh(service, command);
	if (err)
		return err;
	if (!intent_live(intent))
		return ERR_GONE;
	question->answer_hash = command->record_hash;
	store_question_put(service->store, question);
	Oyez__InboxAnswer answer = OYEZ__INBOX_ANSWER__INIT;
	answer.question_id = message->question_id;
	answer.sealed = message->sealed;
	Oyez__InboxItem item = OYEZ__INBOX_ITEM__INIT;
	item.release_id = wire_bytes(intent->release_id.bytes, RELEASE_ID_BYTES);
	item.body_case = OYEZ__INBOX_ITEM__BODY_ANSWER;
	item.answer = &answer;
	hold_item(service, intent, HELD_ANSWER, &question->id, &question->vendor, &item);
	service->wrote = true;
	return ERR_OK;
}

enum err handle_answer(struct service *service, const struct command *command, const Oyez__Answer *message)
{
	static const struct id UNANSWERED;
	struct id id = id_of_wire(message->question_id);
	struct intent intent;
	struct question question;
	if (!intent_load(service, &command->sender, &intent) || !store_question_find(service->store, &id, &question) ||
	    question.dropped)
		return ERR_NOT_FOUND;
	if (!id_equal(&question.intent, &intent.id))
		return ERR_NOT_YOURS;
	if (id_equal(&question.answer_hash, &UNANSWERED)) {
		enum err err = answer_new(service, command, &intent, &question, message);
		if (err)
			return err;
	} else if (!id_equal(&question.answer_hash, &command->record_hash)) {
		return ERR_CONFLICT;
	}
	reply_ack(service, command, &id);
	return ERR_OK;
}
