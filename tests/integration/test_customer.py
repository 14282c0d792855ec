#!/usr/bin/env python3
"""The customer's commands against a real broker and a vendor driven by the command line: fields, exit codes, waiting."""
import json
import os
import time

from oyez_test import Broker, home, main, oyez, oyez_run, oyez_start, scratch, wait_for

PLACE = ["--category", "home.kitchen.coffee-machine", "--region", "FR-56"]
CARD = {"name": "Ann Example", "email": "ann@example.org", "phone": "+33 2 97 00 00 00",
        "address": {"street": "1 rue des Lilas", "postcode": "56000", "city": "Vannes", "country": "FR"}}
FACETS = {"category", "region", "budget", "needed_by", "quantity", "condition", "language", "fulfilment", "terms",
          "reach", "vendor_country", "min_rating", "expires", "needed_by_band"}


def card_file(content=None):
    path = scratch(f"card-{time.monotonic_ns()}.json")
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(json.dumps(CARD if content is None else content))
    return path


def vendor(name, *flags):
    """A registered vendor; gives its subscription."""
    oyez(name, "vendor", "init", "--name", f"Shop {name}", "--url", f"https://{name}.example", "--country", "FR",
         "--terms", "SD-BASE")
    oyez(name, "vendor", "register")
    return oyez(name, "vendor", "subscribe", *(flags or ("--category", "home.kitchen")))[0]["subscription"]


def customer(name):
    oyez(name, "wallet", "init")
    return name


def want(who, *flags, text="quiet, with a grinder"):
    return oyez(who, "want", text, *PLACE, *flags)[0]["intent"]


def released(who, intent):
    return wait_for(lambda: (shown := oyez(who, "show", intent)[0])["status"] == "released" and shown, what="release")


watched = {}  # subscription: every line its watch gave so far


def release_of(name, subscription, intent, who):
    """The vendor's view of an intent."""
    release = released(who, intent)["broadcast"]["release"]
    seen = watched.setdefault(subscription, [])

    def look():
        if not any(line.get("release") == release for line in seen):
            seen.extend(oyez(name, "vendor", "watch", subscription, "--wait", "1", ok=False))
        return next((line for line in seen if line.get("release") == release), None)
    return wait_for(look, what="the release at the vendor")


def offer(name, release, *flags, price="189.00"):
    return oyez(name, "vendor", "offer", release, "--price", price, "--currency", "EUR", *flags)[0]["offer"]


def inbox_until(name, kind):
    seen = []

    def look():
        seen.extend(oyez(name, "vendor", "inbox", "--wait", "1", ok=False))
        return next((line for line in seen if line.get("type") == kind), None)
    return wait_for(look, what=f"{kind} in the inbox")


