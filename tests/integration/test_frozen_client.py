#!/usr/bin/env python3
"""A client that sends and never reads: others stay served, and when it thaws every request of its has an answer."""
import contextlib
import threading
import time

from oyez_test import PATIENCE, SANITIZED, Broker, main, wait_for
from sp import CELL, CELL_BYTES, GET_CONFIG, REPLY, Closed, Raw, error_of, frame

REQUESTS = 400


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
            wait_for(lambda: broker.metrics()["oyez_requests_total"] >= REQUESTS)
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


def test_a_flood_is_cut_off():
    """Who sends without end and reads nothing is disconnected; that is not silent, and nobody else notices."""
    with Broker() as broker:
        raw = Raw(broker, timeout=PATIENCE, receive_buffer=2048)
        ended = threading.Event()

        def flood():
            with contextlib.suppress(OSError, Closed):
                for _ in range(200_000):
                    raw.send(GET_CONFIG)
            ended.set()

        thread = threading.Thread(target=flood)
        thread.start()
        assert worst_wait(broker, ended.is_set) < (3 if not SANITIZED else 20)
        thread.join()
        raw.close()
        wait_for(lambda: broker.metrics()["oyez_requests_in_flight"] == 0)
        assert broker.metrics()['oyez_connections_closed_total{reason="slow"}'] >= 1


if __name__ == "__main__":
    main(globals())
