#!/usr/bin/env python3
"""The vendor's commands as other programs use them: fields, exit codes, cursors, waiting, repeats."""
import json
import os
import shutil
import subprocess
import time

import oyez_test
from oyez_test import Broker, clean_environment, home, oyez, oyez_path, oyez_run, oyez_start, scratch, wait_for

COFFEE = "home.kitchen.coffee-machine"


def market(*flags, **options):
    """A new broker, and nobody has met another one before."""
    shutil.rmtree(oyez_test.home("nobody").parent, ignore_errors=True)
    return Broker(*flags, **options)


def vendor(name, *terms):
    oyez(name, "vendor", "init", "--name", name.title(), "--url", f"https://{name}.example", "--country", "FR",
         *(word for term in terms for word in ("--terms", term)))
    return oyez(name, "vendor", "register")[0]


def subscribe(name, *flags):
    return oyez(name, "vendor", "subscribe", *flags)[0]["subscription"]


def want(name="alice", category=COFFEE, *flags, region="FR-56", text="as described"):
    if not home(name).exists():
        oyez(name, "wallet", "init")
    return oyez(name, "want", text, "--category", category, "--region", region, *flags)[0]["intent"]


def watch(name, subscription, *flags, ok=True):
    return oyez(name, "vendor", "watch", subscription, *(flags or ("--wait", "10")), ok=ok)


def test_identity_and_registration():
    with market():
        made = oyez("ida", "vendor", "init", "--name", "Ida & Söhne", "--url", "https://ida.example", "--country", "de")[0]
        assert made["name"] == "Ida & Söhne" and made["country"] == "DE" and len(made["vendor"]) == 64, made
        assert made["terms"] == ["SD-BASE"], made
        assert oyez_run("ida", "vendor", "init", "--name", "I", "--url", "https://i.example", "--country", "DE").error() \
            == "vendor_exists"
        assert oyez("ida", "vendor", "show")[0]["status"] == "unregistered"
        refused = oyez_run("ida", "vendor", "subscribe", "--category", COFFEE)
        assert refused.code == 1 and refused.error() == "vendor_unknown", refused
        for _ in range(2):  # again is harmless
            state = oyez("ida", "vendor", "register")[0]
            assert state["status"] == "approved" and state["vendor"] == made["vendor"], state
        assert oct(os.stat(home("ida") / "vendor").st_mode & 0o777) == "0o600"


