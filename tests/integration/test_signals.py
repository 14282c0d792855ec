#!/usr/bin/env python3
"""SIGTERM and SIGINT drain: requests in flight are answered, then exit code 0. A second one ends at once."""
import signal
import threading
import time

from oyez_test import PATIENCE, Broker, main, wait_for
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


def test_the_socket_file_goes():
    with Broker() as broker:
        import pathlib
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
