#!/usr/bin/env python3
"""What a person can still do after a deal, and prove to others: aliases, messages, erasure, ratings, notices, exports
that a third person verifies, and wiping. All through the command line, with a vendor at the other end."""
import base64
import copy
import hashlib
import json

from oyez_test import Broker, home, main, oyez, oyez_run, oyez_start, scratch, wait_for
from two_brokers import Pair

PLACE = ["--category", "home.kitchen.coffee-machine", "--region", "FR-56"]
CARD = {"name": "Ann Example", "email": "ann@private.example", "phone": "+33 2 97 00 00 00"}
VENDOR = "roy"


def card_file():
    path = scratch("card.json")
    path.write_text(json.dumps(CARD))
    return path


def customer(name):
    oyez(name, "wallet", "init")
    return name


def vendor(name):
    """Registered and subscribed; the one the helpers below speak for."""
    global VENDOR
    VENDOR = name
    oyez(VENDOR, "vendor", "init", "--name", "Café Roy", "--url", "https://roy.example", "--country", "FR", "--terms",
         "SD-BASE")
    oyez(VENDOR, "vendor", "register")
    return oyez(VENDOR, "vendor", "subscribe", "--category", "home.kitchen")[0]["subscription"]


class Inbox:
    """Everything that came to the vendor so far."""

    def __init__(self):
        self.lines = []

    def wait(self, kind, deal=None):
        def look():
            self.lines += oyez(VENDOR, "vendor", "inbox", "--wait", "1", ok=False)
            return next((line for line in self.lines
                         if line["type"] == kind and (not deal or line.get("deal") == deal)), None)
        return wait_for(look, what=f"{kind} in the inbox")


def offered(who, subscription):
    intent = oyez(who, "want", "quiet, with a grinder", *PLACE)[0]["intent"]
    release = wait_for(lambda: oyez(who, "show", intent)[0]["broadcast"].get("release"), what="the release")
    wait_for(lambda: any(line.get("release") == release for line in
                         oyez(VENDOR, "vendor", "watch", subscription, "--wait", "1", ok=False)), what="the release there")
    oyez(VENDOR, "vendor", "offer", release, "--price", "189.00", "--currency", "EUR", "--needs", "name,email")
    return intent, oyez(who, "offers", intent, "--wait", "10")[0]


def concluded(who, subscription, inbox, *flags):
    """A deal from the call to the receipt: its id, and the vendor's `reveal` line."""
    _, offer = offered(who, subscription)
    accepted = oyez(who, "accept", offer["offer"], "--card", card_file(), *(flags or ("--fields", "name,email")))[0]
    deal = accepted["deal"]
    inbox.wait("agreement", deal)
    oyez(VENDOR, "vendor", "countersign", deal)
    wait_for(lambda: state(who, deal)["status"] in ("revealed", "concluded"), what="the reveal")
    reveal = inbox.wait("reveal", deal)
    wait_for(lambda: state(who, deal)["status"] == "concluded", what="the conclusion")
    return deal, reveal, accepted


def state(who, deal):
    return next(line for line in oyez(who, "deals") if line["deal"] == deal)


def card_entry(who, deal):
    return next(line for line in oyez(who, "ledger") if line.get("deal") == deal)


def verify(path, *flags):
    return oyez_run("nobody", "verify", path, *flags)


