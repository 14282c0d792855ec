// What `oyez` reads: options' values, files, the passphrase, and the connection to the broker named.
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "clients/cli/cli.h"
#include "proto/values.h"

int cli_getopt(struct cli *cli, int argc, char **argv, const struct option *options)
{
	opterr = 0;
	int index = 0;
	int option = getopt_long(argc, argv, ":", options, &index);
	if (option == ':') {
		cli_usage(cli, cli->command, cli_word(cli, "%s needs a value", "%s demande une valeur"), argv[optind - 1]);
		return CLI_BAD_OPTION;
	}
	if (option == '?') {
		cli_usage(cli, cli->command, cli_word(cli, "unknown option %s", "option inconnue %s"), argv[optind - 1]);
		return CLI_BAD_OPTION;
	}
	return option;
}

bool cli_words(struct cli *cli, int argc, int count)
{
	int left = argc - optind;
	if (left == count)
		return true;
	if (left < count)
		cli_usage(cli, cli->command, "%s", cli_word(cli, "something is missing", "il manque quelque chose"));
	else
		cli_usage(cli, cli->command, cli_word(cli, "%d words too many", "%d mots de trop"), left - count);
	return false;
}

bool cli_wait_parse(struct cli *cli, const char *text, uint64_t *wait_ms)
{
	char *end = NULL;
	errno = 0;
	bool digits = isdigit((unsigned char)*text);
	double seconds = digits ? strtod(text, &end) : -1;
	if (digits && *end == 0 && isfinite(seconds) && seconds >= 0 && seconds <= 1e9) {
		*wait_ms = (uint64_t)(seconds * 1000);
		return true;
	}
	if (digits && duration_parse(text, wait_ms) == ERR_OK)
		return true;
	cli_usage(cli, cli->command,
	          cli_word(cli, "--wait takes seconds, not \"%s\"", "--wait prend des secondes, pas « %s »"), text);
	return false;
}

bool cli_number_parse(struct cli *cli, const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	char *end = NULL;
	errno = 0;
	unsigned long long value = isdigit((unsigned char)*text) ? strtoull(text, &end, 10) : 0;
	if (!end || *end || errno || value < min || value > max) {
		cli_usage(cli, cli->command,
		          cli_word(cli, "%s takes a whole number from %llu to %llu, not \"%s\"",
		                   "%s prend un nombre entier de %llu à %llu, pas « %s »"),
		          option, (unsigned long long)min, (unsigned long long)max, text);
		return false;
	}
	*out = value;
	return true;
}

static enum err file_error(struct oyez_error *error, enum err code, const char *path, const char *why)
{
	error->code = code;
	snprintf(error->detail, sizeof(error->detail), "%.180s: %s", path, why);
	return code;
}

enum err cli_read_file(const char *path, size_t bytes_max, char **text, size_t *bytes, struct oyez_error *error)
{
	*text = NULL;
	*bytes = 0;
	bool standard = strcmp(path, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return file_error(error, ERR_IO, path, strerror(errno));
	enum err err = ERR_OK;
	// One byte more than allowed tells "too large" without reading the rest.
	char *buffer = malloc(bytes_max + 2);
	size_t count = 0;
	while (buffer && count <= bytes_max) {
		ssize_t got = read(fd, buffer + count, bytes_max + 1 - count);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			err = file_error(error, ERR_IO, path, strerror(errno));
		if (got <= 0)
			break;
		count += (size_t)got;
	}
	if (!buffer) {
		err = file_error(error, ERR_NO_MEMORY, path, "");
	} else if (!err && count > bytes_max) {
		char limit[64];
		snprintf(limit, sizeof(limit), "at most %zu bytes", bytes_max);
		err = file_error(error, ERR_TOO_LARGE, path, limit);
	}
	if (!standard)
		close(fd);
	if (err) {
		if (buffer)
			sodium_memzero(buffer, count);
		free(buffer);
		return err;
	}
	buffer[count] = 0;
	*text = buffer;
	*bytes = count;
	return ERR_OK;
}

struct transport *cli_connect(struct cli *cli, const uint8_t *pinned, int *exit_code)
{
	struct transport *transport;
	struct oyez_error error = {0};
	if (transport_open(cli->broker, pinned, &transport, &error) == ERR_OK)
		return transport;
	*exit_code = error.code == ERR_USAGE ? cli_usage(cli, NULL, "--broker %s: %s", cli->broker, error.detail)
	                                     : cli_fail(cli, &error);
	return NULL;
}

// ---- passphrase

static char *ask(FILE *terminal, const char *prompt)
{
	struct termios before, silent;
	bool is_terminal = tcgetattr(fileno(terminal), &before) == 0;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	if (is_terminal)
		tcsetattr(fileno(terminal), TCSAFLUSH, &silent);
	fprintf(stderr, "%s ", prompt);
	fflush(stderr);
	char line[1024] = "";
	if (!fgets(line, sizeof(line), terminal))
		line[0] = 0;
	line[strcspn(line, "\n")] = 0;
	if (is_terminal)
		tcsetattr(fileno(terminal), TCSAFLUSH, &before);
	fputc('\n', stderr);
	char *copy = strdup(line);
	sodium_memzero(line, sizeof(line));
	return copy;
}

static char *ask_twice(struct cli *cli, FILE *terminal)
{
	for (;;) {
		char *first =
		    ask(terminal,
		        cli_word(cli, "New passphrase (empty for none):", "Nouvelle phrase de passe (vide pour aucune) :"));
		char *second = ask(terminal, cli_word(cli, "Once more:", "Encore une fois :"));
		bool equal = first && second && strcmp(first, second) == 0;
		if (second)
			sodium_memzero(second, strlen(second));
		free(second);
		if (equal || feof(terminal))
			return first;
		sodium_memzero(first, first ? strlen(first) : 0);
		free(first);
		cli_note(cli, "The two differ.", "Les deux diffèrent.");
	}
}

char *cli_passphrase(struct cli *cli, bool new_one)
{
	if (cli->passphrase)
		return strdup(cli->passphrase);
	// Without a person at a terminal there is nobody to ask.
	FILE *terminal = isatty(STDIN_FILENO) ? fopen("/dev/tty", "r") : NULL;
	if (!terminal)
		return strdup("");
	char *passphrase =
	    new_one ? ask_twice(cli, terminal) : ask(terminal, cli_word(cli, "Passphrase:", "Phrase de passe :"));
	fclose(terminal);
	return passphrase ? passphrase : strdup("");
}
