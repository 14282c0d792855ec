// Runs the rules over a text, in the order of scrub.json: what an earlier rule has found is not looked at again.
// What each condition means stands in PROTOCOL.md §15; here is only their order.
#include "proto/scrub.h"

#include <stdlib.h>
#include <string.h>

#include "proto/scrub_tables.h"

enum { BEFORE_CHARS_MAX = 4 };

struct scan {
	struct scrub_folded text;
	struct scrub_matcher *matcher;
	uint8_t *taken; // per folded character
	size_t limit; // where the next find of an earlier rule begins
	struct scrub_finds *out;
	size_t room;
};

static bool preceded(struct scan *scan, const struct scrub_pattern *pattern, size_t start)
{
	for (size_t back = 1; pattern && back <= BEFORE_CHARS_MAX && back <= start; back++) {
		if (scrub_match_all(scan->matcher, pattern, scan->text.chars, start - back, start))
			return true;
	}
	return false;
}

static bool begins_with(struct scan *scan, const struct scrub_pattern *pattern, size_t at)
{
	return pattern && scrub_match_at(scan->matcher, pattern, scan->text.chars, at, scan->text.count) != SIZE_MAX;
}

// What belongs to a find but is no condition of it: a town behind a street.
static size_t with_tail(struct scan *scan, const struct scrub_rule *rule, size_t end)
{
	for (size_t i = 0; i < rule->tail_count; i++) {
		for (unsigned times = 0; times < rule->tail[i].times; times++) {
			size_t longer = scrub_match_at(scan->matcher, rule->tail[i].match, scan->text.chars, end, scan->limit);
			if (longer == SIZE_MAX || begins_with(scan, rule->not_after, longer) ||
			    !scrub_case_holds(rule->tail[i].letters, &scan->text, end, longer))
				break;
			end = longer;
		}
	}
	return end;
}

// The end of what the rule finds at `start`; SIZE_MAX: nothing.
static size_t rule_at(struct scan *scan, const struct scrub_rule *rule, size_t start)
{
	if (!scrub_may_begin(rule->match, scan->text.chars[start]) || preceded(scan, rule->not_before, start))
		return SIZE_MAX;
	size_t end = scrub_match_at(scan->matcher, rule->match, scan->text.chars, start, scan->limit);
	if (end == SIZE_MAX || begins_with(scan, rule->except, start))
		return SIZE_MAX;
	end = scrub_check_apply(rule->check, &scan->text, start, end);
	if (end == SIZE_MAX || begins_with(scan, rule->not_after, end) ||
	    !scrub_case_holds(rule->letters, &scan->text, start, end))
		return SIZE_MAX;
	if (rule->near.words && !scrub_words_near(&rule->near, &scan->text, start, end))
		return SIZE_MAX;
	if (rule->far.words && scrub_words_near(&rule->far, &scan->text, start, end))
		return SIZE_MAX;
	return with_tail(scan, rule, end);
}

static bool add_find(struct scan *scan, const struct scrub_rule *rule, size_t start, size_t end)
{
	if (scan->out->count == scan->room) {
		size_t room = scan->room ? 2 * scan->room : 8;
		struct scrub_find *items = realloc(scan->out->items, room * sizeof(*items));
		if (!items)
			return false;
		scan->out->items = items;
		scan->room = room;
	}
	size_t from = scan->text.from[start], until = scan->text.until[end - 1];
	scan->out->items[scan->out->count++] = (struct scrub_find){
	    .kind = scrub_kinds[rule->kind].kind, .rule = rule->name, .at = from, .bytes = until - from};
	memset(scan->taken + start, 1, end - start);
	return true;
}

static bool rule_run(struct scan *scan, const struct scrub_rule *rule)
{
	scan->limit = 0;
	for (size_t start = 0; start < scan->text.count;) {
		if (scan->taken[start]) {
			start++;
			continue;
		}
		if (scan->limit <= start) {
			const uint8_t *next = memchr(scan->taken + start, 1, scan->text.count - start);
			scan->limit = next ? (size_t)(next - scan->taken) : scan->text.count;
		}
		size_t end = rule_at(scan, rule, start);
		if (end == SIZE_MAX || end <= start) {
			start++;
		} else if (add_find(scan, rule, start, end)) {
			start = end;
		} else {
			return false;
		}
	}
	return true;
}

static int by_place(const void *a, const void *b)
{
	const struct scrub_find *one = a, *other = b;
	return one->at < other->at ? -1 : one->at > other->at;
}

// In the order of the text. One character may fold to several, and two finds meet in it: the first keeps it.
static void finds_order(struct scrub_finds *finds)
{
	if (finds->count)
		qsort(finds->items, finds->count, sizeof(*finds->items), by_place);
	size_t kept = 0, end = 0;
	for (size_t i = 0; i < finds->count; i++) {
		struct scrub_find find = finds->items[i];
		if (find.at < end) {
			size_t shared = end - find.at < find.bytes ? end - find.at : find.bytes;
			find.at += shared;
			find.bytes -= shared;
		}
		if (find.bytes) {
			finds->items[kept++] = find;
			end = find.at + find.bytes;
		}
	}
	finds->count = kept;
}

enum err scrub_text(const char *text, size_t bytes, struct scrub_finds *out)
{
	struct scan scan = {.out = out};
	*out = (struct scrub_finds){0};
	if (bytes == 0)
		return ERR_OK;
	if (bytes > UINT32_MAX || !scrub_fold(text, bytes, &scan.text))
		return ERR_NO_MEMORY;
	scan.matcher = scrub_matcher_new();
	scan.taken = calloc(1, scan.text.count + 1);
	bool done = scan.matcher && scan.taken;
	for (size_t i = 0; i < scrub_rules_count && done; i++)
		done = rule_run(&scan, &scrub_rules[i]);
	scrub_matcher_free(scan.matcher);
	free(scan.taken);
	scrub_folded_free(&scan.text);
	if (!done) {
		scrub_finds_free(out);
		return ERR_NO_MEMORY;
	}
	finds_order(out);
	return ERR_OK;
}

void scrub_finds_free(struct scrub_finds *finds)
{
	free(finds->items);
	*finds = (struct scrub_finds){0};
}

bool scrub_has_any(const char *text, size_t bytes)
{
	struct scrub_finds finds;
	if (scrub_text(text, bytes, &finds))
		return true;
	bool any = finds.count > 0;
	scrub_finds_free(&finds);
	return any;
}

const char *scrub_kind_word(const char *kind, bool french)
{
	for (size_t i = 0; i < scrub_kinds_count; i++) {
		if (strcmp(scrub_kinds[i].kind, kind) == 0)
			return french ? scrub_kinds[i].french : scrub_kinds[i].english;
	}
	return kind;
}

char *scrub_mask(const char *text, const struct scrub_finds *finds, bool french)
{
	size_t bytes = strlen(text) + 1;
	for (size_t i = 0; i < finds->count; i++)
		bytes += strlen(scrub_kind_word(finds->items[i].kind, french)) + 2;
	char *masked = malloc(bytes), *put = masked;
	size_t at = 0;
	if (!masked)
		return NULL;
	for (size_t i = 0; i < finds->count; i++) {
		const struct scrub_find *find = &finds->items[i];
		const char *word = scrub_kind_word(find->kind, french);
		memcpy(put, text + at, find->at - at);
		put += find->at - at;
		*put++ = '[';
		put = stpcpy(put, word);
		*put++ = ']';
		at = find->at + find->bytes;
	}
	strcpy(put, text + at);
	return masked;
}
