#define _GNU_SOURCE
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "proto/sign.h"

enum { FOLDERS_MAX = 256, ARGUMENTS_MAX = 48, READY_S_MAX = 300 };

static char folders[FOLDERS_MAX][64];
static int folder_count;
static pid_t harness; // only it removes folders

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status, (void)type, (void)walk;
	return remove(path);
}

static void remove_folders(void)
{
	for (int i = 0; getpid() == harness && i < folder_count; i++)
		nftw(folders[i], remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *folder_new(void)
{
	const char *base = getenv("TMPDIR");
	if (folder_count == FOLDERS_MAX)
		give_up("too many folders");
	char *folder = folders[folder_count];
	snprintf(folder, sizeof folders[0], "%.40s/oyez-bench-XXXXXX", base ? base : "/var/tmp");
	if (!mkdtemp(folder))
		give_up("no folder to be had: %s: %s", folder, strerror(errno));
	if (folder_count++ == 0) {
		harness = getpid();
		atexit(remove_folders);
	}
	return folder;
}

pid_t child_fork(void)
{
	fflush(NULL);
	pid_t parent = getpid(), pid = fork();
	if (pid < 0)
		give_up("fork: %s", strerror(errno));
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
	}
	return pid;
}

pid_t child_start(const char *const *arguments, const char *log)
{
	pid_t pid = child_fork();
	if (pid > 0)
		return pid;
	int fd = open(log ? log : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(fd, 1);
	dup2(fd, 2);
	execv(arguments[0], (char *const *)(uintptr_t)arguments);
	_exit(127);
}

int child_end(pid_t pid, int number)
{
	int status = 0;
	if (number)
		kill(pid, number);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

double child_cpu_seconds(pid_t pid)
{
	clockid_t clock;
	struct timespec time;
	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0)
		give_up("process %d has no clock", (int)pid);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

size_t child_memory(pid_t pid)
{
	char path[64], line[256];
	size_t kilobytes = 0;
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	FILE *file = fopen(path, "r");
	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "RssAnon: %zu kB", &kilobytes) == 1)
			break;
	if (!file || kilobytes == 0)
		give_up("cannot read RssAnon from %s", path);
	fclose(file);
	return kilobytes * 1024;
}

bool child_program(const char *name, char path[256])
{
	static const char *const places[] = {"/usr/local/bin", "/usr/bin", "/usr/sbin", "/usr/local/sbin"};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		snprintf(path, 256, "%s/%s", places[i], name);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

// ---- oyezd

static void program_path(char path[512])
{
	const char *given = getenv("OYEZD");
	ssize_t count = readlink("/proc/self/exe", path, 400);
	if (given) {
		snprintf(path, 512, "%s", given);
		return;
	}
	path[count < 0 ? 0 : count] = 0;
	char *end = strstr(path, "/tests/bench/");
	if (!end)
		give_up("where is oyezd? set OYEZD");
	strcpy(end, "/broker/oyezd");
}

// The line that says it is ready; false if it is not there yet.
static bool read_ready(struct oyezd *oyezd, const char *log)
{
	char line[4096], *space;
	bool ready = false;
	FILE *file = fopen(log, "r");
	while (file && !ready && fgets(line, sizeof line, file)) {
		json_t *object = strstr(line, "\"ready\"") ? json_loads(line, 0, NULL) : NULL;
		const char *listen = json_string_value(json_object_get(object, "listen"));
		const char *key = json_string_value(json_object_get(object, "key"));
		if (listen && key && hex_decode(key, oyezd->key, sizeof oyezd->key)) {
			snprintf(oyezd->url, sizeof oyezd->url, "%s", listen);
			if ((space = strchr(oyezd->url, ' ')))
				*space = 0;
			const char *ipc = strstr(listen, "ipc://");
			snprintf(oyezd->ipc, sizeof oyezd->ipc, "%s", ipc ? ipc : "");
			ready = true;
		}
		json_decref(object);
	}
	if (file)
		fclose(file);
	return ready;
}

void oyezd_start(struct oyezd *oyezd, const char *folder, const char *const *options)
{
	char program[512], data[256], log[256];
	snprintf(data, sizeof data, "%s/data", folder);
	snprintf(log, sizeof log, "%s/log", folder);
	snprintf(oyezd->folder, sizeof oyezd->folder, "%s", folder);
	program_path(program);
	unlink(log);
	const char *arguments[ARGUMENTS_MAX] = {program, "--data",    data,      "--listen",    "tcp://127.0.0.1:0",
	                                        "--web", "off",       "--admin", "off",         "--crowd",
	                                        "1",     "--vendors", "open",    "--retention", "30d"};
	size_t count = 15;
	while (options && *options && count < ARGUMENTS_MAX - 1)
		arguments[count++] = *options++;
	double start = seconds_now();
	oyezd->pid = child_start(arguments, log);
	while (!read_ready(oyezd, log)) {
		struct timespec pause = {.tv_nsec = 1000 * 1000};
		int status;
		if (waitpid(oyezd->pid, &status, WNOHANG) == oyezd->pid || seconds_now() - start > READY_S_MAX)
			give_up("oyezd does not start: see %s", log);
		nanosleep(&pause, NULL);
	}
	oyezd->ready_after_s = seconds_now() - start;
}

void oyezd_stop(struct oyezd *oyezd)
{
	if (child_end(oyezd->pid, SIGTERM) != 0)
		give_up("oyezd did not end well: see %s/log", oyezd->folder);
}

void oyezd_kill(struct oyezd *oyezd)
{
	child_end(oyezd->pid, SIGKILL);
}
