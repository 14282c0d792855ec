#!/usr/bin/env python3
"""After a deal, at the command line of the vendor and the operator: standing, notices, what is refused."""
import oyez_test
from oyez_test import Broker, home, oyez, oyez_run, scratch

COFFEE = "home.kitchen.coffee-machine"


def vendor(name):
    oyez(name, "vendor", "init", "--name", name.title(), "--url", f"https://{name}.example", "--country", "FR")
    return oyez(name, "vendor", "register")[0]["vendor"]


def admin(broker, *words):
    return oyez_run("operator", "admin", *words, "--data", broker.data)


def test_standing_counts_what_happened():
    with Broker(clock_rate=60):  # the standing is signed once a minute
        vendor("sara")
        subscription = oyez("sara", "vendor", "subscribe", "--category", COFFEE)[0]["subscription"]
        shown = oyez("sara", "vendor", "show")[0]["standing"]
        assert shown["offers"] == 0 and shown["ratings"] == 0 and shown["rating"] is None, shown
        oyez("carl", "wallet", "init")
        oyez("carl", "want", "as described", "--category", COFFEE, "--region", "FR-56")
        release = oyez("sara", "vendor", "watch", subscription, "--wait", "10")[0]["release"]
        oyez("sara", "vendor", "offer", release, "--price", "150.00", "--currency", "EUR")
        shown = oyez_test.wait_for(lambda: next((s for s in [oyez("sara", "vendor", "show")[0]["standing"]]
                                                 if s["offers"]), None), what="the standing to be signed anew")
        assert shown["offers"] == 1 and shown["accepted"] == 0 and shown["lapsed_by_fault"] == 0, shown


def test_notices_are_numbered_and_bounded():
    with Broker() as broker:
        known = vendor("nora")
        first = admin(broker, "notice", "Nora lost a laptop.", "--vendor", known[:8], "--from", "2026-01-01", "--to",
                      "2026-02-01", "--fields", "name,email").lines
        assert len(first) == 1 and first[0]["notice"] == 1 and len(first[0]["id"]) == 64, first
        deals = scratch("deals")
        deals.write_text("# those in the file that was found\n\n" + "".join(f"{i:064x}\n" for i in range(200)))
        several = admin(broker, "notice", "These deals.", "--deals", deals).lines
        assert [(line["notice"], line["deals"]) for line in several] == [(2, 150), (3, 50)], several
        broker.restart()
        assert admin(broker, "notice", "For everybody.").lines[0]["notice"] == 4
        deals.write_text("not an id\n")
        for words, code in ((("notice",), 2), (("notice", "x", "--deals", deals), 2),
                            (("notice", "x", "--deals", deals, "--vendor", known), 2),
                            (("notice", "x", "--from", "yesterday"), 2), (("notice", "x", "--vendor", "00000000"), 1),
                            (("notice", "x", "--from", "2026-02-01", "--to", "2026-01-01"), 1)):
            got = admin(broker, *words)
            assert got.code == code, (words, got.code, got.text, got.errors)
        assert admin(broker, "notice", "").code != 0


def test_what_has_no_deal_is_refused():
    with Broker():
        vendor("olga")
        nothing = "ab" * 32
        for words in (("message", nothing, "hello"), ("erased", nothing), ("refuse-erasure", nothing, "--ground", "law")):
            got = oyez_run("olga", "vendor", *words)
            assert got.code == 1 and got.error() == "not_found", (words, got.text)
        assert oyez_run("olga", "vendor", "refuse-erasure", nothing).code == 2
        assert oyez_run("olga", "bot", "run", "--exec", "cat", "--erase", "sometimes").code == 2



oyez_test.main(globals())
