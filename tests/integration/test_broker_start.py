#!/usr/bin/env python3
"""Starting oyezd: configuration, readiness, metrics, what keeps it from starting, what a restart keeps."""
import json
import os
import pathlib
import signal
import socket
import stat
import subprocess
import tempfile
import time

from oyez_test import PATIENCE, Broker, clean_environment, main, oyezd_path, wait_for
from sp import GET_CONFIG, Raw, REPLY, fields


def run(*flags, **environment):
    """Runs oyezd to its end: (exit code, stdout, stderr)."""
    done = subprocess.run([str(oyezd_path()), *map(str, flags)], env=clean_environment(**environment),
                          capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def refusal(*flags, **environment):
    """Runs oyezd that must not start: its one log line that says why."""
    code, _, errors = run(*flags, **environment)
    lines = [json.loads(line) for line in errors.splitlines()]
    told = [line for line in lines if line.get("level") == "error"]
    assert len(told) == 1, errors
    assert told[0]["hint"], told
    return code, told[0]


def config_of(broker):
    """The signed configuration record's fields, asked for over the wire."""
    with Raw(broker) as raw:
        reply = raw.ask(GET_CONFIG)
    assert reply[3] == REPLY, reply[:4]
    signed = dict(fields(dict(fields(reply[4:]))[3]))
    return dict(fields(signed[1])), signed[2]


def test_ready_says_where_and_who():
    with Broker() as broker:
        ready = broker.event("ready")
        assert broker.port() > 0 and not broker.admin.endswith(":0"), ready
        assert len(broker.key) == 64
        config, key = config_of(broker)
        assert config[2].hex() == broker.key == key.hex()
        assert config[5] == b"FR" and config[6] == 1
        status, text = broker.get("/healthz")
        assert (status, text) == (200, "ok\n"), (status, text)
        assert broker.get("/readyz") == (200, "ready\n")
        assert broker.get("/nothing")[0] == 404
        assert broker.get("/metrics", "HEAD") == (200, "")
        assert broker.get("/metrics", "DELETE")[0] in (400, 403, 404, 405)
        assert broker.event("web_not_served")
        path = pathlib.Path(broker.ipc.removeprefix("ipc://"))
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, oct(path.stat().st_mode)
        assert stat.S_IMODE(broker.data.stat().st_mode) == 0o700


def test_metrics():
    with Broker() as broker:
        before = broker.metrics()
        assert before["oyez_resident_memory_bytes"] > 1e6
        assert any(name.startswith("oyez_build_info{version=") for name in before)
        for _ in range(3):
            config_of(broker)
        after = wait_for(lambda: (now := broker.metrics())["oyez_connections"] == 0 and now)
        assert after["oyez_requests_total"] == before["oyez_requests_total"] + 3
        assert after["oyez_replies_total"] == before["oyez_replies_total"] + 3
        assert after["oyez_connections_accepted_total"] == before["oyez_connections_accepted_total"] + 3
        assert after["oyez_requests_in_flight"] == 0
        wait_for(lambda: broker.metrics()["oyez_commits_total"] > 0)  # the state thread turns


def test_restart_keeps_identity_and_number():
    with Broker() as broker:
        key, config = broker.key, config_of(broker)[0]
        broker.restart()
        assert broker.key == key
        assert config_of(broker)[0] == config  # same number, same content
        broker.restart(kill=True)
        assert config_of(broker)[0] == config
        broker.flags += ["--crowd", "3"]
        broker.restart()
        changed = config_of(broker)[0]
        assert changed[1] == config[1] + 1 and changed[6] == 3, changed


def test_gateway_key_rotates():
    with Broker(clock_rate=20000) as broker:  # a day in 4.3 s
        first = config_of(broker)[0]
        assert broker.event("test_clock")
        later = wait_for(lambda: (now := config_of(broker)[0])[1] > first[1] and now)
        newest = dict(fields(later[4]))  # of repeated fields the last one stays: the oldest key
        assert newest[2] == dict(fields(first[4]))[2], "the key before stays accepted"
        wait_for(lambda: broker.event("compacted"))


def test_two_on_one_folder():
    with Broker() as broker:
        code, line = refusal("--data", broker.data, "--listen", "tcp://127.0.0.1:0", "--admin", "off")
        assert code == 1 and "another oyezd" in line["problem"], line
        config_of(broker)  # the first one does not mind


def test_port_in_use():
    with socket.socket() as taken, tempfile.TemporaryDirectory() as data:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, line = refusal("--data", data, "--listen", f"tcp://127.0.0.1:{port}", "--admin", "off")
        assert code == 1 and line["where"].endswith(str(port)) and "another program" in line["hint"], line
        code, line = refusal("--data", data, "--listen", "tcp://127.0.0.1:0", "--admin", f"127.0.0.1:{port}")
        assert code == 1 and line["where"].endswith(str(port)), line


def test_unusable_folder():
    with tempfile.TemporaryDirectory() as data:
        blocked = pathlib.Path(data) / "file"
        blocked.write_text("in the way")
        code, line = refusal("--data", blocked / "deeper", "--admin", "off")
        assert code == 1 and "folder" in line["problem"], line
        if os.geteuid() != 0:
            os.chmod(data, 0o500)
            code, line = refusal("--data", pathlib.Path(data) / "new", "--admin", "off")
            os.chmod(data, 0o700)
            assert code == 1 and "folder" in line["problem"], line


def test_check_config_names_line_and_problem():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "oyezd.yaml"
        path.write_text("tick: 1s\ncrwod: 3\n")
        code, _, errors = run("--config", path, "--check-config")
        assert code == 2 and f"{path}:2" in errors and "did you mean crowd" in errors, errors
        path.write_text(f"data: {folder}/data\ntick: 1s\n")
        code, out, _ = run("--config", path, "--check-config")
        assert code == 0 and "right" in out
        assert not (pathlib.Path(folder) / "data").exists(), "the store was touched"
        code, out, _ = run("--config", path, "--print-config", "--crowd", 4, OYEZ_REGION="FR-BRE")
        assert code == 0 and f"tick: 1s  # {path}:2" in out and "crowd: 4  # --crowd" in out, out
        assert "region: FR-BRE  # OYEZ_REGION" in out and "vendors_per_intent: 50  # default" in out, out
        sample = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "oyezd.yaml"
        assert run("--config", sample, "--check-config")[0] == 0
        with_all = "\n".join(line[1:] if line.startswith("#") and line[1:2] not in (" ", "\n", "") or
                             line.startswith("#  - ") else line
                             for line in sample.read_text().splitlines() if "tls_" not in line)
        path.write_text(with_all)
        code, _, errors = run("--config", path, "--check-config")
        assert code == 0, errors


def test_usage():
    code, _, errors = run("--crowds", "3")
    assert code == 2 and "--crowd" in errors, errors
    assert run("--help")[0] == 0
    code, out, _ = run("--version")
    assert code == 0 and out.startswith("oyezd "), out
    code, line = refusal("--listen", "tcp://0.0.0.0:0", OYEZ_TEST_CLOCK_RATE="10")
    assert code == 2 and line["where"] == "OYEZ_TEST_CLOCK_RATE", line
    code, line = refusal("--tick", "soon")
    assert code == 2 and line["where"] == "--tick", line


def make_certificate(folder):
    certificate, key = pathlib.Path(folder) / "cert.pem", pathlib.Path(folder) / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
                    "-days", "2", "-subj", "/CN=localhost"], check=True, capture_output=True)
    return certificate, key