def test_whole_way():
    with Broker("--region", "FR") as broker:
        subscription = vendor("roy")
        who = customer("ann")
        flags = ["--budget", "100-250", "--quantity", "3", "--condition", "new", "--needed-by", "5d"]
        preview = oyez(who, "want", "quiet", *PLACE, *flags, "--preview")[0]
        assert oyez(who, "intents") == []  # a preview stores and sends nothing
        posted = oyez(who, "want", "quiet, with a grinder", *PLACE, *flags)[0]
        intent = posted["intent"]
        assert set(posted) >= {"intent", "status", "crowd"} and set(posted["crowd"]) == {"estimate", "want"}, posted
        assert posted["status"] in ("waiting", "released") and posted["privacy"] == "reduced", posted

        seen = release_of("roy", subscription, intent, who)
        assert {name: seen[name] for name in seen if name in FACETS} == preview, (seen, preview)
        assert preview["budget"] == {"min": "100.00", "max": "500.00", "currency": "EUR"}, preview
        assert preview["quantity"] == "2-5" and preview["needed_by_band"] == "7d", preview
        assert "grinder" not in json.dumps(seen)

        release = seen["release"]
        oyez("roy", "vendor", "details", release)
        question = oyez(who, "questions", intent, "--wait", "10")[0]
        assert question["kind"] == "details" and question["vendor_name"] == "Shop roy", question
        assert oyez(who, "answer", question["question"])[0]["status"] == "answered"
        details = inbox_until("roy", "details")["text"]
        assert "with a grinder" in details and "budget: 100.00-250.00 EUR" in details and "quantity: 3" in details
        assert oyez(who, "questions", intent) == []

        given = offer("roy", release, "--delivery-days", "2", "--needs", "name,email", "--warranty-months", "24",
                      "--co2-g", "900", "--origin", "IT", "--availability", "in_stock", "--returns-days", "14",
                      "--total", "195.50")
        offers = oyez(who, "offers", intent, "--wait", "10")
        assert len(offers) == 1, offers
        one = offers[0]
        assert one["offer"] == given and one["price"] == {"amount": "189.00", "currency": "EUR"}, one
        assert one["total"] == {"amount": "195.50", "currency": "EUR"} and one["delivery_days"] == 2, one
        assert one["vendor_url"] == "https://roy.example" and one["origin"] == "IT" and one["co2_g"] == 900, one
        assert one["warranty_months"] == 24 and one["returns_days"] == 14 and one["availability"] == "in_stock", one
        assert one["needs"] == ["name", "email"] and one["valid_until"].endswith("Z"), one

        broker.restart()
        deal = oyez(who, "accept", one["offer"][:8], "--card", card_file(), "--fields", "name,email")[0]
        assert deal["status"] == "accepted", deal
        assert oyez(who, "show", intent)[0]["status"] == "accepted"
        agreement = inbox_until("roy", "agreement")
        assert agreement["deal"] == deal["deal"] and "card" not in agreement, agreement
        waiting = oyez_start(who, "agent")
        try:
            broker.restart(kill=True)
            oyez("roy", "vendor", "countersign", deal["deal"])
            revealed = inbox_until("roy", "reveal")
            assert revealed["card"] == {"name": CARD["name"], "email": CARD["email"]}, revealed
            wait_for(lambda: oyez(who, "deals")[0]["status"] == "concluded", what="the receipt")
        finally:
            waiting.terminate()
            said, errors = waiting.communicate(timeout=30)
        assert waiting.returncode == 0, (said, errors)
        kinds = [json.loads(line)["type"] for line in said.splitlines()]
        assert "problem" not in [k for k in kinds if k != "problem"], kinds

        assert oyez(who, "show", intent)[0]["status"] == "concluded"
        ledger = oyez(who, "ledger")
        assert [entry["what"] for entry in ledger] == ["details", "card"], ledger
        assert ledger[1]["fields"] == ["name", "email"] and ledger[1]["terms"] == "SD-BASE", ledger
        assert ledger[1]["until"] > ledger[1]["at"], ledger
        exported = scratch("ledger.json")
        oyez(who, "ledger", "--export", exported)
        assert json.loads(exported.read_text())["entries"] == ledger
        assert oyez_run(who, "withdraw", intent).error() in ("gone", "deal_open")
        # Nothing of the card is left readable in the wallet's home: it was sealed at once, the wallet is encrypted.
        for path in home(who).iterdir():
            assert b"Ann Example" not in path.read_bytes(), path


def test_accept_waits():
    with Broker():
        subscription = vendor("tea")
        who = customer("bea")
        intent = want(who)
        release = release_of("tea", subscription, intent, who)["release"]
        offer("tea", release)
        given = oyez(who, "offers", intent, "--wait", "10")[0]["offer"]
        in_vain = oyez_run(who, "accept", given, "--card", card_file(), "--fields", "name", "--wait", "1")
        assert in_vain.code == 4 and in_vain.lines[0]["status"] == "accepted", in_vain
        deal = in_vain.lines[0]["deal"]
        agreement = inbox_until("tea", "agreement")
        assert agreement["fields"] == ["name"], agreement
        oyez("tea", "vendor", "countersign", deal)
        wait_for(lambda: oyez(who, "deals")[0]["status"] in ("revealed", "concluded"), what="the reveal")
        assert inbox_until("tea", "reveal")["card"] == {"name": CARD["name"]}
        # One deal was all this intent wanted.
        refused = oyez_run(who, "accept", given, "--card", card_file())
        assert refused.code == 1 and refused.error() == "offer_accepted", refused