def test_errors_say_what_and_what_to_do():
    with market():
        vendor("eve")
        cases = [
            (("vendor", "subscribe", "--category", "home.kichen.cofee-machine"), 1, "unknown_category"),
            (("vendor", "subscribe", "--region", "FR-ZZZ"), 1, "unknown_region"),
            (("vendor", "subscribe", "--terms", "SD-NONE"), 1, "unknown_terms"),
            (("vendor", "subscribe", "--budget", "ten"), 1, "bad_amount"),
            (("vendor", "subscribe", "--budget", "20-10"), 1, "bad_amount"),
            (("vendor", "subscribe", "--currency", "XYZ"), 1, "unknown_currency"),
            (("vendor", "subscribe", "--needed-by", "tomorrow"), 1, "bad_date"),
            (("vendor", "subscribe", "--condition", "broken"), 2, "usage"),
            (("vendor", "subscribe", "--quantity", "0"), 2, "usage"),
            (("vendor", "subscribe", "--nonsense"), 2, "usage"),
            (("vendor", "subscribe", "extra"), 2, "usage"),
            (("vendor", "watch"), 2, "usage"),
            (("vendor", "watch", "abcdef12", "--wait", "0"), 1, "not_found"),
            (("vendor", "watch", "xyz", "--wait", "0"), 1, "bad_value"),
            (("vendor", "offer", "abcdef12"), 2, "usage"),
            (("vendor", "offer", "abcdef12", "--price", "1e309"), 1, "bad_amount"),
            (("vendor", "offer", "abcdef12", "--price", "10"), 1, "not_found"),
            (("vendor", "offer", "0" * 32, "--price", "10"), 1, "not_found"),
            (("vendor", "ask", "0" * 32, ""), 1, "missing_field"),
            (("vendor", "countersign", "0" * 64), 1, "not_found"),
            (("vendor", "withdraw-offer", "0" * 64), 1, "not_found"),
            (("vendor", "unsubscribe", "0" * 64), 1, "not_found"),
            (("vendor", "inbox", "--after", "x"), 1, "cursor_bad"),
            (("vendor", "inbox", "--max", "0"), 2, "usage"),
            (("vendor", "erased", "0" * 64), 1, "not_found"),
            (("vendor", "refuse-erasure", "0" * 64, "--ground", "tax"), 1, "not_found"),
            (("vendor", "would-match", "--since", "soon"), 2, "usage"),
            (("vendor", "would-match", "--category", "home.kichen"), 1, "unknown_category"),
            (("vendor", "init", "--name", "x"), 2, "usage"),
        ]
        for words, code, name in cases:
            outcome = oyez_run("eve", *words)
            assert (outcome.code, outcome.error()) == (code, name), outcome
            error = outcome.lines[0]["error"]
            assert error["message"] and error["hint"], outcome
        detail = oyez_run("eve", "vendor", "subscribe", "--category", "home.kichen.cofee-machine").lines[0]["error"]["detail"]
        assert COFFEE in detail, detail
        assert oyez_run("nobody", "vendor", "show").error() == "vendor_missing"


def test_subscriptions():
    with market():
        vendor("sub")
        first = subscribe("sub", "--category", "home.kitchen", "--not-category", "home.kitchen.oven", "--region", "FR",
                          "--budget", "50-500", "--condition", "new", "--quantity", "1-5", "--fulfilment", "delivery",
                          "--language", "fr", "--terms", "SD-BASE", "--min-crowd", "1", "--needed-by", "2099-01-31",
                          "--exact")
        second = subscribe("sub")
        listed = {line["subscription"]: line for line in oyez("sub", "vendor", "subscriptions")}
        assert set(listed) == {first, second}, listed
        assert listed[first]["budget"] == {"min": "50.00", "max": "500.00", "currency": "EUR"}, listed
        assert listed[first]["match"] == "exact" and listed[second]["match"] == "maybe", listed
        assert oyez("sub", "vendor", "unsubscribe", second[:8])[0]["subscription"] == second
        assert [line["subscription"] for line in oyez("sub", "vendor", "subscriptions")] == [first]
        assert oyez_run("sub", "vendor", "watch", second, "--wait", "0").code == 1
        # Two equal filters are two subscriptions.
        assert subscribe("sub") != subscribe("sub")


def test_watch_prints_releases_and_remembers_its_place():
    with market():
        vendor("wes")
        subscription = subscribe("wes", "--category", "home", "--region", "FR")
        empty = oyez_run("wes", "vendor", "watch", subscription, "--wait", "0.2")
        assert empty.code == 4 and empty.lines == [], empty
        intents = [want("alice", COFFEE, "--budget", "100-200", "--quantity", "3", "--condition", "new"),
                   want("alice", "home.kitchen.kettle"), want("alice", "electronics.phones.smartphone")]
        lines = watch("wes", subscription, "--max", "2", "--wait", "10")
        assert len(lines) == 2, lines
        coffee = next(line for line in lines if line["category"] == COFFEE)  # one tick's releases come shuffled
        assert coffee["type"] == "release" and coffee["category"] == COFFEE and coffee["region"] == "FR-56", coffee
        assert coffee["budget"] == {"min": "100.00", "max": "200.00", "currency": "EUR"}, coffee
        assert coffee["quantity"] == "2-5" and coffee["condition"] == "new" and coffee["terms"] == "SD-BASE", coffee
        assert coffee["crowd"] == 1 and coffee["maybe"] == [] and len(coffee["release"]) == 32, coffee
        assert "text" not in coffee and intents[0] not in json.dumps(coffee), coffee
        assert oyez_run("wes", "vendor", "watch", subscription, "--wait", "0.2").code == 4
        # An older place gives the same again, and one at a time goes through in order.
        again = watch("wes", subscription, "--after", lines[0]["cursor"], "--wait", "1")
        assert [line["release"] for line in again] == [lines[1]["release"]], again
        oyez("alice", "withdraw", intents[0])
        gone = watch("wes", subscription)[0]
        assert (gone["type"], gone["release"], gone["reason"]) == ("gone", coffee["release"], "withdrawn"), gone
        assert gone["cursor"] > lines[1]["cursor"], gone
        assert oyez_run("wes", "vendor", "offer", coffee["release"], "--price", "9").error() == "gone"


