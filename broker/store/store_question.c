// Questions: one row each, by id, and a link from their intent.
#include "store_internal.h"

_Static_assert(sizeof(struct question) == 176, "question_fields lists every field of struct question");

static void question_fields(struct row *row, void *value)
{
	struct question *question = value;
	row_id(row, &question->intent);
	row_id(row, &question->vendor);
	row_id(row, &question->record_hash);
	row_id(row, &question->answer_hash);
	row_u64(row, &question->asked_at_ms);
	row_u8(row, &question->dropped);
}

bool store_question_find(struct store *store, const struct id *id, struct question *out)
{
	*out = (struct question){.id = *id};
	return store_row_find(store, KV_QUESTION, id, question_fields, out);
}

void store_question_put(struct store *store, const struct question *question)
{
	struct question copy = *question;
	store_row_put(store, KV_QUESTION, &question->id, question_fields, &copy, ROW_BYTES_MAX);
	store_link_put(store, &question->intent, LINK_QUESTION, &question->id);
}

struct question_each {
	bool (*each)(void *context, const struct question *question);
	void *context;
};

static bool question_visit(struct store *store, const struct id *id, void *context)
{
	const struct question_each *visit = context;
	struct question question;
	if (store_question_find(store, id, &question))
		return visit->each(visit->context, &question);
	store_damaged(store, KV_QUESTION); // a link leads nowhere
	return false;
}

void store_question_each(struct store *store, const struct id *intent,
                         bool (*each)(void *context, const struct question *question), void *context)
{
	struct question_each visit = {each, context};
	store_link_each(store, intent, LINK_QUESTION, question_visit, &visit);
}
