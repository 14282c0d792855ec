// oyez-bench: one subcommand for each benchmark. It measures, but first checks that the answers are right.
#define _GNU_SOURCE
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

static const struct bench BENCHES[] = {
    {"match", "--dir DIR [--dump FILE] [--seconds N] [--threads N] [--json]", bench_match},
    {"tick", "[--count N] [--json]", bench_tick},
    {"post", "[--posts N] [--connections N] [--rounds N] [--spoil] [--json]", bench_post},
    {"token", "[--seconds N] [--rounds N] [--spoil] [--json]", bench_token},
    {"memory", "[--connections N] [--intents N] [--waiting N] [--subscriptions N] [--spoil] [--json]", bench_memory},
    {"restart", "[--intents N] [--subscriptions N] [--rounds N] [--spoil] [--json]", bench_restart},
    {"catchup", "[--events N] [--rounds N] [--spoil] [--json]", bench_catchup},
    {"latency", "[--vendors N] [--customers N] [--seconds N] [--rounds N] [--spoil] [--json]", bench_latency},
    {"fanout", "[--subscribers N] [--deliveries N] [--rounds N] [--spoil] [--json]", bench_fanout},
};
enum { BENCH_COUNT = sizeof BENCHES / sizeof *BENCHES };

void give_up(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fputs("oyez-bench: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(1);
}

double seconds_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

size_t memory_resident(void)
{
	malloc_trim(0);
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	size_t kilobytes = 0;
	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "RssAnon: %zu kB", &kilobytes) == 1)
			break;
	if (!file || kilobytes == 0)
		give_up("cannot read RssAnon from /proc/self/status");
	fclose(file);
	return kilobytes * 1024;
}

size_t memory_allocated(void)
{
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

static int usage(FILE *to)
{
	fputs("usage:\n", to);
	for (size_t i = 0; i < BENCH_COUNT; i++)
		fprintf(to, "  oyez-bench %s %s\n", BENCHES[i].name, BENCHES[i].usage);
	return to == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage(stderr);
	if (strcmp(argv[1], "--help") == 0)
		return usage(stdout);
	for (size_t i = 0; i < BENCH_COUNT; i++)
		if (strcmp(argv[1], BENCHES[i].name) == 0)
			return BENCHES[i].run(argc - 1, argv + 1);
	fprintf(stderr, "oyez-bench: no benchmark \"%s\"\n", argv[1]);
	return usage(stderr);
}
