#include "figures.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static bool reached(const struct figure *figure)
{
	double ratio = figure->ours / figure->peer;
	switch (figure->kind) {
	case RATIO_AT_LEAST:
		return ratio >= figure->goal;
	case RATIO_AT_MOST:
		return ratio <= figure->goal;
	case VALUE_AT_LEAST:
		return figure->ours >= figure->goal;
	case VALUE_AT_MOST:
		return figure->ours <= figure->goal;
	default:
		return true;
	}
}

static bool of_ratio(const struct figure *figure)
{
	return figure->kind == RATIO_AT_LEAST || figure->kind == RATIO_AT_MOST;
}

static bool at_least(const struct figure *figure)
{
	return figure->kind == RATIO_AT_LEAST || figure->kind == VALUE_AT_LEAST;
}

static void print_json(const struct figure *figure)
{
	json_t *line = json_pack("{s:s, s:s, s:s, s:f}", "bench", figure->bench, "what", figure->what, "unit", figure->unit,
	                         "ours", figure->ours);
	if (figure->size_of) {
		json_object_set_new(line, "size", json_real(figure->size));
		json_object_set_new(line, "size_of", json_string(figure->size_of));
	}
	if (figure->peer_name) {
		json_object_set_new(line, "peer_name", json_string(figure->peer_name));
		json_object_set_new(line, "peer", json_real(figure->peer));
		json_object_set_new(line, "ratio", json_real(figure->ours / figure->peer));
	}
	if (figure->kind) {
		json_object_set_new(line, "goal", json_real(figure->goal));
		json_object_set_new(line, "goal_of", json_string(of_ratio(figure) ? "ratio" : "ours"));
		json_object_set_new(line, "goal_is", json_string(at_least(figure) ? "at least" : "at most"));
		json_object_set_new(line, "reached", json_boolean(reached(figure)));
	}
	json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(line);
}

void figure_print(const struct figure *figure, bool json)
{
	if (json) {
		print_json(figure);
	} else {
		printf("%s, %s", figure->bench, figure->what);
		if (figure->size_of)
			printf(", %.0f %s", figure->size, figure->size_of);
		printf(": %.4g %s", figure->ours, figure->unit);
		if (figure->peer_name)
			printf("; %s %.4g, ratio %.3g", figure->peer_name, figure->peer, figure->ours / figure->peer);
		if (figure->kind)
			printf(" (goal: %s at %s %.4g: %s)", of_ratio(figure) ? "ratio" : "ours",
			       at_least(figure) ? "least" : "most", figure->goal, reached(figure) ? "reached" : "not reached");
		putchar('\n');
	}
	fflush(stdout);
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

double figure_quantile(double *values, size_t count, double share)
{
	if (count == 0)
		give_up("nothing was measured");
	qsort(values, count, sizeof *values, compare);
	size_t at = (size_t)(share * (double)count);
	return values[at < count ? at : count - 1];
}

void options_read(int argc, char **argv, const struct option_of *options, size_t count)
{
	for (int i = 1; i < argc; i++) {
		const struct option_of *found = NULL;
		for (size_t o = 0; o < count && strncmp(argv[i], "--", 2) == 0; o++)
			if (strcmp(argv[i] + 2, options[o].name) == 0)
				found = &options[o];
		char *end = NULL;
		if (found && found->flag)
			*found->flag = true;
		else if (found && i + 1 < argc)
			*found->number = strtod(argv[++i], &end);
		if (!found || (found->number && (!end || *end || *found->number < 0))) {
			fprintf(stderr, "oyez-bench %s: what is \"%s\"? see oyez-bench --help\n", argv[0], argv[i]);
			exit(2);
		}
	}
}