def test_accept_wait_reveals_and_lapses():
    with Broker():
        subscription = vendor("bot")
        who = customer("cleo")
        intent = want(who, "--deals-max", "2")
        release = release_of("bot", subscription, intent, who)["release"]
        offer("bot", release)
        given = oyez(who, "offers", intent, "--wait", "10")[0]["offer"]
        slow = oyez_start(who, "accept", given, "--card", card_file(), "--countersign-within", "3s", "--wait", "30")
        first = inbox_until("bot", "agreement")
        said, _ = slow.communicate(timeout=60)
        assert slow.returncode == 1 and json.loads(said)["error"]["code"] == "lapsed", said
        deal = oyez(who, "deals")[0]
        assert deal["deal"] == first["deal"], (deal, first)
        assert deal["status"] == "lapsed" and deal["revealed_at"] is None, deal
        late = oyez_run("bot", "vendor", "countersign", deal["deal"])
        assert late.code == 1 and late.error() == "lapsed", late
        # The offer can be accepted again, and this time the vendor is quick.
        accepting = oyez_start(who, "accept", given, "--card", card_file(), "--wait", "30")
        seen = []

        def next_agreement():
            seen.extend(oyez("bot", "vendor", "inbox", "--wait", "1", ok=False))
            return next((line for line in seen if line.get("type") == "agreement" and line["deal"] != deal["deal"]), None)
        second = wait_for(next_agreement, what="the second agreement")
        oyez("bot", "vendor", "countersign", second["deal"])
        said, errors = accepting.communicate(timeout=60)
        assert accepting.returncode == 0, (said, errors)
        assert json.loads(said.splitlines()[-1])["status"] in ("revealed", "concluded"), said


def test_policies():
    with Broker():
        subscription = vendor("one", "--category", "home.kitchen", "--exact")
        second = vendor("two", "--category", "home.kitchen")
        who = customer("dan")
        auto = want(who, "--share-details", "auto", "--share-max", "1")
        never = want(who, "--share-details", "never")
        for intent in (auto, never):
            oyez("one", "vendor", "details", release_of("one", subscription, intent, who)["release"])
        agent = oyez_start(who, "agent")
        try:
            assert "grinder" in inbox_until("one", "details")["text"]
            oyez("two", "vendor", "details", release_of("two", second, auto, who)["release"])
            wait_for(lambda: oyez(who, "questions", auto), what="the second request to wait for the person")
        finally:
            agent.terminate()
            said, _ = agent.communicate(timeout=30)
        assert '"answered"' in said, said
        assert oyez(who, "questions", never) == []
        ledger = oyez(who, "ledger")
        assert len(ledger) == 1 and ledger[0]["automatic"] is True and ledger[0]["intent"] == auto, ledger


def test_decline_and_withdraw():
    with Broker():
        subscription = vendor("zed")
        who = customer("eve")
        intent = want(who)
        release = release_of("zed", subscription, intent, who)["release"]
        offer("zed", release)
        first = oyez(who, "offers", intent, "--wait", "10")[0]["offer"]
        assert oyez(who, "decline", first, "--reason", "too_expensive")[0]["status"] == "declined"
        assert inbox_until("zed", "declined")["reason"] == "too_expensive"
        assert oyez(who, "offers", intent) == []
        refused = oyez_run(who, "accept", first, "--card", card_file())
        assert refused.code == 1 and refused.error() == "offer_declined", refused
        second = offer("zed", release, price="180.00")
        assert oyez(who, "offers", intent, "--wait", "10")[0]["offer"] == second
        third = offer("zed", release, price="175.00")
        found = wait_for(lambda: [o for o in oyez(who, "offers", intent) if o["offer"] == third], what="the newer offer")
        assert [o["offer"] for o in found] == [third]
        replaced = oyez_run(who, "accept", second, "--card", card_file())
        assert replaced.error() == "offer_replaced", replaced
        assert oyez(who, "withdraw", intent)[0] == {"intent": intent, "status": "withdrawn"}
        assert oyez(who, "withdraw", intent)[0]["status"] == "withdrawn"
        assert oyez(who, "show", intent)[0]["status"] == "withdrawn"
        assert oyez_run(who, "accept", third, "--card", card_file()).error() == "gone"
        gone = wait_for(lambda: [line for line in oyez("zed", "vendor", "watch", subscription, "--wait", "1", ok=False)
                                 if line["type"] == "gone"], what="the tombstone")
        assert gone[0]["release"] == release and gone[0]["reason"] == "withdrawn", gone