def test_needed_by_is_the_last_day_of_its_band():
    with market():
        vendor("ned")
        subscription = subscribe("ned")
        in_five_days = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 5 * 86400))
        in_seven_days = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 7 * 86400))
        want("alice", COFFEE, "--needed-by", in_five_days)
        line = watch("ned", subscription)[0]
        assert line["needed_by_band"] == "7d" and line["needed_by"] == in_seven_days, line
        want("alice", COFFEE)
        line = watch("ned", subscription)[0]
        assert "needed_by" not in line, line


def test_maybe_and_exact():
    with market():
        vendor("max")
        unsure = subscribe("max", "--category", COFFEE, "--budget", "10-90")
        exact = subscribe("max", "--category", COFFEE, "--budget", "10-90", "--exact")
        want("alice")  # says nothing of a budget
        line = watch("max", unsure)[0]
        assert line["maybe"] == ["budget"], line
        assert oyez_run("max", "vendor", "watch", exact, "--wait", "0.3").code == 4
        why = oyez("max", "vendor", "watch", exact, "--why", line["release"])[0]
        assert why["matches"] is False and why["failed"] == ["budget"], why
        why = oyez("max", "vendor", "watch", unsure, "--why", line["release"][:8])[0]
        assert why["matches"] is True and why["failed"] == [] and why["maybe"] == ["budget"], why
        # Every condition that excludes it is named, and that the subscription came too late.
        other = subscribe("max", "--category", "mobility", "--region", "DE", "--condition", "new", "--language", "en", "--exact")
        why = oyez("max", "vendor", "watch", other, "--why", line["release"])[0]
        assert set(why["failed"]) >= {"category", "region", "language", "released_before"}, why


def test_would_match():
    with market():
        vendor("wim")
        nothing = oyez("wim", "vendor", "would-match")[0]
        assert (nothing["count"], nothing["scanned"], nothing["rows"]) == (0, 0, []), nothing
        everything = subscribe("wim")
        intents = [want("alice", COFFEE, "--budget", "50-90"), want("alice", COFFEE), want("alice", "mobility.bicycles")]
        watch_count = 0
        while watch_count < len(intents):
            watch_count += len(watch("wim", everything, "--wait", "5"))
        oyez("alice", "withdraw", intents[0])
        assert watch("wim", everything)[0]["type"] == "gone"
        found = oyez("wim", "vendor", "would-match", "--category", COFFEE)[0]
        assert (found["count"], found["certain"], found["scanned"]) == (2, 2, 3), found  # what is gone counts
        assert found["rows"] == [{"category": COFFEE, "region": "FR-56", "count": 2}], found
        found = oyez("wim", "vendor", "would-match", "--budget", "60-70", "--since", "1h")[0]
        assert (found["count"], found["certain"]) == (3, 1), found
        assert oyez("wim", "vendor", "would-match", "--budget", "60-70", "--exact")[0]["count"] == 1
        assert oyez("wim", "vendor", "would-match", "--not-category", "home")[0]["count"] == 1
        assert oyez("wim", "vendor", "would-match", "--since", "1ms")[0]["scanned"] == 0


