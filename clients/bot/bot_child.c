// A long-lived program on two pipes: started in a process group of its own, restarted with back-off, never waited for.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clients/bot/bot.h"

enum {
	READ_BYTES = 8 * 1024, // at once, so that one talkative program cannot keep us from everything else
	BACKOFF_MIN_MS = 200,
	BACKOFF_MAX_MS = 30 * 1000,
	SETTLED_MS = 10 * 1000, // who lived this long did not die of its start
	TERM_GRACE_MS = 1000,
};

extern char **environ;

uint64_t bot_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

// The program gets the signals' usual meaning back, and a group of its own: Ctrl-C is for the runner to handle.
static int spawn(const char *command, int in, int out, pid_t *pid)
{
	char shell[] = "sh", option[] = "-c";
	char *const words[] = {shell, option, (char *)command, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	int err = posix_spawn(pid, "/bin/sh", &actions, &attributes, words, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return err;
}

bool child_start(struct child *child)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1};

	child->in_fd = child->out_fd = -1;
	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) {
		close_fd(&in[0]);
		close_fd(&in[1]);
		return false;
	}
	int err = spawn(child->command, in[0], out[1], &child->pid);
	close(in[0]);
	close(out[1]);
	if (err) {
		close(in[1]);
		close(out[0]);
		child->pid = 0;
		errno = err;
		return false;
	}
	child->in_fd = in[1];
	child->out_fd = out[0];
	fcntl(child->in_fd, F_SETFL, O_NONBLOCK);
	fcntl(child->out_fd, F_SETFL, O_NONBLOCK);
	child->out_count = 0;
	child->queued_bytes = child->written_bytes = 0;
	child->started_at_ms = bot_now_ms();
	return true;
}

void child_queue(struct child *child, const char *line, size_t bytes)
{
	size_t needed = child->out_count + bytes + 1;

	if (needed > child->out_room) {
		child->out_room = needed + needed / 2;
		child->out = realloc(child->out, child->out_room);
		if (!child->out)
			abort();
	}
	memcpy(child->out + child->out_count, line, bytes);
	child->out[child->out_count + bytes] = '\n';
	child->out_count = needed;
	child->queued_bytes += bytes + 1;
}

bool child_write(struct child *child)
{
	while (child->out_count > 0 && child->in_fd >= 0) {
		ssize_t wrote = write(child->in_fd, child->out, child->out_count);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return errno == EAGAIN;
		child->written_bytes += (uint64_t)wrote;
		child->out_count -= (size_t)wrote;
		memmove(child->out, child->out + wrote, child->out_count);
	}
	return true;
}

bool child_read(struct child *child, lines_each *each, void *context)
{
	char bytes[READ_BYTES];
	ssize_t got = read(child->out_fd, bytes, sizeof(bytes));

	if (got > 0)
		lines_feed(&child->lines, bytes, (size_t)got, each, context);
	return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

bool child_ended(struct child *child)
{
	siginfo_t info = {0};

	return child->pid > 0 && waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == child->pid;
}

static void wait_until(struct child *child, uint64_t until_ms)
{
	while (!child_ended(child) && bot_now_ms() < until_ms)
		poll(NULL, 0, 10);
}

static void end_words(int status, char words[128])
{
	if (WIFEXITED(status))
		snprintf(words, 128, "exit code %d", WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		snprintf(words, 128, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(words, 128, "status %d", status);
}

static void set_restart(struct child *child)
{
	uint64_t now = bot_now_ms(), delay_ms;

	child->deaths = now - child->started_at_ms >= SETTLED_MS ? 0 : child->deaths + 1;
	unsigned shift = child->deaths > 8 ? 8 : child->deaths;
	delay_ms = (uint64_t)BACKOFF_MIN_MS << shift;
	child->start_at_ms = now + (delay_ms < BACKOFF_MAX_MS ? delay_ms : BACKOFF_MAX_MS);
}

void child_bury(struct child *child, lines_each *each, void *context, char words[128])
{
	int status = 0;

	close_fd(&child->in_fd);
	if (!child_ended(child)) {
		kill(-child->pid, SIGTERM);
		wait_until(child, bot_now_ms() + TERM_GRACE_MS);
	}
	// Whatever it started goes with it; nobody would read what that says.
	kill(-child->pid, SIGKILL);
	waitpid(child->pid, &status, 0);
	end_words(status, words);
	char bytes[READ_BYTES];
	for (ssize_t got; (got = read(child->out_fd, bytes, sizeof(bytes))) > 0;)
		lines_feed(&child->lines, bytes, (size_t)got, each, context);
	lines_end(&child->lines, each, context);
	close_fd(&child->out_fd);
	lines_fini(&child->lines);
	child->pid = 0;
	child->out_count = 0;
	set_restart(child);
}

void child_stop(struct child *child, uint64_t grace_ms, lines_each *each, void *context)
{
	uint64_t until_ms = bot_now_ms() + grace_ms;
	char words[128];

	if (child->pid > 0) {
		close_fd(&child->in_fd);
		for (bool open = true; open && bot_now_ms() < until_ms;) {
			struct pollfd fd = {.fd = child->out_fd, .events = POLLIN};

			if (poll(&fd, 1, 20) > 0)
				open = child_read(child, each, context);
			else
				open = !child_ended(child);
		}
		wait_until(child, until_ms);
		child_bury(child, each, context, words);
	}
	free(child->out);
	child->out = NULL;
	child->out_room = 0;
}