def test_withdrawing_an_open_deal():
    with Broker():
        subscription = vendor("ola")
        who = customer("fay")
        intent = want(who)
        offer("ola", release_of("ola", subscription, intent, who)["release"])
        given = oyez(who, "offers", intent, "--wait", "10")[0]["offer"]
        deal = oyez(who, "accept", given, "--card", card_file())[0]["deal"]
        inbox_until("ola", "agreement")
        assert oyez(who, "withdraw", intent)[0]["status"] == "withdrawn"
        wait_for(lambda: oyez(who, "deals")[0]["status"] == "lapsed", what="the deal to lapse")
        late = oyez_run("ola", "vendor", "countersign", deal)
        assert late.code == 1 and late.error() in ("lapsed", "gone"), late

        second = want(who)
        release = release_of("ola", subscription, second, who)["release"]
        offer("ola", release)
        given = oyez(who, "offers", second, "--wait", "10")[0]["offer"]
        deal = oyez(who, "accept", given, "--card", card_file())[0]["deal"]
        wait_for(lambda: oyez_run("ola", "vendor", "countersign", deal).code == 0 or
                 not oyez("ola", "vendor", "inbox", "--wait", "1", ok=False) and False, what="the agreement")
        bound = oyez_run(who, "withdraw", second)
        assert bound.code == 1 and bound.error() == "deal_open", bound
        wait_for(lambda: {d["deal"]: d["status"] for d in oyez(who, "deals")}[deal] in ("revealed", "concluded"))


def test_two_brokers():
    """Intents stay with their own broker, whichever is named now; one agent looks after both."""
    with Broker() as first:
        who = customer("gil")
        here = vendor("near")
        first_intent = want(who)
        release = release_of("near", here, first_intent, who)["release"]
        with Broker() as second:
            second_intent = want(who)
            wait_for(lambda: oyez(who, "show", second_intent)[0]["status"] == "released", what="the second release")
            agent = oyez_start(who, "agent")
            oyez("near", "vendor", "offer", release, "--price", "9.00", "--currency", "EUR", broker=first)
            found = wait_for(lambda: oyez(who, "offers", first_intent, broker=second), what="the offer at the first")
            assert found[0]["price"]["amount"] == "9.00", found
            agent.terminate()
            said, errors = agent.communicate(timeout=30)
            assert agent.returncode == 0, (said, errors)
            status = {line["intent"]: line["status"] for line in oyez(who, "intents")}
            assert status == {first_intent: "released", second_intent: "released"}, status


def test_sorting_and_max():
    with Broker():
        who = customer("finn")
        prices = {"s1": ("300.00", "1"), "s2": ("200.00", "3"), "s3": ("250.00", "2")}
        subscriptions = {name: vendor(name) for name in prices}
        intent = want(who)
        for name, (price, days) in prices.items():
            release = release_of(name, subscriptions[name], intent, who)["release"]
            oyez(name, "vendor", "offer", release, "--price", price, "--currency", "EUR", "--delivery-days", days)
        wait_for(lambda: len(oyez(who, "offers", intent)) == 3, what="three offers")
        by_price = [o["price"]["amount"] for o in oyez(who, "offers", intent, "--sort", "price")]
        assert by_price == ["200.00", "250.00", "300.00"], by_price
        by_days = [o["delivery_days"] for o in oyez(who, "offers", intent, "--sort", "delivery")]
        assert by_days == [1, 2, 3], by_days
        assert len(oyez(who, "offers", intent, "--max", "2")) == 2
        assert oyez_run(who, "offers", intent, "--sort", "beauty").error() == "bad_value"


def test_waiting_in_vain():
    with Broker():
        who = customer("gus")
        intent = want(who)
        assert oyez_run(who, "offers", intent).code == 0
        started = time.monotonic()
        outcome = oyez_run(who, "offers", intent, "--wait", "1")
        assert outcome.code == 4 and outcome.text == "", outcome
        assert 0.9 < time.monotonic() - started < 20
        assert oyez_run(who, "questions", intent, "--wait", "0.2").code == 4


def test_pending_while_the_broker_is_down():
    with Broker() as broker:
        who = customer("hal")
        known = want(who)
        broker.stop()
        down = oyez_run(who, "want", "later", *PLACE)
        assert down.code == 3 and down.lines[0]["status"] == "pending", down
        assert down.lines[0]["error"]["code"] == "unreachable", down
        intent = down.lines[0]["intent"]
        assert {line["intent"]: line["status"] for line in oyez(who, "intents")}[intent] == "pending"
        stopped = oyez_run(who, "withdraw", known)
        assert stopped.code == 3 and stopped.lines[0]["status"] == "pending", stopped
        broker.start()
        listed = {line["intent"]: line["status"] for line in oyez(who, "intents")}
        assert listed[intent] in ("waiting", "released") and listed[known] == "withdrawn", listed
        released(who, intent)


