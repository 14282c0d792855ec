"""What integration tests share: a broker of their own on free loopback ports, the CLI with --json, waiting on
conditions. Standard library only. It asserts nothing about the product itself.

    from oyez_test import Broker, home, oyez, wait_for

    with Broker() as broker:
        oyez("alice", "wallet", "init")
        intent = oyez("alice", "want", "a coffee machine", "--category", "home.kitchen.coffee-machine",
                      "--region", "FR")[0]["intent"]
        wait_for(lambda: oyez("alice", "show", intent)[0]["status"] == "released")

OYEZ_BUILD_DIR names the build folder (default: build/ of the source tree).
"""
import atexit
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import traceback

SOURCE = pathlib.Path(os.environ.get("OYEZ_SOURCE_DIR") or pathlib.Path(__file__).resolve().parents[2])
BUILD = pathlib.Path(os.environ.get("OYEZ_BUILD_DIR") or SOURCE / "build")
SANITIZED = os.environ.get("OYEZ_SANITIZED", "OFF") in ("ON", "1", "TRUE")
PATIENCE = 60.0 if SANITIZED else 20.0  # seconds until a condition that should hold is given up

_scratch = pathlib.Path(tempfile.mkdtemp(prefix="oyez-"))
atexit.register(shutil.rmtree, _scratch, ignore_errors=True)
_current = None  # the broker started last: where oyez() goes unless told otherwise


def oyezd_path():
    return BUILD / "broker" / "oyezd"


def oyez_path():
    return BUILD / "clients" / "oyez"


def scratch(name):
    """A path in this test's own temporary folder, removed at its end."""
    return _scratch / name


def home(name):
    """The home folder of a customer or vendor by that name."""
    return _scratch / "homes" / str(name)


def wait_for(predicate, deadline=None, what="the condition"):
    """Calls predicate until it gives something true, and returns that. AssertionError after `deadline` seconds."""
    until = time.monotonic() + (deadline or PATIENCE)
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.02)


def clean_environment(**more):
    """The environment without OYEZ_* of the caller, so that tests see defaults."""
    keep = {name: value for name, value in os.environ.items() if not name.startswith("OYEZ_")}
    keep.update({name: str(value) for name, value in more.items() if value is not None})
    return keep


class Broker:
    """A running oyezd. Extra words are given to it as flags; the last of a repeated flag wins. Crowds of 1, so that
    a single intent is released, unless a test says otherwise (None: as configured).

    .url tcp address, .ipc address of the operator's socket, .admin "host:port" of health and metrics,
    .data its folder, .key its identity in hex, .log all log lines so far as dicts, .process.
    """

    def __init__(self, *flags, data=None, env=None, clock_rate=None, tick="100ms", crowd=1, start=True):
        self.flags = ([] if crowd is None else ["--crowd", str(crowd)]) + [str(flag) for flag in flags]
        self.tick = tick
        self.data = pathlib.Path(data) if data else pathlib.Path(tempfile.mkdtemp(dir=_scratch, prefix="data-"))
        self.env = dict(env or {})
        if clock_rate:
            self.env["OYEZ_TEST_CLOCK_RATE"] = clock_rate
        self.log = []
        self.process = None
        self.url = "tcp://127.0.0.1:0"
        self.admin = "127.0.0.1:0"
        self.ipc = self.key = None
        if start:
            self.start()

    def start(self):
        """Starts oyezd and waits until it says it is ready."""
        global _current
        command = [str(oyezd_path()), "--data", str(self.data), "--listen", self.url, "--admin", self.admin,
                   "--tick", self.tick, *self.flags]
        self._lines_before = len(self.log)
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, env=clean_environment(**self.env))
        self._reader = threading.Thread(target=self._read_log, args=(self.process.stderr,), daemon=True)
        self._reader.start()
        ready = wait_for(lambda: self.event("ready") or self._ended(), what="the broker to be ready")
        if ready is True:
            raise AssertionError(f"oyezd ended with {self.process.returncode}: {self.log[self._lines_before:]}")
        addresses = ready["listen"].split()
        self.url = next(url for url in addresses if not url.startswith("ipc:"))
        self.ipc = next((url for url in addresses if url.startswith("ipc:")), None)
        self.admin = ready["admin"]
        self.key = ready["key"]
        _current = self
        return self

    def _ended(self):
        if self.process.poll() is None:
            return False
        self._reader.join(5)
        return not self.event("ready")

    def _read_log(self, stream):
        for line in stream:
            text = line.decode("utf-8", "replace").rstrip("\n")
            try:
                self.log.append(json.loads(text))
            except ValueError:
                self.log.append({"event": "not json", "text": text})

    def event(self, name):
        """The first line of this run with that event, None so far."""
        return next((line for line in list(self.log)[self._lines_before:]
                     if isinstance(line, dict) and line.get("event") == name), None)

    def port(self):
        return int(self.url.rsplit(":", 1)[1])

    def get(self, path, method="GET"):
        """(status, text) of a page of the admin port."""
        host, port = self.admin.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def metrics(self):
        """Name (with its labels) to number."""
        status, text = self.get("/metrics")
        assert status == 200, status
        pairs = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def stop(self):
        """SIGTERM; its exit code once it drained."""
        return self.end(signal.SIGTERM)

    def kill(self):
        """As in a power cut."""
        return self.end(signal.SIGKILL)

    def end(self, sign):
        if self.process.poll() is None:
            self.process.send_signal(sign)
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def restart(self, kill=False):
        """Ends it and starts it again on the same folder and ports."""
        if kill:
            self.kill()
        else:
            code = self.stop()
            assert code == 0, f"oyezd ended with {code}: {self.log[-5:]}"
        return self.start()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.process is None or self.process.poll() is not None:
            return
        code = self.stop()
        if kind is None:
            assert code == 0, f"oyezd ended with {code}: {self.log[-20:]}"
        else:
            print("last log lines of the broker:", *self.log[-10:], sep="\n  ")