def test_watch_goes_on_until_stopped_and_traces():
    with market():
        vendor("tia")
        subscription = subscribe("tia")
        trace = scratch("trace.jsonl")
        running = oyez_start("tia", "vendor", "watch", subscription, "--trace", str(trace))
        want("alice")
        first = json.loads(running.stdout.readline())
        want("alice")
        second = json.loads(running.stdout.readline())
        assert first["release"] != second["release"]
        running.kill()  # at no particular moment: nothing is lost, something may come twice
        running.wait()
        running.stdout.close()
        running.stderr.close()
        assert [json.loads(line) for line in trace.read_text().splitlines()] == [first, second]
        want("alice")
        wait_for(lambda: [line for line in watch("tia", subscription)
                          if line["release"] not in (first["release"], second["release"])], what="the third release")


def test_every_release_is_seen_through_kills_of_the_watcher():
    with market():
        vendor("kim")
        subscription = subscribe("kim", "--category", COFFEE)
        seen, expected = set(), 12
        for _ in range(expected):
            want("alice")
        deadline = time.monotonic() + oyez_test.PATIENCE
        while len(seen) < expected:
            assert time.monotonic() < deadline, seen
            running = oyez_start("kim", "vendor", "watch", subscription)
            line = running.stdout.readline()
            running.kill()
            rest = running.stdout.read()
            running.wait()
            running.stdout.close()
            running.stderr.close()
            for text in [line, *rest.splitlines()]:
                if text.endswith("\n") or text.endswith("}"):
                    seen.add(json.loads(text)["release"])


def test_offers_repeat_replace_and_withdraw():
    with market():
        vendor("ole")
        subscription = subscribe("ole")
        intent = want("alice")
        release = watch("ole", subscription)[0]["release"]

        def offer(*flags):
            return oyez("ole", "vendor", "offer", release, *flags)[0]["offer"]

        full = ("--price", "189.00", "--currency", "EUR", "--total", "195.00", "--availability", "in_stock",
                "--delivery-days", "3", "--origin", "FR", "--co2-g", "1200", "--warranty-months", "24",
                "--returns-days", "30", "--valid", "2d", "--needs", "name,address", "--note", "as new")
        first = offer(*full)
        assert offer(*full) == first  # the same offer is the same offer
        seen = oyez("alice", "offers", intent, "--wait", "10")
        assert [line["offer"] for line in seen] == [first], seen
        assert seen[0]["price"] == {"amount": "189.00", "currency": "EUR"}, seen
        assert seen[0]["total"]["amount"] == "195.00" and seen[0]["needs"] == ["name", "address"], seen
        assert (seen[0]["delivery_days"], seen[0]["co2_g"], seen[0]["warranty_months"], seen[0]["returns_days"]) \
            == (3, 1200, 24, 30), seen
        better = offer("--price", "179.00")
        wait_for(lambda: [line["offer"] for line in oyez("alice", "offers", intent)
                          if line.get("status", "open") == "open"] == [better], what="the offer to be replaced")
        assert oyez_run("alice", "decline", first).code == 1
        assert oyez("ole", "vendor", "withdraw-offer", better[:10])[0]["offer"] == better
        assert oyez("ole", "vendor", "withdraw-offer", better)[0]["offer"] == better
        wait_for(lambda: not [line for line in oyez("alice", "offers", intent) if line.get("status", "open") == "open"],
                 what="the offer to be withdrawn")