def test_first_meeting_while_down():
    """Nothing is known of the broker yet: the post is signed when it is first met."""
    with Broker() as broker:
        broker.stop()
        who = customer("ida")
        down = oyez_run(who, "want", "later", *PLACE)
        assert down.code == 3 and down.lines[0]["status"] == "pending", down
        broker.start()
        released(who, down.lines[0]["intent"])


def test_broker_changed():
    with Broker() as first:
        who = customer("jay")
        want(who)
        url = first.url
        first.stop()
        with Broker("--listen", url) as second:
            changed = oyez_run(who, "want", "x", *PLACE, broker=url)
            assert changed.code == 1 and changed.error() == "broker_changed", changed
            wrong = oyez_run(who, "want", "x", *PLACE, broker=f"{url}#{'00' * 31}01")
            assert wrong.code == 1 and wrong.error() in ("broker_changed", "bad_key"), wrong
            pinned = oyez_run(who, "want", "x", *PLACE, broker=f"{url}#{second.key}")
            assert pinned.code == 0, pinned


def test_bad_values():
    with Broker():
        who = customer("kim")
        cases = [
            (["--category", "home.kitchen.cofee-machine", "--region", "FR"], "unknown_category"),
            (["--category", "home.kitchen.coffee-machine", "--region", "FR-XYZ"], "unknown_region"),
            ([*PLACE, "--budget", "1e309-2e309"], "bad_amount"),
            ([*PLACE, "--budget", "100"], "bad_amount"),
            ([*PLACE, "--needed-by", "2020-01-31"], "past_date"),
            ([*PLACE, "--needed-by", "soon"], "bad_date"),
            ([*PLACE, "--needed-by", "2027-02-30"], "bad_date"),
            ([*PLACE, "--expires", "91d"], "bad_value"),
            ([*PLACE, "--expires", "0s"], "bad_value"),
            ([*PLACE, "--budget", "1-2", "--currency", "XQZ"], "unknown_currency"),
            ([*PLACE, "--terms", "SD-NONE"], "unknown_terms"),
            ([*PLACE, "--condition", "shiny"], "bad_value"),
            ([*PLACE, "--min-rating", "7"], "bad_value"),
            ([*PLACE, "--block", "abc"], "bad_value"),
        ]
        for flags, code in cases:
            outcome = oyez_run(who, "want", "x", *flags)
            error = outcome.lines[0]["error"]
            assert outcome.code == 1 and error["code"] == code, outcome
            assert error["message"] and error["hint"], outcome
        suggested = oyez_run(who, "want", "x", "--category", "cofee machine", "--region", "FR").lines[0]["error"]
        assert "home.kitchen.coffee-machine" in suggested["detail"], suggested
        long = oyez_run(who, "want", "x" * 5000, *PLACE)
        assert long.code == 1 and long.error() == "too_large", long
        file = scratch("latin1.txt")
        file.write_bytes(b"caf\xe9")
        assert oyez_run(who, "want", *PLACE, "--details", file).error() == "bad_utf8"
        assert oyez(who, "intents") == []


def test_bad_cards():
    with Broker():
        subscription = vendor("crd")
        who = customer("leo")
        intent = want(who)
        offer("crd", release_of("crd", subscription, intent, who)["release"], "--needs", "name,phone")
        given = oyez(who, "offers", intent, "--wait", "10")[0]["offer"]
        cases = [
            (b"{" + b'"a":"' + b"x" * 10_000_000 + b'"}', "too_large"),
            (b"not json", "bad_card"),
            (b"[1]", "bad_card"),
            (b"{}", "bad_card"),
            (b'{"name": 7, "phone": "1"}', "bad_card"),
            (b'{"name": "\xff", "phone": "1"}', "bad_utf8"),
            (b'{"name": "a\\u0000b", "phone": "1"}', "bad_card"),
            (b'{"name": "a", "name": "b", "phone": "1"}', "bad_card"),
            (b'{"name": "only"}', "bad_card"),
            (b'{"name": "' + b"y" * 5000 + b'", "phone": "1"}', "too_large"),
        ]
        for content, code in cases:
            outcome = oyez_run(who, "accept", given, "--card", card_file(content))
            assert outcome.code == 1 and outcome.error() == code, (content[:60], outcome)
        assert oyez_run(who, "accept", given, "--card", scratch("nowhere.json")).error() == "io"
        assert oyez_run(who, "accept", given, "--card", card_file(), "--fields", "shoe_size").error() == "bad_card"
        assert oyez(who, "deals") == []
        assert oyez(who, "accept", given, "--card", card_file())[0]["status"] == "accepted"