class Outcome:
    """What one call of the CLI gave: .code, .lines (parsed), .text (stdout), .errors (stderr)."""

    def __init__(self, command, code, text, errors):
        self.command, self.code, self.text, self.errors = command, code, text, errors
        self.lines = []
        for line in text.splitlines():
            with contextlib.suppress(ValueError):
                self.lines.append(json.loads(line))

    def error(self):
        """The error's stable code, None if there was none."""
        found = (line["error"] for line in self.lines if isinstance(line, dict) and "error" in line)
        return next((error["code"] for error in found), None)

    def __repr__(self):
        return f"{' '.join(self.command)}\n  exit {self.code}\n  stdout {self.text!r}\n  stderr {self.errors!r}"


def cli_command(who, *args, broker=None, json_output=True, env=None):
    """Command and environment of `oyez` for the home `who` (a name, or a path)."""
    target = broker or _current
    where = who if isinstance(who, pathlib.Path) else home(who)
    where.parent.mkdir(parents=True, exist_ok=True)
    url = getattr(target, "url", target)
    if args and args[0] == "admin" and getattr(target, "ipc", None):
        url = target.ipc
    environment = clean_environment(OYEZ_HOME=where, OYEZ_PASSPHRASE="", OYEZ_BROKER=url, LC_ALL="C.UTF-8")
    rate = getattr(target, "env", {}).get("OYEZ_TEST_CLOCK_RATE")
    if rate:
        environment["OYEZ_TEST_CLOCK_RATE"] = str(rate)
    environment.update(env or {})
    return [str(oyez_path()), *(["--json"] if json_output else []), *map(str, args)], environment


def oyez_run(who, *args, broker=None, timeout=None, stdin=None, json_output=True, env=None):
    """Runs the CLI to its end, whatever its exit code: an Outcome."""
    command, environment = cli_command(who, *args, broker=broker, json_output=json_output, env=env)
    done = subprocess.run(command, env=environment, input=stdin, capture_output=True, text=True,
                          timeout=timeout or 3 * PATIENCE, **({} if stdin is not None else {"stdin": subprocess.DEVNULL}))
    return Outcome(command, done.returncode, done.stdout, done.stderr)


def oyez(who, *args, ok=True, **options):
    """Runs the CLI and gives its JSON lines. With ok=True anything but exit code 0 is an AssertionError."""
    outcome = oyez_run(who, *args, **options)
    assert not ok or outcome.code == 0, outcome
    return outcome.lines


def oyez_start(who, *args, broker=None, json_output=True):
    """Starts a command that goes on (agent, watch, bot): a Popen with text pipes. The caller ends it."""
    command, environment = cli_command(who, *args, broker=broker, json_output=json_output)
    return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def main(namespace):
    """Runs every function test_* of a module in order; the exit code is that of the test."""
    if not oyezd_path().exists():
        print(f"{oyezd_path()} is not built")
        raise SystemExit(1)
    failed = []
    for name, test in list(namespace.items()):
        if name.startswith("test_") and callable(test):
            started = time.monotonic()
            try:
                test()
                print(f"ok {name} ({time.monotonic() - started:.1f} s)", flush=True)
            except Exception:  # one failing test does not keep the others from running
                traceback.print_exc()
                print(f"FAILED {name}", flush=True)
                failed.append(name)
    raise SystemExit(1 if failed else 0)
