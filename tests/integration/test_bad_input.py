#!/usr/bin/env python3
"""What no well-behaved client sends: a clear error with a stable code, the broker unharmed, others undisturbed."""
import contextlib
import os
import random
import socket
import struct
import threading
import time

from oyez_test import PATIENCE, SANITIZED, Broker, main, wait_for
from sp import ADMIN, CELL, CELL_BYTES, GET_CHALLENGE, GET_CONFIG, HANDSHAKE, REPLY, REQUEST, Closed, Raw, error_of, frame

PROMPT = 2.0 if not SANITIZED else 10.0  # seconds in which an undisturbed client is served


@contextlib.contextmanager
def broker_and_bystander(*flags):
    """A broker, and a client that asks for the configuration all the while and must be answered promptly."""
    with Broker(*flags) as broker:
        stop, worst, failures = threading.Event(), [0.0], []

        def stand_by():
            try:
                with Raw(broker, timeout=PATIENCE) as raw:
                    while not stop.is_set():
                        started = time.monotonic()
                        if raw.ask(GET_CONFIG)[3] != REPLY:
                            failures.append("no reply")
                        worst[0] = max(worst[0], time.monotonic() - started)
                        stop.wait(0.01)
            except Exception as error:  # told by the test's own thread
                failures.append(error)

        thread = threading.Thread(target=stand_by)
        thread.start()
        try:
            yield broker
        finally:
            stop.set()
            thread.join()
        assert not failures, failures
        assert worst[0] < PROMPT, f"a bystander waited {worst[0]:.1f} s"
        assert broker.get("/healthz")[0] == 200
        with Raw(broker) as raw:
            assert raw.ask(GET_CONFIG)[3] == REPLY


def test_wrong_frames():
    cases = [
        (b"", "bad_frame"),
        (b"O", "bad_frame"),
        (b"OY\x01", "bad_frame"),
        (b"GET / HTTP/1.1\r\n\r\n", "bad_frame"),
        (frame(REQUEST, b"\x0a\x00", version=2), "bad_version"),
        (frame(REQUEST, b"\x0a\x00", version=0), "bad_version"),
        (frame(0x7F), "unknown_message"),
        (frame(0x81, b"\x0a\x00"), "unknown_message"),  # a reply is no request
        (frame(REQUEST, b"\xff\xff\xff\xff"), "bad_message"),
        (frame(REQUEST, b"\x0a\x05ab"), "bad_message"),  # cut short inside a field
        (frame(CELL), "bad_frame"),
        (frame(CELL, bytes(CELL_BYTES - 5)), "bad_frame"),  # a byte too few
        (frame(CELL, bytes(CELL_BYTES - 3)), "bad_frame"),  # a byte too many
        (frame(CELL, os.urandom(CELL_BYTES - 4)), "cell_sealed"),
        (frame(CELL, bytes(CELL_BYTES - 4)), "cell_sealed"),
        (frame(ADMIN, b"\x0a\x00"), "admin_only"),
        (frame(REQUEST, bytes(65536)), "too_large"),
    ]
    with broker_and_bystander() as broker:
        with Raw(broker) as raw:
            for request, expected in cases:
                code = error_of(raw.ask(request))
                assert code == expected, (request[:16], code, expected)
            empty = error_of(raw.ask(frame(REQUEST)))  # a Request without a body
            assert empty in ("missing_field", "unknown_message", "bad_message"), empty
            assert raw.ask(GET_CHALLENGE)[3] == REPLY
        metrics = broker.metrics()
        assert metrics['oyez_request_errors_total{code="bad_frame"}'] >= 4
        assert metrics['oyez_request_errors_total{code="too_large"}'] == 1


def field(number, payload):
    """A length-delimited protobuf field."""
    count, length = len(payload), b""
    while count > 0x7F:
        length += bytes([count & 0x7F | 0x80])
        count >>= 7
    return bytes([number << 3 | 2]) + length + bytes([count]) + payload


def test_wrong_signed_records():
    def vendor(record, key=bytes(32), signature=bytes(64)):
        return frame(REQUEST, field(3, field(1, record) + field(2, key) + field(3, signature)))

    with broker_and_bystander() as broker, Raw(broker) as raw:
        assert error_of(raw.ask(vendor(b"x"))) in ("bad_key", "bad_message")  # the zero key has small order
        code = error_of(raw.ask(vendor(field(1, bytes(32)), key=os.urandom(32), signature=os.urandom(64))))
        assert code in ("bad_key", "bad_signature", "bad_message", "missing_field"), code
        assert error_of(raw.ask(vendor(b"x", key=b"short"))) in ("bad_value", "bad_key", "bad_message")
        # Invalid UTF-8 and a zero byte inside what should be a text; it is refused whatever is looked at first.
        for text in (b"\xff\xfe", b"a\x00b", b"\xed\xa0\x80"):
            listing = field(1, bytes(32)) + field(2, text)
            code = error_of(raw.ask(vendor(field(1, bytes(32)) + field(11, field(1, listing)))))
            assert code, text
        read = field(1, os.urandom(16)) + field(2, b"") + field(3, os.urandom(32))
        code = error_of(raw.ask(frame(REQUEST, field(4, read))))
        assert code in ("session_unknown", "missing_field", "bad_value", "bad_message"), code


