// Runs a fuzz target without libFuzzer, with any compiler: every file of the corpus, then seeded mutations of each.
// The same corpus gives the same inputs every time, so a failure here is a failure everywhere.
//
//   fuzz_request CORPUS             all files and their mutations
//   fuzz_request CORPUS FILE ROUND  one input again, as named by the last line before a crash
//
// OYEZ_FUZZ_ROUNDS sets how many mutations each file gets (default 1000).
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { INPUT_BYTES_MAX = 1 << 20, ROUNDS_DEFAULT = 1000, MUTATIONS_MAX = 8, INSERT_BYTES_MAX = 64 };

struct input {
	uint8_t *bytes; // room for INPUT_BYTES_MAX
	size_t count;
};

// What runs now, for the signal-safe line a crash leaves behind.
static char running[512];

// xorshift64*: good enough to choose bytes, and the same on every machine.
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

static void remove_bytes(struct input *input, size_t at, size_t count)
{
	if (count > input->count - at)
		count = input->count - at;
	memmove(input->bytes + at, input->bytes + at + count, input->count - at - count);
	input->count -= count;
}

static void repeat_bytes(struct input *input, size_t at, size_t count)
{
	if (count > input->count - at)
		count = input->count - at;
	if (input->count + count > INPUT_BYTES_MAX)
		return;
	memmove(input->bytes + at + count, input->bytes + at, input->count - at);
	input->count += count;
}

// One change: a bit, a byte, a telling byte, a cut, a removal, a repetition.
static void mutate(struct input *input, uint64_t *random)
{
	static const uint8_t telling[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0xfe, 0x0a, 0x20};
	uint64_t choice = next_random(random);
	if (input->count == 0) {
		input->bytes[0] = (uint8_t)choice;
		input->count = 1;
		return;
	}
	size_t at = (size_t)(next_random(random) % input->count);
	size_t count = 1 + (size_t)(next_random(random) % INSERT_BYTES_MAX);
	switch (choice % 6) {
	case 0:
		input->bytes[at] ^= (uint8_t)(1 << (choice >> 8) % 8);
		break;
	case 1:
		input->bytes[at] = (uint8_t)(choice >> 8);
		break;
	case 2:
		input->bytes[at] = telling[(choice >> 8) % sizeof(telling)];
		break;
	case 3:
		input->count = at;
		break;
	case 4:
		remove_bytes(input, at, count);
		break;
	default:
		repeat_bytes(input, at, count);
	}
}

// In a block of its own, so that sanitizers see a read past the end.
static void run(const struct input *input)
{
	uint8_t *exact = malloc(input->count ? input->count : 1);
	if (!exact)
		abort();
	memcpy(exact, input->bytes, input->count);
	LLVMFuzzerTestOneInput(exact, input->count);
	free(exact);
}

static uint64_t seed_of(const char *name)
{
	uint64_t seed = UINT64_C(14695981039346656037); // FNV-1a
	for (; *name; name++)
		seed = (seed ^ (uint8_t)*name) * UINT64_C(1099511628211);
	return seed | 1;
}

static void run_round(const char *name, const struct input *original, struct input *scratch, unsigned long round)
{
	snprintf(running, sizeof(running), "%s %lu", name, round);
	memcpy(scratch->bytes, original->bytes, original->count);
	scratch->count = original->count;
	uint64_t random = seed_of(name) + 2 * round * UINT64_C(0x9e3779b97f4a7c15);
	if (round > 0) { // round 0 is the file as it is
		size_t changes = 1 + (size_t)(next_random(&random) % MUTATIONS_MAX);
		for (size_t i = 0; i < changes; i++)
			mutate(scratch, &random);
	}
	run(scratch);
}

static bool read_file(const char *folder, const char *name, struct input *input)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "rb");
	if (!file)
		return false;
	input->count = fread(input->bytes, 1, INPUT_BYTES_MAX, file);
	fclose(file);
	return true;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

// Says which input it was, with async-signal-safe calls only.
static void report_running(int signal_number)
{
	(void)signal_number;
	static const char words[] = "\nfailed at: ";
	if (write(STDERR_FILENO, words, sizeof(words) - 1) < 0 || write(STDERR_FILENO, running, strlen(running)) < 0 ||
	    write(STDERR_FILENO, "\n", 1) < 0)
		_exit(70);
	_exit(70);
}

int main(int argc, char **argv)
{
	if (argc != 2 && argc != 4) {
		fprintf(stderr, "usage: %s CORPUS [FILE ROUND]\n", argv[0]);
		return 2;
	}
	static const int fatal[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		signal(fatal[i], report_running);
	const char *rounds_text = getenv("OYEZ_FUZZ_ROUNDS");
	unsigned long rounds = rounds_text ? strtoul(rounds_text, NULL, 10) : ROUNDS_DEFAULT;
	unsigned long first = argc == 4 ? strtoul(argv[3], NULL, 10) : 0, last = argc == 4 ? first : rounds;
	struct input original = {malloc(INPUT_BYTES_MAX), 0}, scratch = {malloc(INPUT_BYTES_MAX), 0};
	struct dirent **entries;
	int count = scandir(argv[1], &entries, is_visible, alphasort), run_files = 0;
	if (!original.bytes || !scratch.bytes || count < 0) {
		fprintf(stderr, "%s: no such corpus\n", argv[1]);
		return 1;
	}
	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		bool wanted = argc == 2 || strcmp(name, argv[2]) == 0;
		if (wanted && read_file(argv[1], name, &original)) {
			for (unsigned long round = first; round <= last; round++)
				run_round(name, &original, &scratch, round);
			run_files++;
		}
		free(entries[i]);
	}
	free(entries);
	free(original.bytes);
	free(scratch.bytes);
	printf("%d files, %lu inputs each: no crash\n", run_files, last - first + 1);
	return run_files > 0 ? 0 : 1;
}
