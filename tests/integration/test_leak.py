#!/usr/bin/env python3
"""Identity reaches the winner and nobody else.

A card and details full of sentinels go through a whole deal with three vendors. Afterwards everything the broker left
anywhere (files, log, metrics, a core dump of the running process) and everything the losing vendors received is
searched for them in clear, base64, hex and UTF-16. Runs on the plain build only: a core dump of a sanitized process
writes tens of gigabytes.
"""
import base64
import json
import os
import shutil
import subprocess

from oyez_test import Broker, SANITIZED, home, main, oyez, scratch, wait_for

SENTINELS = {
    "name": "Zéphyrine Quatrebarbes-Sentinelle",
    "email": "zq.sentinel.7731@leak-canary.example",
    "phone": "+33 7 98 12 45 63",
    "street": "417 impasse du Canari-Sentinelle",
    "postcode": "56419",
    "city": "Saint-Sentinel-en-Test",
    "iban": "FR7630006000011234567890189",
}
CARD = {
    "name": SENTINELS["name"],
    "email": SENTINELS["email"],
    "phone": SENTINELS["phone"],
    "address": {
        "street": SENTINELS["street"],
        "postcode": SENTINELS["postcode"],
        "city": SENTINELS["city"],
        "country": "FR",
    },
    "iban": SENTINELS["iban"],
}
DETAILS = {
    "text": "sentinel-words-qxz-wanted-a-turquoise-machine",
    "file": "sentinel-details-kvw: under the north window, 41.7 cm",
    "answer": "sentinel-answer-jjp: yes, on Tuesday",
}


def forms(text):
    """Every form in which `text` may stand in bytes: UTF-8, UTF-16, hex, base64 at each of the three offsets, JSON."""
    utf8 = text.encode()
    found = {utf8, text.encode("utf-16-le"), text.encode("utf-16-be"), json.dumps(text)[1:-1].encode()}
    found |= {utf8.hex().encode(), utf8.hex().upper().encode()}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for offset in range(3):
            coded = encode(b"\0" * offset + utf8).rstrip(b"=")
            skip = (0, 2, 3)[offset]  # characters that mix with what stands before
            tail = (len(utf8) + offset) % 3  # the last character mixes with what stands behind
            found.add(coded[skip : len(coded) - (1 if tail else 0)])
    return found


def search(places, secrets):
    """[(place, secret, form)] of every secret found in any of the places {name: bytes}."""
    return [
        (place, secret, form[:24])
        for place, content in places.items()
        for secret in secrets
        for form in forms(secret)
        if form in content
    ]


def files_below(*folders):
    places = {}
    for folder in folders:
        for root, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(root, name)
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        places[path] = file.read()
    return places


def test_the_search_finds_each_form():
    """Finding nothing means nothing unless the search finds what is there."""
    secret = SENTINELS["email"]
    for before in (b"", b"x", b"xy"):
        raw = before + secret.encode() + b"behind"
        hidden = [raw, base64.b64encode(raw), base64.urlsafe_b64encode(raw), raw.hex().encode(), raw.hex().upper().encode()]
        hidden += [secret.encode("utf-16-le"), secret.encode("utf-16-be")]
        for content in hidden:
            assert search({"here": b"junk" + content + b"junk"}, [secret]), content
    assert search({"here": json.dumps({"name": SENTINELS["name"]}).encode()}, [SENTINELS["name"]])
    assert not search({"here": b"nothing to see"}, [secret])


class Vendor:
    """A vendor at the command line that remembers every byte it received."""

    def __init__(self, name):
        self.name, self.received = name, b""
        oyez(name, "vendor", "init", "--name", name, "--url", f"https://{name}.example", "--country", "FR", "--terms", "SD-BASE")
        oyez(name, "vendor", "register")
        self.subscription = oyez(name, "vendor", "subscribe", "--category", "home.kitchen", "--region", "FR")[0]["subscription"]

    def receive(self, *words, ok=True):
        lines = oyez(self.name, "vendor", *words, ok=ok)
        self.received += "\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode()
        return lines

    def receive_until(self, kind):
        """Reads the inbox until a line of that type came; returns it."""
        found = []
        wait_for(lambda: found.extend(line for line in self.receive("inbox", "--wait", "5", ok=False) if line.get("type") == kind)
                 or found, what=f"{kind} in the inbox of {self.name}")
        return found[0]


