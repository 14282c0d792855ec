// Runs compiled patterns: a Pike machine, all ways at once in order of preference. One step a character and way, never
// going back, so no text makes it slow; and it picks the same match as a backtracking matcher (a browser's RegExp).
#include <stdlib.h>
#include <string.h>

#include "proto/scrub_tables.h"

struct scrub_matcher {
	uint16_t now[SCRUB_OPS_MAX], next[SCRUB_OPS_MAX], stack[2 * SCRUB_OPS_MAX];
	uint32_t seen[SCRUB_OPS_MAX], turn;
};

struct scrub_matcher *scrub_matcher_new(void)
{
	return calloc(1, sizeof(struct scrub_matcher));
}

void scrub_matcher_free(struct scrub_matcher *matcher)
{
	free(matcher);
}

static bool in_set(const struct scrub_set *set, uint8_t folded)
{
	return set->bits[folded >> 6] >> (folded & 63) & 1;
}

// A new list of ways: none seen yet.
static void turn_begin(struct scrub_matcher *matcher)
{
	if (++matcher->turn == 0) {
		memset(matcher->seen, 0, sizeof(matcher->seen));
		matcher->turn = 1;
	}
}

// Follows splits and jumps from `op`; what then waits for a character, or has matched, joins the list in order.
static size_t follow(struct scrub_matcher *matcher, const struct scrub_pattern *pattern, uint16_t op, uint16_t *list,
                     size_t count)
{
	size_t depth = 0;
	matcher->stack[depth++] = op;
	while (depth) {
		uint16_t at = matcher->stack[--depth];
		if (matcher->seen[at] == matcher->turn)
			continue;
		matcher->seen[at] = matcher->turn;
		const struct scrub_op *step = &pattern->ops[at];
		if (step->code == SCRUB_SPLIT) {
			matcher->stack[depth++] = step->y;
			matcher->stack[depth++] = step->x;
		} else if (step->code == SCRUB_JUMP) {
			matcher->stack[depth++] = step->x;
		} else {
			list[count++] = at;
		}
	}
	return count;
}

// With `whole`, only matches that end at `limit` count.
static size_t run(struct scrub_matcher *matcher, const struct scrub_pattern *pattern, const uint8_t *chars,
                  size_t start, size_t limit, bool whole)
{
	size_t best = SIZE_MAX, count, next_count;
	turn_begin(matcher);
	count = follow(matcher, pattern, 0, matcher->now, 0);
	for (size_t at = start; count; at++) {
		next_count = 0;
		turn_begin(matcher);
		for (size_t i = 0; i < count; i++) {
			const struct scrub_op *step = &pattern->ops[matcher->now[i]];
			if (step->code == SCRUB_MATCH) {
				if (whole && at != limit)
					continue;
				best = at; // the ways behind this one are less preferred
				break;
			}
			if (at < limit && in_set(&scrub_sets[step->x], chars[at]))
				next_count = follow(matcher, pattern, (uint16_t)(matcher->now[i] + 1), matcher->next, next_count);
		}
		memcpy(matcher->now, matcher->next, next_count * sizeof(*matcher->next));
		count = next_count;
	}
	return best;
}

bool scrub_may_begin(const struct scrub_pattern *pattern, uint8_t folded)
{
	return in_set(&pattern->first, folded);
}

size_t scrub_match_at(struct scrub_matcher *matcher, const struct scrub_pattern *pattern, const uint8_t *chars,
                      size_t start, size_t limit)
{
	if (start >= limit || !scrub_may_begin(pattern, chars[start]))
		return SIZE_MAX;
	return run(matcher, pattern, chars, start, limit, false);
}

bool scrub_match_all(struct scrub_matcher *matcher, const struct scrub_pattern *pattern, const uint8_t *chars,
                     size_t start, size_t end)
{
	if (start >= end || !scrub_may_begin(pattern, chars[start]))
		return false;
	return run(matcher, pattern, chars, start, end, true) != SIZE_MAX;
}
