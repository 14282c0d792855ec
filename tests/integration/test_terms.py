#!/usr/bin/env python3
"""Agreements people can ask for: each of them from the wish to the agreement, unknown ones, and a vendor's counter-offer of
terms, which counts only when the person names it."""
import json
import shutil

import oyez_test
from oyez_test import main, oyez, oyez_run, oyez_start, scratch, wait_for

IDS = ["SD-BASE", "SD-BASE-DP", "SD-BASE-A", "SD-BASE-AT", "PDC-INTENT", "PDC-AI", "PDC-GOOD"]
PLACE = ["--category", "home.kitchen.coffee-machine", "--region", "FR-56"]


def Broker(*flags):
    """A new broker, and nobody has met another one before."""
    shutil.rmtree(oyez_test.home("nobody").parent, ignore_errors=True)
    return oyez_test.Broker(*flags)


def vendor(name, *terms):
    words = [word for one in terms for word in ("--terms", one)]
    oyez(name, "vendor", "init", "--name", name.title(), "--url", f"https://{name}.example", "--country", "FR", *words)
    oyez(name, "vendor", "register")
    return oyez(name, "vendor", "subscribe", "--category", "home.kitchen")[0]["subscription"]


def card_file():
    path = scratch("card.json")
    path.write_text(json.dumps({"name": "Ann Example"}))
    return path


def agreement_of(name):
    return wait_for(lambda: [line for line in oyez(name, "vendor", "inbox", "--wait", "1", ok=False)
                             if line["type"] == "agreement"], what="the agreement")[0]


def test_the_texts():
    listed = oyez("nobody", "terms", broker="tcp://127.0.0.1:1")
    assert [line["terms"] for line in listed] == IDS, listed
    for line in listed:
        whole = oyez("nobody", "terms", line["terms"], broker="tcp://127.0.0.1:1")[0]
        assert whole["hash"] == line["hash"] and len(line["hash"]) == 64, whole
        assert whole["iri"] == "https://w3id.org/dpv/standards/ieee/7012#" + line["terms"], whole
        for language, place in (("en", "It holds once both"), ("fr", "Il vaut dès que")):
            assert line["terms"] in whole["text_" + language] and place in whole["text_" + language], whole
        # What is not named in the roster is not said in the text either.
        assert "service_delivery" in whole["purposes"] and "vendor" in whole["recipients"], whole
    for french, words in (("fr_FR.UTF-8", ["Ce que vous pouvez faire", "empreinte du texte"]),
                          ("C.UTF-8", ["What you may do", "text hash"])):
        shown = oyez_run("nobody", "terms", "SD-BASE-A", json_output=False, broker="tcp://127.0.0.1:1",
                         env={"LC_ALL": french, "LANG": french, "LANGUAGE": ""})
        assert shown.code == 0 and all(word in shown.text for word in words), shown
    wrong = oyez_run("nobody", "terms", "sd-base-pd", broker="tcp://127.0.0.1:1")
    assert wrong.code == 1 and wrong.error() == "unknown_terms", wrong
    assert "SD-BASE-DP" in wrong.lines[-1]["error"]["detail"], wrong


def test_each_on_both_sides():
    """Whoever agrees to all hears every call, whoever agrees to one hears that one only; the agreement names it."""
    with Broker():
        everything = vendor("all", *IDS)
        narrow = vendor("narrow", "PDC-AI")
        oyez("ann", "wallet", "init")
        retention = {line["terms"]: line["retention_days"] for line in oyez("ann", "terms")}
        for terms in IDS:
            intent = oyez("ann", "want", "quiet", *PLACE, "--terms", terms)[0]["intent"]
            release = oyez("all", "vendor", "watch", everything, "--wait", "10", "--max", "1")[0]
            assert release["terms"] == terms, release
            offer = oyez("all", "vendor", "offer", release["release"], "--price", "10.00")[0]["offer"]
            refused = oyez_run("narrow", "vendor", "offer", release["release"], "--price", "9.00")
            assert refused.code == 1 and refused.error() in ("not_found", "terms_refused"), refused
            shown = wait_for(lambda: oyez("ann", "offers", intent), what="the offer")[0]
            assert shown["terms"] == terms and shown["counter_terms"] is None, shown
            oyez("ann", "accept", offer, "--card", card_file())
            agreement = agreement_of("all")
            assert agreement["terms"] == terms and agreement["retention_days"] == retention[terms], agreement
        heard = oyez("narrow", "vendor", "watch", narrow, "--wait", "1", "--max", "9", ok=False)
        assert [line["terms"] for line in heard if line["type"] == "release"] == ["PDC-AI"], heard


