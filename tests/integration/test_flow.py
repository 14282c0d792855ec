#!/usr/bin/env python3
"""One deal from the wish to the revealed card, with two vendors: what each side sees, and who hears nothing."""
import json
import shutil

import oyez_test
from oyez_test import Broker, oyez, oyez_run, oyez_start, scratch, wait_for

COFFEE = "home.kitchen.coffee-machine"
CARD = {"name": "Alice Martin", "email": "alice@post.example", "phone": "+33 2 97 00 00 00",
        "address": {"street": "3 rue du Port", "postcode": "56000", "city": "Vannes", "country": "FR"}}


def market(*flags, **options):
    """A new broker, and nobody has met another one before."""
    shutil.rmtree(oyez_test.home("nobody").parent, ignore_errors=True)
    return Broker(*flags, **options)


def vendor(name):
    oyez(name, "vendor", "init", "--name", name.title(), "--url", f"https://{name}.example", "--country", "FR")
    oyez(name, "vendor", "register")
    return oyez(name, "vendor", "subscribe", "--category", "home.kitchen")[0]["subscription"]


def start():
    """Two vendors with an offer each: intent, release, offers by vendor."""
    subscriptions = {name: vendor(name) for name in ("winner", "loser")}
    oyez("alice", "wallet", "init")
    intent = oyez("alice", "want", "a machine for five", "--category", COFFEE, "--region", "FR-56",
                  "--budget", "100-250")[0]["intent"]
    offers = {}
    for name, subscription in subscriptions.items():
        release = oyez(name, "vendor", "watch", subscription, "--wait", "10")[0]["release"]
        offers[name] = oyez(name, "vendor", "offer", release, "--price", "189.00" if name == "winner" else "199.00",
                            "--needs", "name,address")[0]["offer"]
    wait_for(lambda: len(oyez("alice", "offers", intent)) == 2, what="both offers")
    return intent, release, offers, subscriptions


def card_file(card=None):
    path = scratch("card.json")
    path.write_text(json.dumps(card or CARD))
    return str(path)


def deal_of(who, *words):
    return next(line for line in oyez(who, *words, "deals"))


def test_the_whole_way():
    with market():
        intent, release, offers, subscriptions = start()
        accepted = oyez("alice", "accept", offers["winner"], "--card", card_file(), "--fields", "name,address")[0]
        deal = accepted["deal"]
        assert accepted["status"] == "accepted", accepted
        agreement = oyez("winner", "vendor", "inbox", "--wait", "10")[0]
        assert (agreement["type"], agreement["deal"], agreement["release"]) == ("agreement", deal, release), agreement
        assert agreement["offer"] == offers["winner"] and agreement["terms"] == "SD-BASE", agreement
        assert agreement["fields"] == ["name", "address"] and agreement["countersign_by"] < agreement["reveal_by"]
        # Nobody has the card yet, and the other vendor heard nothing.
        assert deal_of("winner", "vendor")["card"] is None
        assert oyez("loser", "vendor", "inbox") == [] and oyez("loser", "vendor", "deals") == []
        for _ in range(2):
            assert oyez("winner", "vendor", "countersign", deal)[0]["status"] == "countersigned"
        gone = oyez("loser", "vendor", "watch", subscriptions["loser"], "--wait", "10")[0]
        assert (gone["type"], gone["release"], gone["reason"]) == ("gone", release, "taken"), gone
        agent = oyez_start("alice", "agent")
        try:
            reveal = oyez("winner", "vendor", "inbox", "--wait", "20")[0]
            assert (reveal["type"], reveal["deal"]) == ("reveal", deal), reveal
            assert reveal["card"] == {"name": CARD["name"], "address": CARD["address"]}, reveal
            assert "alias" in reveal and reveal["release"] == release, reveal
            wait_for(lambda: deal_of("winner", "vendor")["status"] == "concluded", what="the receipt")
            wait_for(lambda: oyez("alice", "deals")[0]["status"] == "concluded", what="the deal to conclude")
        finally:
            agent.terminate()
            agent.communicate()
        held = deal_of("winner", "vendor")
        assert held["card"] == reveal["card"] and held["price"] == {"amount": "189.00", "currency": "EUR"}, held
        assert held["keep_until"] > held["at"], held
        assert [line["type"] for line in oyez("loser", "vendor", "inbox")] == ["gone"]
        assert oyez("loser", "vendor", "deals") == []
        late = oyez_run("loser", "vendor", "offer", release, "--price", "1.00")
        assert late.code == 1 and late.error() == "gone", late
        # Read again from the start: the same log, and no second receipt or card.
        again = [line["type"] for line in oyez("winner", "vendor", "inbox", "--after", "0")]
        assert again == ["agreement", "reveal"] or again == ["agreement", "reveal", "gone"], again