def core_dump_of(process_id):
    prefix = scratch("core")
    subprocess.run(["gcore", "-a", "-o", prefix, str(process_id)], check=True, capture_output=True)
    path = f"{prefix}.{process_id}"
    with open(path, "rb") as file:
        content = file.read()
    os.unlink(path)
    pages = (content[at : at + 4096] for at in range(0, len(content), 4096))
    return b"".join(page for page in pages if any(page))  # most of it are stacks never touched


def test_only_the_winner_learns_who_it_is():
    with Broker() as broker:
        winner, loser, asker = vendors = [Vendor(name) for name in ("winner", "loser", "asker")]
        scratch("card.json").write_text(json.dumps(CARD))
        scratch("details.txt").write_text(DETAILS["file"])
        oyez("customer", "wallet", "init")
        intent = oyez("customer", "want", DETAILS["text"], "--category", "home.kitchen.coffee-machine", "--region", "FR-56",
                      "--budget", "100-250", "--details", scratch("details.txt"), "--share-details", "ask")[0]["intent"]

        offers = {}
        for vendor in vendors:
            release = vendor.receive("watch", vendor.subscription, "--max", "1", "--wait", "20")[0]["release"]
            offers[vendor.name] = oyez(vendor.name, "vendor", "offer", release, "--price", "199.00", "--currency", "EUR",
                                       "--needs", "name,address")[0]["offer"]
        # One loser is given an answer, the winner the details: each gets that, and the card is for the winner alone.
        oyez("asker", "vendor", "ask", release, "Which day?")
        oyez("winner", "vendor", "details", release)
        wait_for(lambda: len(oyez("customer", "questions", intent)) == 2)
        waiting = oyez("customer", "questions", intent)
        for question in waiting:
            is_details = question["kind"] == "details"
            oyez("customer", "answer", question["question"], *([] if is_details else [DETAILS["answer"]]))
        winner.receive_until("details")
        asker.receive_until("answer")

        wait_for(lambda: len(oyez("customer", "offers", intent)) == 3)
        deal = oyez("customer", "accept", offers["winner"], "--card", scratch("card.json"),
                    "--fields", ",".join(CARD))[0]["deal"]
        winner.receive_until("agreement")
        oyez("winner", "vendor", "countersign", deal)
        wait_for(lambda: oyez("customer", "offers", intent) is not None and oyez("customer", "deals")[0]["status"] == "revealed")
        winner.receive_until("reveal")
        wait_for(lambda: oyez("customer", "offers", intent) is not None and oyez("customer", "deals")[0]["status"] == "concluded")
        loser.receive_until("gone")
        for vendor in vendors:
            vendor.receive("inbox")
            vendor.receive("watch", vendor.subscription, "--wait", "1", ok=False)
            vendor.receive("deals")

        places = files_below(broker.data)
        places["log"] = json.dumps(broker.log, ensure_ascii=False).encode()
        places["metrics"] = broker.get("/metrics")[1].encode()
        places["core dump"] = core_dump_of(broker.process.pid)
        assert len(places["core dump"]) > 1_000_000, "the core dump is no dump"
        assert bytes.fromhex(broker.key) in places["core dump"], "the core dump does not hold the broker's memory"

        found = search(places, [*SENTINELS.values(), *DETAILS.values()])
        assert not found, f"the broker holds what it must not: {found}"
        for vendor, unasked in ((loser, DETAILS.values()), (asker, [DETAILS["text"], DETAILS["file"]])):
            places = {**files_below(home(vendor.name)), "received": vendor.received}
            found = search(places, [*SENTINELS.values(), *unasked])
            assert not found, f"{vendor.name} received what was not for it: {found}"
        held = [line["card"] for line in oyez("winner", "vendor", "deals") if line["deal"] == deal]
        assert held == [CARD], held
        assert DETAILS["file"].encode() in winner.received and DETAILS["text"].encode() in winner.received
        assert DETAILS["answer"].encode() in asker.received


if __name__ == "__main__":
    if SANITIZED:
        print("skipped: a core dump of a sanitized process is too large")
        raise SystemExit(77)
    if not shutil.which("gcore"):
        print("skipped: gcore is missing (package gdb)")
        raise SystemExit(77)
    main(globals())