def test_random_frames():
    generator = random.Random(20260101)
    starts = [b"", frame(REQUEST), frame(CELL), frame(ADMIN), GET_CONFIG, frame(REQUEST, b"\x1a"),
              frame(REQUEST, b"\x22")]
    with broker_and_bystander() as broker, Raw(broker) as raw:
        for _ in range(2000 if not SANITIZED else 500):
            request = generator.choice(starts) + generator.randbytes(generator.choice((0, 1, 7, 60, 600, 9000)))
            reply = raw.ask(request)
            assert reply[:2] == b"OY", (request[:32], reply[:32])
        for position in range(len(GET_CONFIG)):
            raw.ask(GET_CONFIG[:position])


def port_of(address):
    host, port = address.removeprefix("tcp://").rsplit(":", 1)
    return host, int(port)


def throw(address, data):
    """Connects, sends, waits for the other side to answer or close, whichever; a refused write is fine too."""
    with socket.create_connection(port_of(address), timeout=PATIENCE) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            while connection.recv(65536):
                pass


def test_random_bytes_at_every_listener():
    generator = random.Random(20260102)
    with broker_and_bystander() as broker:
        path = broker.ipc.removeprefix("ipc://")
        for _ in range(60):
            data = generator.randbytes(generator.choice((1, 7, 8, 9, 100, 5000)))
            throw(broker.url, data)
            throw(broker.url, HANDSHAKE + data)
            throw(broker.admin, data)
            throw(broker.admin, b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + data)
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(PATIENCE)
                connection.connect(path)
                with contextlib.suppress(OSError):
                    connection.sendall(data)
        wait_for(lambda: broker.metrics()["oyez_connections"] <= 1, what="all but the bystander to be gone")


def test_oversized_messages():
    with broker_and_bystander() as broker:
        with Raw(broker) as raw:  # ten megabytes: refused by their length, dropped as they come
            assert error_of(raw.ask(bytes(10_000_000))) == "too_large"
            assert raw.ask(GET_CONFIG)[3] == REPLY
        with Raw(broker) as raw:  # more than that is cut off
            with contextlib.suppress(ConnectionError):
                raw.socket.sendall(struct.pack(">QI", 100_000_000 + 4, 0x80000001))
                for _ in range(1000):
                    raw.socket.sendall(bytes(100_000))
            assert raw.closed_by_peer()
        with Raw(broker) as raw:  # a length that no machine has
            raw.socket.sendall(struct.pack(">QI", 2**63, 0x80000001))
            assert raw.closed_by_peer()
        with Raw(broker) as raw:  # too short for a request id
            raw.socket.sendall(struct.pack(">Q", 2) + b"ab")
            assert raw.closed_by_peer()
        wait_for(lambda: broker.metrics()['oyez_connections_closed_total{reason="garbage"}'] >= 3)
        resident = broker.metrics()["oyez_resident_memory_bytes"]
        assert resident < 100e6 or SANITIZED, resident


def test_http_abuse():
    with broker_and_bystander() as broker:
        throw(broker.admin, b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n")
        throw(broker.admin, b"GET /healthz HTTP/1.1\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n")
        throw(broker.admin, b"POST /metrics HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n" + bytes(10_000))
        throw(broker.admin, b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n")
        throw(broker.admin, b"GET /%00%ff HTTP/1.1\r\nHost: x\r\n\r\n")
        assert broker.get("/../../etc/passwd")[0] in (400, 403, 404)
        # Half-open ones do not keep others out for ever, and the broker itself does not care.
        idle = [socket.create_connection(port_of(broker.admin)) for _ in range(100)]
        with Raw(broker) as raw:
            assert raw.ask(GET_CONFIG)[3] == REPLY
        for connection in idle:
            connection.close()
        assert broker.get("/readyz") == (200, "ready\n")


def test_connections_beyond_the_limit():
    with Broker("--connections", "20") as broker:
        crowd = []
        with contextlib.suppress(Closed, ConnectionError, AssertionError):
            for _ in range(40):
                raw = Raw(broker, timeout=PATIENCE)
                crowd.append(raw)
                raw.ask(GET_CONFIG)
        assert 20 <= len(crowd) <= 21, len(crowd)
        assert broker.metrics()["oyez_connections_refused_total"] >= 1
        # The operator's socket has a place of its own.
        with socket.socket(socket.AF_UNIX) as local:
            local.settimeout(PATIENCE)
            local.connect(broker.ipc.removeprefix("ipc://"))
            local.sendall(HANDSHAKE)
            assert local.recv(8)[:3] == b"\x00SP"
        # Those idle for a while give way.

        def served():
            with contextlib.suppress(Closed, ConnectionError, AssertionError):
                with Raw(broker, timeout=PATIENCE) as raw:
                    return raw.ask(GET_CONFIG)[3] == REPLY
            return False

        wait_for(served, deadline=PATIENCE + 20)
        for raw in crowd:
            raw.close()


def test_half_open_connections_end():
    with Broker() as broker:
        quiet = [socket.create_connection(port_of(broker.url)) for _ in range(50)]
        for connection in quiet:
            connection.settimeout(PATIENCE + 20)
            with contextlib.suppress(ConnectionError):
                while connection.recv(64):  # the broker's half of the handshake, then the end
                    pass
            connection.close()
        with Raw(broker) as raw:
            assert raw.ask(GET_CONFIG)[3] == REPLY


if __name__ == "__main__":
    main(globals())