def test_accept_waits_for_the_countersignature():
    with market():
        intent, release, offers, _ = start()
        waiting = oyez_start("alice", "accept", offers["loser"], "--card", card_file(), "--wait", "60")
        deal = oyez("loser", "vendor", "inbox", "--wait", "20")[0]["deal"]
        oyez("loser", "vendor", "countersign", deal[:10])
        out, errors = waiting.communicate(timeout=3 * oyez_test.PATIENCE)
        assert waiting.returncode == 0, (out, errors)
        reveal = oyez("loser", "vendor", "inbox", "--wait", "10")[0]
        assert reveal["type"] == "reveal" and reveal["deal"] == deal, reveal


def test_reading_ahead_misses_nothing_that_matters():
    """A place given by hand beyond the agreement still leads to a deal this home can use."""
    with market():
        intent, release, offers, _ = start()
        waiting = oyez_start("alice", "accept", offers["winner"], "--card", card_file(), "--wait", "60")
        agreement = oyez("winner", "vendor", "inbox", "--wait", "20")[0]
        oyez("winner", "vendor", "countersign", agreement["deal"])
        waiting.communicate(timeout=3 * oyez_test.PATIENCE)
        lines = oyez("winner", "vendor", "inbox", "--after", str(int(agreement["cursor"]) + 1), "--wait", "10")
        assert [line["type"] for line in lines][0] == "reveal", lines


def test_a_deal_not_countersigned_lapses_and_the_offer_stands_again():
    with market():
        intent, release, offers, subscriptions = start()
        deal = oyez("alice", "accept", offers["winner"], "--card", card_file(), "--countersign-within", "1s")[0]["deal"]
        agreement = oyez("winner", "vendor", "inbox", "--wait", "10")[0]
        assert (agreement["type"], agreement["deal"]) == ("agreement", deal), agreement
        lapsed = oyez("winner", "vendor", "inbox", "--wait", "20")[0]
        assert (lapsed["type"], lapsed["deal"], lapsed["reason"]) == ("gone", deal, "lapsed"), lapsed
        refused = oyez_run("winner", "vendor", "countersign", deal)
        assert refused.code == 1 and refused.error() == "lapsed", refused
        assert deal_of("winner", "vendor")["status"] == "lapsed"
        # Nobody else noticed, and the same offer can be accepted once more.
        assert oyez_run("loser", "vendor", "watch", subscriptions["loser"], "--wait", "0.2").code == 4
        wait_for(lambda: oyez("alice", "deals")[0]["status"] == "lapsed", what="the customer to learn of it")
        second = oyez("alice", "accept", offers["winner"], "--card", card_file())[0]["deal"]
        assert second != deal
        assert oyez("winner", "vendor", "inbox", "--wait", "10")[0]["deal"] == second
        oyez("winner", "vendor", "countersign", second)
        assert {line["deal"]: line["status"] for line in oyez("winner", "vendor", "deals")} \
            == {deal: "lapsed", second: "countersigned"}


oyez_test.main(globals())