def test_ids_and_usage():
    with Broker():
        who = customer("mia")
        intent = want(who)
        assert oyez(who, "show", intent[:6].upper())[0]["intent"] == intent
        for bad in ("abc", "zzzzzzzz", "0" * 64):
            outcome = oyez_run(who, "show", bad)
            assert outcome.code == 1 and outcome.error() == "not_found", outcome
        for args in (["want", "x"], ["want", "x", *PLACE, "--nonsense"], ["offers"], ["offers", intent, "--wait", "x"],
                     ["accept", "123456"], ["frobnicate"], ["ledger", "--format", "oyez"], ["erase"],
                     ["rate", "123456"], ["intents", "--guardian", "http://example.org"],
                     ["vendor", "show", "--guardian", "tcp://127.0.0.1:1"],
                     ["want", "x", *PLACE, "--quantity", "0"], ["admin", "doctor"],
                     ["intents", "--broker", "http://example.org"]):
            outcome = oyez_run(who, *args)
            assert outcome.code == 2 and outcome.error() == "usage", outcome
            assert outcome.lines[0]["error"]["hint"], outcome
        assert oyez_run("nobody", "intents").error() == "wallet_missing"
        assert oyez_run("nobody", "want", "x", *PLACE, "--preview").code == 0


def test_expiry():
    with Broker():
        who = customer("ned")
        intent = want(who, "--expires", "1s")
        wait_for(lambda: oyez(who, "show", intent)[0]["status"] == "expired", what="the expiry")
        assert oyez_run(who, "offers", intent, "--wait", "5").code == 4


def test_the_agent_ends_when_told_to():
    """Also while it waits for a broker that is away."""
    for gone in (False, True):
        with Broker() as broker:
            who = customer(f"moe-{gone}")
            released(who, want(who))
            agent = oyez_start(who, "agent")
            wait_for(lambda: broker.metrics()["oyez_parked"] > 0, what="the agent's long poll")
            if gone:
                broker.kill()
            agent.terminate()
            assert agent.wait(5) == 0


def test_sensitive_wishes_stay_coarse():
    """What is sensitive leaves the wallet as its top category and country only: the broker learns no more either."""
    with Broker() as broker:
        who, subscription = customer("sol"), vendor("sage", "--category", "personal")
        flags = ["--category", "personal.intimacy", "--region", "FR-56", "--budget", "10-20", "--condition", "new",
                 "--quantity", "3", "--needed-by", "20d"]
        preview = oyez(who, "want", "a secret wish", *flags, "--preview")[0]
        assert preview == {"category": "personal", "region": "FR", "terms": "SD-BASE", "expires": "7d"}, preview
        intent = oyez(who, "want", "a secret wish", *flags)[0]["intent"]
        line = release_of("sage", subscription, intent, who)
        assert {name: line[name] for name in FACETS & set(line)} == preview, line
        details = oyez(who, "show", intent)[0]["details"]
        assert "category: personal.intimacy" in details and "region: FR-56" in details, details
        assert not any(b"intimacy" in path.read_bytes() for path in broker.data.iterdir() if path.is_file())


def test_words_for_people():
    with Broker():
        who = customer("oda")
        intent = want(who)
        told = oyez_run(who, "intents", json_output=False)
        assert "INTENT" in told.text and intent[:12] in told.text and "reduced privacy" in told.errors, told
        assert "\x1b[" not in told.text  # colour only on a terminal
        explained = oyez_run(who, "explain", intent, json_output=False)
        assert "network address" in explained.text, explained
        wrong = oyez_run(who, "show", "000000", json_output=False)
        assert wrong.code == 1 and "->" in wrong.errors, wrong
        machine = oyez(who, "explain", intent)[0]
        assert set(machine) >= {"intent", "vendors_see", "broker_sees", "nobody_sees", "given"}, machine
        help_text = oyez_run(who, "help", json_output=False).text
        assert "oyez want" in help_text and "oyez vendor watch" in help_text, help_text
        assert "--card FILE" in oyez_run(who, "help", "accept", json_output=False).text
        assert oyez_run(who, "--version", json_output=False).text.startswith("oyez ")


if __name__ == "__main__":
    main(globals())
