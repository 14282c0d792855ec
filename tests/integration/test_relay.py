#!/usr/bin/env python3
"""Between the brokers: one shared connection, cells on the public schedule whatever becomes of an intent, a home that
shows two configurations under one number, and an end in seconds however the other side behaves."""
import shutil
import signal
import time

from oyez_test import PATIENCE, Broker, main, oyez, oyez_run, scratch, wait_for

PLACE = ["--category", "home.kitchen.coffee-machine", "--region", "FR-56"]
RATE = 20  # the first cells come every 10 s: half a second here


def pair(*home_flags):
    """(home, guardian), each knowing the other, not started."""
    env = {"OYEZ_TEST_CLOCK_RATE": f"{RATE}@{int(time.time() * 1000)}"}
    home, guardian = Broker("--hold", "off", env=env), Broker(env=env)
    home.stop()
    guardian.stop()
    home.flags += ["--guardians", f"{guardian.url}#{guardian.key}", *home_flags]
    guardian.flags += ["--accounts", "stamp", "--account-stamp-bits", "8", "--homes", f"{home.url}#{home.key}"]
    return home, guardian


def opened(who, home, guardian):
    """A wallet with an account."""
    oyez(who, "wallet", "init", broker=home)
    wait_for(lambda: oyez_run(who, "account", "open", "--guardian", guardian.url, broker=home).code == 0,
             what="the account")


def want(who, home, guardian):
    return oyez(who, "want", "quiet", *PLACE, "--guardian", guardian.url, broker=home)[0]["intent"]


def status(broker):
    return oyez("op", "admin", "status", "--data", broker.data)[0]


def test_one_connection_and_the_schedule():
    home, guardian = pair()
    with guardian.start(), home.start():
        for who in ("ann", "bob"):
            opened(who, home, guardian)
        before = home.metrics()
        intents = {who: want(who, home, guardian) for who in ("ann", "bob")}
        intents["also"] = want("bob", home, guardian)
        after = home.metrics()
        # Whatever wallets do, the home sees the guardian's one connection.
        assert after['oyez_commands_total{kind="post"}'] == 3, after
        assert after["oyez_connections_accepted_total"] == before["oyez_connections_accepted_total"], (before, after)
        wait_for(lambda: home.metrics()["oyez_boxes_pushed"] == 3, what="three schedules")
        oyez("ann", "withdraw", intents["ann"], "--guardian", guardian.url, broker=home)
        cells = home.metrics()["oyez_box_cells_total"]
        wait_for(lambda: home.metrics()["oyez_box_cells_total"] >= cells + 9, what="three more cells for each")
        numbers = home.metrics()
        assert numbers["oyez_boxes_pushed"] == 3 and numbers["oyez_pushes_refused_total"] == 0, numbers
        taken = numbers["oyez_box_cells_total"]
        wait_for(lambda: guardian.metrics()["oyez_cells_taken_total"] >= taken, what="the cells at the guardian")
        shown = status(home)
        assert shown["boxes_pushed"] == 3, shown
        assert 1490 * 4096 * 0.9 < shown["box_bytes_per_intent_day"] < 1560 * 4200, shown
        assert shown["brokers_in_conflict"] == 0, shown
        # The schedule goes on after a restart of either.
        home.restart()
        wait_for(lambda: home.metrics()["oyez_box_cells_total"] >= 6, what="cells after the home's restart")
        guardian.restart(kill=True)
        wait_for(lambda: guardian.metrics()["oyez_cells_taken_total"] >= 3, what="cells after the guardian's restart")


def test_two_configurations_under_one_number():
    home, guardian = pair()
    home.start()
    home.stop()
    copy = scratch("copy")
    shutil.copytree(home.data, copy, ignore=shutil.ignore_patterns("*.ipc"))
    home.flags += ["--offers-per-intent", "7"]
    with guardian.start():
        home.start()
        opened("cyd", home, guardian)
        home.stop()
        # Its operator restores a backup and decides otherwise: the same number, other content.
        shutil.rmtree(home.data)
        shutil.copytree(copy, home.data)
        home.flags += ["--offers-per-intent", "8"]
        home.start()
        wait_for(lambda: guardian.event("broker_not_used"), what="the guardian to notice")
        assert guardian.event("broker_not_used")["code"] == "config_conflict", guardian.log
        wait_for(lambda: status(guardian)["brokers_in_conflict"] == 1, what="the status")
        outcome = oyez_run("cyd", "account", "top-up", "--guardian", guardian.url, broker=home)
        assert outcome.code != 0, outcome
        guardian.restart()
        wait_for(lambda: guardian.metrics()["oyez_links_connected"] == 1, what="the link")
        assert status(guardian)["brokers_in_conflict"] == 1
        # It stands until the number grows.
        home.stop()
        home.flags += ["--offers-per-intent", "9"]
        home.start()
        wait_for(lambda: status(guardian)["brokers_in_conflict"] == 0, what="the number to grow")
        home.stop()


def test_ends_in_seconds():
    home, guardian = pair()
    with guardian.start(), home.start():
        opened("dot", home, guardian)
        want("dot", home, guardian)
        wait_for(lambda: guardian.metrics().get("oyez_cells_taken_total"), what="a cell")
        guardian.process.send_signal(signal.SIGSTOP)
        made = home.metrics()["oyez_box_cells_total"]
        wait_for(lambda: home.metrics()["oyez_box_cells_total"] > made + 1, what="cells for one who does not answer")
        began = time.monotonic()
        assert home.stop() == 0
        assert time.monotonic() - began < PATIENCE / 2
        guardian.process.send_signal(signal.SIGCONT)


main(globals())