def test_declined_offers_say_why():
    with market():
        vendor("dan")
        subscription = subscribe("dan")
        intent = want("alice")
        release = watch("dan", subscription)[0]["release"]
        offer = oyez("dan", "vendor", "offer", release, "--price", "500")[0]["offer"]
        oyez("alice", "offers", intent, "--wait", "10")
        oyez("alice", "decline", offer, "--reason", "price")
        line = oyez("dan", "vendor", "inbox", "--wait", "10")[0]
        assert (line["type"], line["release"], line["offer"], line["reason"]) == ("declined", release, offer, "price"), line
        # The inbox keeps its place; --after 0 is the beginning.
        assert oyez("dan", "vendor", "inbox") == []
        assert oyez_run("dan", "vendor", "inbox", "--wait", "0.2").code == 4
        assert oyez("dan", "vendor", "inbox", "--after", "0") == [line]
        assert oyez("dan", "vendor", "inbox", "--after", "0", "--max", "1") == [line]


def test_vendors_of_other_terms_and_countries_hear_nothing():
    with market():
        oyez("abroad", "vendor", "init", "--name", "Abroad", "--url", "https://a.example", "--country", "US")
        oyez("abroad", "vendor", "register")
        subscription = subscribe("abroad")
        intent = want("alice", COFFEE, "--vendor-country", "FR")
        wait_for(lambda: oyez("alice", "show", intent)[0]["status"] == "released")
        assert oyez_run("abroad", "vendor", "watch", subscription, "--wait", "0.3").code == 4


def test_unreachable_and_changed_brokers():
    with market() as broker:
        vendor("una")
        subscription = subscribe("una")
        url = broker.url
    outcome = oyez_run("una", "vendor", "watch", subscription, "--wait", "0", broker=url)
    assert outcome.code == 3 and outcome.error() == "unreachable", outcome
    with Broker("--listen", url):
        outcome = oyez_run("una", "vendor", "show", broker=url)
        assert outcome.code == 1 and outcome.error() == "broker_changed", outcome


def test_a_watcher_outlives_a_restart_of_the_broker():
    with market() as broker:
        vendor("rex")
        subscription = subscribe("rex")
        running = oyez_start("rex", "vendor", "watch", subscription)
        want("alice")
        json.loads(running.stdout.readline())
        broker.restart(kill=True)
        want("alice")
        line = json.loads(running.stdout.readline())
        assert line["type"] == "release", line
        running.terminate()
        running.wait()
        running.stdout.close()
        running.stderr.close()


def test_a_home_under_a_passphrase():
    with market() as broker:
        environment = clean_environment(OYEZ_HOME=home("pia"), OYEZ_BROKER=broker.url, LC_ALL="C.UTF-8")

        def run(passphrase, *words):
            done = subprocess.run([str(oyez_path()), "--json", "vendor", *words], text=True, capture_output=True,
                                  stdin=subprocess.DEVNULL, env={**environment, "OYEZ_PASSPHRASE": passphrase})
            return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

        assert run("sesame", "init", "--name", "Pia", "--url", "https://pia.example", "--country", "FR")[0] == 0
        assert run("sesame", "register")[1][0]["status"] == "approved"
        code, lines = run("barley", "show")
        assert code == 1 and lines[0]["error"]["code"] == "wallet_locked", lines
        assert b"pia.example" not in (home("pia") / "vendor").read_bytes()


def test_words_for_people_in_two_languages():
    with market():
        vendor("pol")
        subscription = subscribe("pol")
        want("alice", COFFEE, "--budget", "100-200")
        command, environment = oyez_test.cli_command("pol", "vendor", "watch", subscription, "--wait", "10",
                                                     json_output=False)
        done = subprocess.run(command, env={**environment, "LC_ALL": "fr_FR.UTF-8"}, text=True, capture_output=True,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == 0 and "demande" in done.stdout and "100.00-200.00 EUR" in done.stdout, done
        assert done.stdout.count("\n") == 1, done
        english = oyez_run("pol", "vendor", "subscribe", "--category", "no.such", json_output=False)
        assert english.code == 1 and "does not exist" in english.errors and english.text == "", english


oyez_test.main(globals())