def test_tls_listener():
    import ssl
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = make_certificate(folder)
        code, line = refusal("--data", f"{folder}/other", "--listen", "tls+tcp://127.0.0.1:0", "--admin", "off",
                             "--tls-certificate", certificate, "--tls-key", certificate)
        assert code == 1 and "TLS" in line["hint"], line
        with Broker("--listen", "tls+tcp://127.0.0.1:0", "--tls-certificate", certificate,
                    "--tls-key", key) as broker:
            urls = broker.event("ready")["listen"].split()
            port = int(next(url for url in urls if url.startswith("tls")).rsplit(":", 1)[1])
            context = ssl.create_default_context(cafile=str(certificate))
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain:
                with context.wrap_socket(plain, server_hostname="localhost") as secured:
                    raw = Raw.__new__(Raw)
                    raw.socket = secured
                    secured.sendall(b"\x00SP\x00\x00\x30\x00\x00")
                    assert raw.read(8) == b"\x00SP\x00\x00\x31\x00\x00"
                    assert raw.ask(GET_CONFIG)[3] == REPLY
            config_of(broker)


def test_reload():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "oyezd.yaml"
        path.write_text("crowd: 2\nregion: FR\n")
        with Broker("--config", path, crowd=None) as broker:
            before = config_of(broker)[0]
            assert before[6] == 2
            path.write_text("crowd: 5\nregion: DE\n")
            broker.process.send_signal(signal.SIGHUP)
            after = wait_for(lambda: (now := config_of(broker)[0])[1] > before[1] and now)
            assert after[6] == 5
            assert wait_for(lambda: broker.event("needs_restart"))["setting"] == "region"
            path.write_text("crowd: many\n")
            broker.process.send_signal(signal.SIGHUP)
            line = wait_for(lambda: broker.event("reload_refused"))
            assert line["where"] == f"{path}:1", line
            assert config_of(broker)[0] == after


def test_nothing_of_a_half_start_stays():
    with tempfile.TemporaryDirectory() as data:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            refusal("--data", data, "--listen", f"tcp://127.0.0.1:{taken.getsockname()[1]}", "--admin", "off")
        started = time.monotonic()
        with Broker(data=data) as broker:
            config_of(broker)
        assert time.monotonic() - started < PATIENCE


if __name__ == "__main__":
    main(globals())