def test_alias_messages_erasure_and_proof():
    with Broker("--region", "FR") as broker:
        subscription, inbox = vendor("roy"), Inbox()
        ann, bob = customer("ann"), customer("bob")

        # Aliases.
        for wrong in ("me.example", "a@b.example", "*@localhost", "*@x@y.example", "**@me.example", "a b*@me.example"):
            refused = oyez_run(ann, "wallet", "alias", wrong)
            assert refused.code == 1 and refused.error() == "bad_value", refused
        assert oyez(ann, "wallet", "alias")[0]["pattern"] is None
        assert oyez(ann, "wallet", "alias", "ann+*@me.example")[0]["pattern"] == "ann+*@me.example"
        deal, reveal, accepted = concluded(ann, subscription, inbox)
        alias = accepted["alias"]
        assert reveal["alias"] == alias and reveal["card"]["email"] == alias, reveal
        assert CARD["email"] not in json.dumps(inbox.lines), "the e-mail itself stays at home"
        local = alias.split("@")[0]
        assert alias.startswith("ann+") and len(local) == 4 + 10, alias
        for form in (alias, alias.upper(), f"<{alias}>", local):
            found = oyez(ann, "ledger", "--who", form)[0]
            assert found["deal"] == deal and found["vendor_name"] == "Café Roy" and found["given"] is True, found
            assert found["since"] and found["terms"] == "SD-BASE" and found["proves"], found
        missing = oyez_run(ann, "ledger", "--who", "ann+0000000000@me.example")
        assert missing.code == 1 and missing.error() == "not_found", missing
        # Another deal has another one; on demand the plain address.
        second, reveal, accepted = concluded(ann, subscription, inbox)
        assert reveal["alias"] != alias and accepted["alias"] == reveal["alias"], (reveal, alias)
        plain, reveal, accepted = concluded(ann, subscription, inbox, "--plain-email")
        assert reveal["card"]["email"] == CARD["email"] and "alias" not in accepted, reveal

        # Messages, both ways.
        pii = oyez_run(ann, "message", deal, "call me: 06 39 98 12 34")
        assert pii.code == 1 and pii.error() == "pii_found", pii
        assert oyez(ann, "message", deal, "Tuesday, please")[0]["status"] == "sent"
        assert inbox.wait("message", deal)["text"] == "Tuesday, please"
        oyez(VENDOR, "vendor", "message", deal, "Tuesday at ten, then")
        heard = oyez(ann, "messages", deal, "--wait", "10")
        assert [(line["from"], line["text"]) for line in heard] == [("me", "Tuesday, please"),
                                                                    ("vendor", "Tuesday at ten, then")], heard
        assert oyez_run(ann, "messages", deal, "--wait", "0.2").code == 4
        agent = oyez_start(ann, "agent")
        oyez(VENDOR, "vendor", "message", deal, "Bring the old one")
        event = next(line for line in map(json.loads, agent.stdout) if line["type"] == "message")
        agent.terminate()
        agent.communicate(timeout=20)
        assert event["deal"] == deal and event["text"] == "Bring the old one", event
        assert oyez_run(bob, "message", deal, "not mine").error() == "not_found"

        # Erasure: a receipt, and a refusal with its ground.
        bad = oyez_run(ann, "erase", deal, "--within", "2h")
        assert bad.code == 1 and bad.error() == "bad_value", bad
        asked = oyez(ann, "erase", deal, "--within", "7d")[0]
        assert asked["status"] == "asked" and asked["answer_by"] > asked["asked_at"], asked
        assert oyez(ann, "erase", deal)[0]["answer_by"] == asked["answer_by"]  # the same request
        inbox.wait("erasure", deal)
        oyez(VENDOR, "vendor", "erased", deal)
        erasure = wait_for(lambda: (now := state(ann, deal)["erasure"])["status"] == "erased" and now, what="the receipt")
        assert erasure["in_time"] is True and "promise" in erasure["proves"], erasure
        again = oyez_run(ann, "erase", deal)
        assert again.code == 1 and again.error() == "erasure_answered", again
        oyez(ann, "erase", second)
        inbox.wait("erasure", second)
        oyez(VENDOR, "vendor", "refuse-erasure", second, "--ground", "Code de commerce L123-22: invoices, ten years")
        refused = wait_for(lambda: (now := state(ann, second)["erasure"])["status"] == "refused" and now, what="refusal")
        assert "L123-22" in refused["ground"], refused

        # A notice that names one deal touches Ann, not Bob.
        bobs, _, _ = concluded(bob, subscription, inbox)
        deals = scratch("deals.txt")
        deals.write_text(plain + "\n")
        oyez("operator", "admin", "notice", "A copy of customers' cards was stolen.", "--deals", deals)
        oyez("operator", "admin", "notice", "The office is closed on Monday.")
        touched = oyez(ann, "notices")
        assert [line["number"] for line in touched] == [1, 2], touched
        assert touched[0]["touches_you"] and touched[0]["touched"][0]["deal"] == plain, touched
        assert touched[0]["touched"][0]["fields"] == ["name", "email", "phone"], touched
        assert card_entry(ann, plain)["notices"][0]["number"] == 1
        assert card_entry(ann, second)["notices"] == []
        assert not oyez(bob, "notices")[0]["touches_you"] and card_entry(bob, bobs)["notices"] == []
        # By vendor, time and fields it touches both.
        vendor_id = card_entry(bob, bobs)["vendor"]
        oyez("operator", "admin", "notice", "Names leaked.", "--vendor", vendor_id, "--fields", "name")
        assert oyez(bob, "notices")[2]["touched"][0]["fields"] == ["name"]

        # Withdrawal leaves a proof.
        intent, _ = offered(ann, subscription)
        oyez(ann, "withdraw", intent)
        proof = scratch("withdrawal.json")
        proof.write_text(json.dumps(oyez(ann, "show", intent)[0]["withdrawn_proof"]))
        held = verify(proof, "--key", broker.key)
        assert held.code == 0 and held.lines[0]["record"] == "withdrawal", held

        # What a third person can check.
        exported = scratch("ledger.json")
        oyez(ann, "ledger", "--export", exported)
        document = json.loads(exported.read_text())
        assert document["entries"] == oyez(ann, "ledger")
        held = verify(exported, "--key", broker.key)
        assert held.code == 0 and all(line["ok"] for line in held.lines), held
        kinds = {line["record"] for line in held.lines}
        assert kinds >= {"config", "listing", "offer", "agreement", "countersignature", "outcome", "message", "erase",
                         "erasure_receipt", "withdrawal", "notice", "entry", "document"}, kinds
        other_key = verify(exported, "--key", "11" * 32)
        assert other_key.code == 1 and any(line["why"] == "wrong_broker" for line in other_key.lines), other_key
        tampered(document, broker.key)
        iso = scratch("iso.json")
        oyez(ann, "ledger", "--export", iso, "--format", "iso27560")
        graph = json.loads(iso.read_text())["@graph"]
        assert len(graph) == 3 and all(one["@type"] == "dpv:ConsentReceipt" for one in graph), graph

        # Everything, without what is secret.
        everything = scratch("everything.json")
        oyez(ann, "export", everything)
        text = everything.read_text()
        assert {"intents", "deals", "entries", "notices", "records"} <= set(json.loads(text)), text[:200]
        assert "Tuesday at ten" in text and '"seed"' not in text
        assert verify(everything, "--key", broker.key).code == 0
        assert oyez_run(ann, "wallet", "wipe").code == 2 and (home(ann) / "wallet").exists()
        wiped = oyez(ann, "wallet", "wipe", "--yes")[0]
        assert len(wiped["held"]) == 3 and not list(home(ann).glob("wallet*")), wiped
        assert oyez_run(ann, "intents").error() == "wallet_missing"


