#!/usr/bin/env python3
"""SIGTERM and SIGINT drain: requests in flight are answered, then exit code 0. A second one ends at once."""
import pathlib
import signal
import threading
import time

from oyez_test import PATIENCE, Broker, main, oyez, oyez_start, wait_for
from sp import GET_CONFIG, REPLY, Closed, Raw, error_of


def test_sigterm_and_sigint():
    for number in (signal.SIGTERM, signal.SIGINT):
        with Broker() as broker:
            with Raw(broker) as raw:
                assert raw.ask(GET_CONFIG)[3] == REPLY
                assert broker.end(number) == 0
                assert raw.closed_by_peer()
            assert broker.event("draining") and broker.event("stopped")


def test_drain_answers_what_was_sent():
    """A busy client during the end: each request has a reply, `stopping`, or the connection's end; no other."""
    with Broker() as broker:
        answered, stopped, others = [0], [0], []
        ready = threading.Event()

        def ask():
            try:
                with Raw(broker, timeout=PATIENCE) as raw:
                    while True:
                        reply = raw.ask(GET_CONFIG)
                        if error_of(reply) == "stopping":
                            stopped[0] += 1
                        elif reply[3] == REPLY:
                            answered[0] += 1
                        else:
                            others.append(reply)
                        if answered[0] > 50:
                            ready.set()
            except Closed:
                pass

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        assert ready.wait(PATIENCE)
        started = time.monotonic()
        assert broker.stop() == 0
        for thread in threads:
            thread.join()
        assert not others, others[:3]
        assert time.monotonic() - started < PATIENCE


def test_frozen_client_does_not_stop_the_end():
    with Broker() as broker:
        raw = Raw(broker, timeout=PATIENCE, receive_buffer=2048)
        for _ in range(3000):
            raw.send(GET_CONFIG)
        wait_for(lambda: broker.metrics()["oyez_requests_total"] >= 500)
        started = time.monotonic()
        assert broker.stop() == 0
        assert time.monotonic() - started < PATIENCE
        raw.close()


def watch(name):
    """A vendor that waits for releases: a long poll parked at the broker."""
    oyez(name, "vendor", "init", "--name", "Shop", "--url", "https://shop.example", "--country", "FR")
    oyez(name, "vendor", "register")
    subscription = oyez(name, "vendor", "subscribe")[0]["subscription"]
    return oyez_start(name, "vendor", "watch", subscription)


def test_parked_requests_end_with_the_broker():
    with Broker() as broker:
        watcher = watch("waiting")
        wait_for(lambda: broker.metrics()["oyez_parked"] == 1)
        started = time.monotonic()
        assert broker.stop() == 0
        assert time.monotonic() - started < PATIENCE / 2, "a long poll held up the end"
        watcher.kill()
        watcher.communicate()


def test_parked_requests_of_the_gone_are_forgotten():
    with Broker() as broker:
        watcher = watch("gone")
        wait_for(lambda: broker.metrics()["oyez_parked"] == 1)
        watcher.kill()
        watcher.communicate()
        wait_for(lambda: broker.metrics()["oyez_parked"] == 0)
        wait_for(lambda: broker.metrics()["oyez_requests_in_flight"] == 0)
        assert broker.metrics()["oyez_requests_cancelled_total"] == 1


def test_the_socket_file_goes():
    with Broker() as broker:
        path = pathlib.Path(broker.ipc.removeprefix("ipc://"))
        assert path.exists()
        broker.stop()
        assert not path.exists()
        broker.start()
        broker.kill()  # leaves it behind; the next start takes it over
        broker.start()
        assert broker.ipc and path.exists()


if __name__ == "__main__":
    main(globals())
