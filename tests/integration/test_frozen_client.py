#!/usr/bin/env python3
"""A client that sends and never reads: others stay served, and when it thaws every request of its has an answer."""
import threading
import time

from oyez_test import PATIENCE, SANITIZED, Broker, main, wait_for
from sp import CELL, CELL_BYTES, GET_CONFIG, REPLY, Raw, error_of, frame

REQUESTS = 400
REQUESTS_PER_PIPE = 32  # parked or unsent: a limit of the protocol


def freeze(broker, request, count):
    """A connection with little room to receive, on which `count` requests were sent and nothing was read."""
    raw = Raw(broker, timeout=PATIENCE, receive_buffer=2048)
    numbers = set()
    for _ in range(count):
        numbers.add(raw.send(request))
    return raw, numbers


def thaw(raw, numbers):
    """Reads until every request is answered: how many replies, how many `busy`."""
    replies = busy = 0
    while numbers:
        number, reply = raw.receive()
        assert number in numbers, "answered twice, or never asked"
        numbers.remove(number)
        code = error_of(reply)
        if code == "busy":
            busy += 1
        else:
            replies += 1
    return replies, busy


def worst_wait(broker, until):
    """The longest a well-behaved client waits for an answer until `until` is set."""
    worst = 0.0
    with Raw(broker, timeout=PATIENCE) as raw:
        while True:
            started = time.monotonic()
            assert raw.ask(GET_CONFIG)[3] == REPLY
            worst = max(worst, time.monotonic() - started)
            if until():
                return worst


def test_frozen_client_is_answered_later():
    with Broker() as broker:
        raw, numbers = freeze(broker, GET_CONFIG, REQUESTS)
        with raw:
            received = lambda: broker.metrics()["oyez_requests_total"] >= REQUESTS
            assert worst_wait(broker, received) < (2 if not SANITIZED else 10)
            replies, busy = thaw(raw, numbers)
            assert replies + busy == REQUESTS and replies >= 32, (replies, busy)
            assert raw.ask(GET_CONFIG)[3] == REPLY  # and it is served as before
        wait_for(lambda: broker.metrics()["oyez_requests_in_flight"] == 0)


def test_frozen_client_with_large_replies():
    """Replies of a cell's size do not fit any buffer: past its 32 unsent ones it hears `busy`."""
    cell = frame(CELL, bytes(CELL_BYTES - 4))
    with Broker() as broker:
        raw, numbers = freeze(broker, cell, REQUESTS)
        with raw:
            # How many of them the broker reads before it stops reading is the kernel's buffers to say.
            wait_for(lambda: broker.metrics()["oyez_requests_total"] >= REQUESTS_PER_PIPE)
            assert sum(thaw(raw, numbers)) == REQUESTS


def test_many_frozen_clients():
    with Broker() as broker:
        before = broker.metrics()["oyez_resident_memory_bytes"]
        frozen = [freeze(broker, GET_CONFIG, 200) for _ in range(50)]
        received = lambda: broker.metrics()["oyez_requests_total"] >= 50 * 200
        assert worst_wait(broker, received) < (3 if not SANITIZED else 20)
        grown = broker.metrics()["oyez_resident_memory_bytes"] - before
        assert grown < 200e6 or SANITIZED, grown
        for raw, numbers in frozen[:25]:
            assert sum(thaw(raw, numbers)) == 200
        for raw, _ in frozen:  # the rest just go away
            raw.close()
        wait_for(lambda: broker.metrics()["oyez_connections"] == 0)
        wait_for(lambda: broker.metrics()["oyez_requests_in_flight"] == 0)


def flood(raw, numbers, stop):
    """Sends without end and reads nothing, until the other side takes no more."""
    raw.socket.settimeout(0.2)
    pending = b""
    while not stop.is_set() and len(numbers) < 200_000:
        if not pending:
            number, pending = raw.compose(GET_CONFIG)
            numbers.append(number)
        try:
            pending = pending[raw.socket.send(pending):]
        except TimeoutError:
            pass
    raw.socket.settimeout(PATIENCE)
    return pending


def test_a_flood_is_not_read_from():
    """Who sends without end and reads nothing waits in its own connection, and nobody else notices."""
    # A buffer smaller than a segment of the loopback interface would be dropped and sent again after ever longer waits:
    # the kernel's own affair, which can take longer than the broker's patience.
    with Broker() as broker, Raw(broker, timeout=PATIENCE, receive_buffer=256 * 1024) as raw:
        numbers, rest, stop = [], [], threading.Event()
        thread = threading.Thread(target=lambda: rest.append(flood(raw, numbers, stop)))
        thread.start()
        resident = broker.metrics()["oyez_resident_memory_bytes"]

        def still():
            """True once a second went by without one more request of the flood taken."""
            before = len(numbers)
            return not stop.wait(1) and len(numbers) == before

        assert worst_wait(broker, still) < (3 if not SANITIZED else 20)
        grown = broker.metrics()["oyez_resident_memory_bytes"] - resident
        assert grown < 50e6 or SANITIZED, grown
        stop.set()
        thread.join()
        # And then it reads: every whole request has its answer.
        sender = threading.Thread(target=lambda: raw.socket.sendall(rest[0]))
        sender.start()
        assert sum(thaw(raw, set(numbers))) == len(numbers)
        sender.join()
        wait_for(lambda: broker.metrics()["oyez_requests_in_flight"] == 0)


def test_gone_while_sending():
    """Connections that end in the middle of everything leave nothing behind."""
    with Broker() as broker:
        for _ in range(100 if not SANITIZED else 30):
            raw = Raw(broker, timeout=PATIENCE, receive_buffer=2048)
            for _ in range(60):
                raw.send(GET_CONFIG)
            raw.socket.sendall(b"\0\0\0\0\0\0\0\x0a\x80")  # half a message
            raw.close()  # with replies unread: a reset
        wait_for(lambda: broker.metrics()["oyez_connections"] == 0)
        wait_for(lambda: broker.metrics()["oyez_requests_in_flight"] == 0)
        with Raw(broker) as raw:
            assert raw.ask(GET_CONFIG)[3] == REPLY


if __name__ == "__main__":
    main(globals())