def sealed(document):
    """The same with a fitting hash over the content: what somebody does who means it."""
    rest = {name: value for name, value in document.items() if name != "content_hash"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {**rest, "content_hash": hashlib.sha256(text.encode()).hexdigest()}


def tampered(document, key):
    path = scratch("tampered.json")

    def found(changed):
        path.write_text(json.dumps(sealed(changed)))
        outcome = verify(path, "--key", key)
        assert outcome.code == 1, outcome
        return [line for line in outcome.lines if line.get("ok") is False]

    path.write_text(json.dumps(sealed(document)))
    assert verify(path, "--key", key).code == 0
    # One byte of every record here; each byte of each in the unit test.
    for place, record in enumerate(document["records"]):
        raw = base64.b64decode(record.get("signed") or record["signature"])
        changed = copy.deepcopy(document)
        bytes_ = bytearray(raw)
        bytes_[len(raw) * place // len(document["records"])] ^= 1
        changed["records"][place]["signed" if "signed" in record else "signature"] = base64.b64encode(bytes_).decode()
        assert found(changed), place
    entry = next(place for place, one in enumerate(document["entries"]) if one["what"] == "card")
    for name, value in (("vendor_name", "Somebody else"), ("terms_version", 9), ("fields", ["name"])):
        changed = copy.deepcopy(document)
        changed["entries"][entry][name] = value
        assert any(line["record"] == "entry" for line in found(changed)), name
    # A notice left out, a receipt for another deal.
    changed = copy.deepcopy(document)
    notices = [record for record in changed["records"] if record["type"] == "notice"]
    changed["records"].remove(notices[1])
    assert any(line["why"] == "notice_chain" for line in found(changed))
    changed = copy.deepcopy(document)
    receipts = [record for record in changed["records"] if record["type"] == "erasure_receipt"]
    receipts[0]["deal"] = receipts[1]["deal"]
    assert any(line["record"] == "erasure_receipt" for line in found(changed))


def test_ratings_are_seen():
    # A vendor's record is signed anew once a minute at most: a second here.
    with Broker("--region", "FR", clock_rate=60):
        subscription, inbox = vendor("rex"), Inbox()
        who = customer("cleo")
        _, offer = offered(who, subscription)
        assert offer["rating"] is None and offer["vendor_record"]["concluded"] == 0, offer
        early = oyez(who, "accept", offer["offer"], "--card", card_file(), "--fields", "name,email")[0]["deal"]
        assert oyez_run(who, "rate", early, "--stars", "5").error() == "not_concluded"
        for stars in (5, 4, 4, 5, 5):
            deal, _, _ = concluded(who, subscription, inbox)
            assert oyez(who, "rate", deal, "--stars", stars)[0]["status"] == "rated"
            twice = oyez_run(who, "rate", deal, "--stars", 1)
            assert twice.code == 1 and twice.error() == "already_rated", twice
        assert oyez_run(who, "rate", deal, "--stars", 6).code == 2
        offer = wait_for(lambda: (seen := offered(who, subscription)[1])["rating"] and seen, what="the rating")
        assert offer["rating"] == {"value": 4.6, "count": 5}, offer
        assert offer["vendor_record"]["concluded"] >= 5, offer


def test_suspended_vendor():
    with Broker("--region", "FR"):
        subscription = vendor("ray")
        who = customer("dan")
        intent, offer = offered(who, subscription)
        oyez("operator", "admin", "suspend", offer["vendor"], "--reason", "fraud reported")
        wait_for(lambda: "vendor_suspended" in (oyez(who, "offers", intent) or [{"vendor_suspended": 1}])[0],
                 what="the news")
        refused = oyez_run(who, "accept", offer["offer"], "--card", card_file())
        assert refused.code == 1 and refused.error() in ("vendor_suspended", "gone"), refused


def test_through_a_guardian():
    """The deal's box, erasure and notices through the relay; the same commands."""
    with Pair("--posting", "token") as pair:
        subscription = pair.vendor("rob")
        who = pair.customer("eve")
        wait_for(lambda: pair.run(who, "account", "open").code == 0, what="the account")

        def inbox(kind):
            return wait_for(lambda: next((line for line in oyez("rob", "vendor", "inbox", "--wait", "1", ok=False,
                                                                broker=pair.home) if line["type"] == kind), None), what=kind)

        intent = pair.ask(who, "want", "quiet", *PLACE)[0]["intent"]
        release = wait_for(lambda: oyez("rob", "vendor", "watch", subscription, "--wait", "1", ok=False,
                                        broker=pair.home), what="the release")[0]["release"]
        oyez("rob", "vendor", "offer", release, "--price", "189.00", "--currency", "EUR", broker=pair.home)
        offer = pair.ask(who, "offers", intent, "--wait", "30")[0]
        deal = pair.ask(who, "accept", offer["offer"], "--card", card_file())[0]["deal"]
        inbox("agreement")
        oyez("rob", "vendor", "countersign", deal, broker=pair.home)
        wait_for(lambda: pair.ask(who, "deals")[0]["status"] in ("revealed", "concluded"), what="the reveal")
        inbox("reveal")
        assert pair.ask(who, "message", deal, "Tuesday, please")[0]["status"] == "sent"
        assert inbox("message")["text"] == "Tuesday, please"
        oyez("rob", "vendor", "message", deal, "At ten", broker=pair.home)
        assert [line["text"] for line in pair.ask(who, "messages", deal)] == ["Tuesday, please", "At ten"]
        assert pair.ask(who, "erase", deal)[0]["status"] == "asked"
        inbox("erasure")
        oyez("rob", "vendor", "erased", deal, broker=pair.home)
        pair.ask(who, "messages", deal)  # looks into the box at once
        assert pair.ask(who, "deals")[0]["erasure"]["status"] == "erased"
        oyez("operator", "admin", "notice", "A copy was stolen.", "--vendor", offer["vendor"], broker=pair.home)
        assert pair.ask(who, "notices")[0]["touched"][0]["deal"] == deal
        exported = scratch("two.json")
        pair.ask(who, "ledger", "--export", exported)
        held = verify(exported, "--key", pair.home.key)
        assert held.code == 0, held


if __name__ == "__main__":
    main(globals())
