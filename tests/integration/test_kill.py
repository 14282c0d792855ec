#!/usr/bin/env python3
"""kill -9 in a loop during load: every acknowledged post, offer and accept is there after the restart, none doubled.

Customers and vendors work at the command line as fast as they can while the broker is killed at random moments and
started again on the same folder. What a command acknowledged (exit code 0) is written down; what failed is left to the
programs' own resending. At the end everything written down must be there, once.
"""
import json
import os
import random
import threading
import time

from oyez_test import Broker, main, oyez, oyez_run, scratch, wait_for

ROUNDS = int(os.environ.get("OYEZ_KILL_ROUNDS", "15"))
CUSTOMERS = 2
CATEGORY = ["--category", "home.kitchen.coffee-machine", "--region", "FR-56"]


class Customer(threading.Thread):
    """Posts until told to stop; remembers which intents were acknowledged and which are pending."""

    def __init__(self, name, stop):
        super().__init__()
        self.who, self.stop, self.acknowledged = name, stop, []
        oyez(name, "wallet", "init")

    def run(self):
        while not self.stop.is_set():
            outcome = oyez_run(self.who, "want", "a coffee machine", *CATEGORY, "--budget", "100-250")
            if outcome.code == 0 and outcome.lines[0]["status"] != "pending":
                self.acknowledged.append(outcome.lines[0]["intent"])


class Seller(threading.Thread):
    """Watches and makes one offer for each release; remembers which offers were acknowledged."""

    def __init__(self, name, stop):
        super().__init__()
        self.who, self.stop = name, stop
        self.releases, self.offers = [], {}
        oyez(name, "vendor", "init", "--name", name, "--url", "https://seller.example", "--country", "FR", "--terms", "SD-BASE")
        oyez(name, "vendor", "register")
        self.subscription = oyez(name, "vendor", "subscribe", *CATEGORY[:2], "--region", "FR")[0]["subscription"]

    def read_feed(self, *flags):
        outcome = oyez_run(self.who, "vendor", "watch", self.subscription, *flags)
        found = [line["release"] for line in outcome.lines if line.get("type") == "release"]
        self.releases.extend(found)
        return found

    def run(self):
        while not self.stop.is_set():
            for release in self.read_feed("--max", "4", "--wait", "1"):
                outcome = oyez_run(self.who, "vendor", "offer", release, "--price", "180.00", "--currency", "EUR")
                if outcome.code == 0:
                    self.offers[release] = outcome.lines[0]["offer"]


def test_nothing_acknowledged_is_lost_and_nothing_doubled():
    seed = int(os.environ.get("OYEZ_SEED", time.time_ns() % 1_000_000))
    print(f"OYEZ_SEED={seed}", flush=True)
    chance = random.Random(seed)
    stop = threading.Event()
    with Broker() as broker:
        customers = [Customer(f"customer-{i}", stop) for i in range(CUSTOMERS)]
        seller = Seller("seller", stop)
        workers = [*customers, seller]
        for worker in workers:
            worker.start()
        try:
            for round_number in range(ROUNDS):
                # Kill only once there was progress, and at a random moment after it.
                before = sum(len(c.acknowledged) for c in customers) + len(seller.offers)
                target = before + chance.randint(2, 8)
                wait_for(lambda: sum(len(c.acknowledged) for c in customers) + len(seller.offers) >= target, 60, "progress")
                threading.Event().wait(chance.random() * 0.1)  # anywhere within a batch
                broker.restart(kill=True)
        finally:
            stop.set()
            for worker in workers:
                worker.join()

        # Whatever was pending is resent by the next command.
        listed = {}
        for customer in customers:
            oyez_run(customer.who, "intents")
            wait_for(lambda: all(i["status"] == "released" for i in oyez(customer.who, "intents")), what="all to be released")
            intents = [line["intent"] for line in oyez(customer.who, "intents")]
            assert len(intents) == len(set(intents)), "an intent is listed twice"
            missing = set(customer.acknowledged) - set(intents)
            assert not missing, f"{len(missing)} acknowledged posts are gone"
            listed[customer.who] = intents
        total = sum(map(len, listed.values()))
        acknowledged = sum(len(c.acknowledged) for c in customers)
        assert acknowledged >= ROUNDS, "the load was no load"

        # Each intent was released exactly once: the seller's feed from the start on has each release once.
        wait_for(lambda: seller.read_feed("--wait", "1") or len(set(seller.releases)) >= total, what="all releases")
        releases = set(seller.releases)
        assert len(releases) == total, f"{total} intents, {len(releases)} releases"
        assert len(seller.releases) == len(releases), "a release was delivered again after its cursor was confirmed"

        # Each acknowledged offer is in its customer's mailbox, once.
        by_release = {}
        for customer in customers:
            for intent in listed[customer.who]:
                offers = [line["offer"] for line in oyez(customer.who, "offers", intent)]
                assert len(offers) == len(set(offers)) <= 1, f"offers doubled: {offers}"
                by_release.update({offer: (customer.who, intent) for offer in offers})
        lost = [offer for offer in seller.offers.values() if offer not in by_release]
        assert not lost, f"{len(lost)} of {len(seller.offers)} acknowledged offers are gone"

        # Accepts: acknowledged, killed at once, still there; a repeat opens no second deal.
        scratch("card.json").write_text(json.dumps({"name": "Nobody", "email": "nobody@example.org"}))
        for offer in list(seller.offers.values())[:4]:
            who, intent = by_release[offer]
            deal = oyez(who, "accept", offer, "--card", scratch("card.json"))[0]["deal"]
            broker.restart(kill=True)
            again = oyez_run(who, "accept", offer, "--card", scratch("card.json"))
            deals = [line["deal"] for line in oyez(who, "deals") if line["intent"] == intent]
            assert deals == [deal], f"after {again}: {deals}"
            agreements = wait_for(lambda: [line for line in oyez("seller", "vendor", "inbox", "--wait", "2", ok=False)
                                           if line.get("type") == "agreement"], what="the agreement")
            assert [line["deal"] for line in agreements] == [deal]
        print(f"{ROUNDS} kills, {acknowledged} posts of {total} acknowledged at once, {len(seller.offers)} offers")


if __name__ == "__main__":
    main(globals())