def test_counter_offer():
    with Broker():
        subscription = vendor("roy", "SD-BASE", "SD-BASE-A", "PDC-GOOD")
        oyez("ann", "wallet", "init")
        intent = oyez("ann", "want", "quiet", *PLACE)[0]["intent"]
        release = oyez("roy", "vendor", "watch", subscription, "--wait", "10")[0]["release"]
        # Only what the listing agrees to, and only what there is.
        refused = oyez_run("roy", "vendor", "offer", release, "--price", "9.00", "--terms", "PDC-AI")
        assert refused.code == 1 and refused.error() == "terms_refused", refused
        unknown = oyez_run("roy", "vendor", "offer", release, "--price", "9.00", "--terms", "SD-BASE-B")
        assert unknown.code == 1 and unknown.error() == "unknown_terms", unknown
        offer = oyez("roy", "vendor", "offer", release, "--price", "9.00", "--terms", "SD-BASE-A")[0]["offer"]
        shown = wait_for(lambda: oyez("ann", "offers", intent), what="the offer")[0]
        counter = shown["counter_terms"]
        assert shown["terms"] == "SD-BASE-A" and counter["asked"] == "SD-BASE", shown
        assert counter["purposes_more"] == ["own_statistics"] and counter["purposes_less"] == [], counter
        assert (counter["retention_days_asked"], counter["retention_days"]) == (30, 90), counter
        said = oyez_run("ann", "offers", intent, json_output=False)
        assert "instead of SD-BASE" in said.text and "statistics" in said.text and "90" in said.text, said
        said = oyez_run("ann", "offers", intent, json_output=False, env={"LC_ALL": "fr_FR.UTF-8", "LANGUAGE": ""})
        assert "au lieu de SD-BASE" in said.text and "statistiques" in said.text, said
        # Not by a slip.
        for words in ([], ["--terms", "SD-BASE"], ["--terms", "PDC-GOOD"]):
            refused = oyez_run("ann", "accept", offer, "--card", card_file(), *words)
            assert refused.code == 1 and refused.error() == "terms_countered", refused
        # One counter-offer a vendor: others are hidden, and with them the vendor's offer is gone.
        second = oyez("roy", "vendor", "offer", release, "--price", "8.00", "--terms", "PDC-GOOD")[0]["offer"]
        wait_for(lambda: not oyez("ann", "offers", intent), what="the older offer to be over")
        assert oyez_run("ann", "accept", second, "--card", card_file(), "--terms", "PDC-GOOD").error() == "not_found"
        # The first one again is no second one; neither is going back to what was asked.
        offer = oyez("roy", "vendor", "offer", release, "--price", "7.00")[0]["offer"]
        assert wait_for(lambda: oyez("ann", "offers", intent), what="the offer")[0]["counter_terms"] is None
        refused = oyez_run("ann", "accept", offer, "--card", card_file(), "--terms", "SD-BASE-A")
        assert refused.code == 1 and refused.error() == "terms_refused", refused
        offer = oyez("roy", "vendor", "offer", release, "--price", "6.00", "--terms", "SD-BASE-A")[0]["offer"]
        wait_for(lambda: [line for line in oyez("ann", "offers", intent) if line["offer"] == offer], what="the offer")
        accepted = oyez("ann", "accept", offer, "--card", card_file(), "--terms", "SD-BASE-A")[0]
        agreement = agreement_of("roy")
        assert agreement["deal"] == accepted["deal"], agreement
        assert agreement["terms"] == "SD-BASE-A" and agreement["retention_days"] == 90, agreement
        # After acceptance no other terms: the broker holds the place, and the deal is what was signed.
        late = oyez_run("roy", "vendor", "offer", release, "--price", "5.00", "--terms", "PDC-GOOD")
        oyez("roy", "vendor", "countersign", agreement["deal"])
        wait_for(lambda: oyez("ann", "deals")[0]["status"] in ("revealed", "concluded"), what="the deal")
        assert oyez("ann", "deals")[0]["terms"] == "SD-BASE-A", late
        assert oyez("roy", "vendor", "deals")[0]["terms"] == "SD-BASE-A"


def test_bots_counter_too():
    with Broker():
        bot = scratch("counter.py")
        bot.write_text("""#!/usr/bin/env python3
import json, sys
for line in sys.stdin:
    event = json.loads(line)
    if event["type"] == "release":
        print(json.dumps({"type": "offer", "release": event["release"], "price": "9.00", "terms": "SD-BASE-DP"}),
              flush=True)
""")
        bot.chmod(0o755)
        vendor("roy", "SD-BASE", "SD-BASE-DP")
        oyez("ann", "wallet", "init")
        running = oyez_start("roy", "bot", "run", "--category", "home.kitchen", "--exec", str(bot))
        try:
            wait_for(lambda: oyez("roy", "vendor", "subscriptions"), what="the bot's subscription")
            intent = oyez("ann", "want", "quiet", *PLACE)[0]["intent"]
            shown = wait_for(lambda: oyez("ann", "offers", intent), what="the bot's offer")[0]
        finally:
            running.terminate()
            running.communicate()
        assert shown["counter_terms"]["terms"] == "SD-BASE-DP", shown
        assert shown["counter_terms"]["purposes_more"] == ["data_portability"], shown


main(globals())
