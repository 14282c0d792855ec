#!/usr/bin/env python3
"""Who sees what: one call goes the whole way through two brokers while every byte that each party handles is written
down, opened by a cipher or not; then each recording is searched for each secret. The table that comes out is held
against the one in RESULTS.md, so the page says what was found and nothing else. OYEZ_PRINT_TABLE prints it."""
import json
import os

import parties
from oyez_test import PATIENCE, SANITIZED, cli_command, main, oyez, scratch, wait_for
from two_brokers import Pair

WALLET_ADDRESS = "127.9.77.1"
CARD = {"name": "Zéphyrine Quatrebarbes-Sentinelle", "email": "zq.sentinel.7731@leak-canary.example",
        "phone": "+33 7 98 12 45 63", "address": {"street": "417 impasse du Canari-Sentinelle", "postcode": "56419",
                                                  "city": "Saint-Sentinel-en-Test", "country": "FR"}}
TEXT = "sentinel-words-qxz: a turquoise machine under the north window"
QUESTION = "sentinel-question-wpl: which voltage?"
ANSWER = "sentinel-answer-jjp: the usual one"
PRICE, LOSERS_PRICE = "187.65", "1234.56"
PRICE_FIELD = bytes([6 << 3, 0x94, 0xC4, 0x72])  # Offer.price_e4 = 1876500

PARTIES = ("wallet", "line", "guardian", "home", "winner", "loser")
TITLES = {"wallet": "the wallet", "line": "the line to the guardian", "guardian": "guardian", "home": "home broker",
          "winner": "the vendor chosen", "loser": "another vendor that asked"}
# Secret -> who may see it. A row of the page.
MAY_SEE = {
    "the network address": {"wallet", "line", "guardian"},
    "the account": {"wallet", "guardian"},
    "name, e-mail, telephone, street": {"wallet", "winner"},
    "the person's own words (details)": {"wallet", "winner"},
    "the answer to a question": {"wallet", "loser"},
    "what is wanted, as published": {"wallet", "home", "winner", "loser"},
    "the exact budget": {"wallet", "winner"},
    "the call's key": {"wallet", "home", "winner", "loser"},
    "the token": {"wallet", "home"},
    "the box": {"wallet", "guardian", "home"},
    "the offer's price": {"wallet", "winner"},
    "that this vendor was chosen": {"wallet", "home", "winner"},
}


class Market(Pair):
    """Two brokers, both recorded, from their second start on."""

    def __enter__(self):
        self.home.env.update(parties.recorded("home"))
        self.guardian.env.update(parties.recorded("guardian"))
        return super().__enter__()


def recorded_oyez(market, party, who, *args, ok=True, guardian=False):
    words = [*args, *(["--guardian", market.guardian.url] if guardian else [])]
    address = WALLET_ADDRESS if party == "wallet" else None
    return oyez(who, *words, ok=ok, broker=market.home, env=parties.recorded(party, address))


def flow(market):
    """One call from the wish to the concluded deal; what is secret of it, by name."""
    wallet = lambda *args, ok=True: recorded_oyez(market, "wallet", "zoe", *args, ok=ok, guardian=True)
    winner = lambda *args, ok=True: recorded_oyez(market, "winner", "winner", "vendor", *args, ok=ok)
    loser = lambda *args, ok=True: recorded_oyez(market, "loser", "loser", "vendor", *args, ok=ok)
    for vendor, name in ((winner, "winner"), (loser, "loser")):
        vendor("init", "--name", name, "--url", f"https://{name}.example", "--country", "FR", "--terms", "SD-BASE")
        vendor("register")
    subscriptions = {name: vendor("subscribe", "--category", "home")[0]["subscription"]
                     for name, vendor in (("winner", winner), ("loser", loser))}
    wallet("wallet", "init")
    wait_for(lambda: wallet("account", "open", ok=False)[0].get("open"), what="the account")
    intent = wallet("want", TEXT, "--category", "home.kitchen.coffee-machine", "--region", "FR-56", "--budget",
                    "100-250", "--patience", "0s")[0]["intent"]
    release = wait_for(lambda: winner("watch", subscriptions["winner"], "--wait", "1", ok=False), what="the release")[0]["release"]
    loser("watch", subscriptions["loser"], "--wait", "5")
    loser("ask", release, QUESTION)
    winner("details", release)
    questions = wait_for(lambda: (found := wallet("questions", intent)) and len(found) == 2 and found, what="both questions")
    for question in questions:
        wallet("answer", question["question"], *([] if question["kind"] == "details" else [ANSWER]))
    for vendor, kind in ((winner, "details"), (loser, "answer")):
        wait_for(lambda: [line for line in vendor("inbox", "--wait", "2", ok=False) if line["type"] == kind], what=kind)
    winner("offer", release, "--price", PRICE, "--currency", "EUR")
    loser("offer", release, "--price", LOSERS_PRICE, "--currency", "EUR")
    offers = wait_for(lambda: (found := wallet("offers", intent)) and len(found) == 2 and found, what="both offers")
    chosen = next(offer for offer in offers if offer["price"]["amount"] == PRICE)
    scratch("card.json").write_text(json.dumps(CARD))
    deal = wallet("accept", chosen["offer"], "--card", scratch("card.json"), "--fields", ",".join(CARD))[0]["deal"]
    wait_for(lambda: [line for line in winner("inbox", "--wait", "2", ok=False) if line["type"] == "agreement"], what="agreement")
    winner("countersign", deal)
    wait_for(lambda: wallet("offers", intent) is not None and wallet("deals")[0]["status"] in ("revealed", "concluded"))
    wait_for(lambda: [line for line in winner("inbox", "--wait", "2", ok=False) if line["type"] == "reveal"], what="the card")
    wait_for(lambda: wallet("offers", intent) is not None and wallet("deals")[0]["status"] == "concluded", what="the receipt")
    wait_for(lambda: [line for line in loser("inbox", "--wait", "2", ok=False) if line["type"] == "gone"], what="gone")
    loser("inbox")
    return intent, deal, release


def line_of(entries):
    """What somebody on the line between wallet and guardian sees: bytes of connections, nothing opened."""
    return [entry for entry in entries if entry[0] in "rs"]


def secrets_of(market, recordings, intent, deal):
    """Each secret as the bytes or texts that would give it away. Keys are read off the wallet's own recording."""
    posts = posts_of(recordings["home"])
    assert len(posts) == 1, len(posts)
    post = posts[0]
    envelopes = [dict(parties.protobuf_fields(content)) for content in opened(recordings["guardian"], ".2.2")]
    accounts = {fields[".2.2"] for fields in envelopes if len(fields.get(".2.2", b"")) == 32}
    assert len(accounts) == 1, accounts
    return {
        "the network address": [WALLET_ADDRESS],
        "the account": [accounts.pop()],
        "name, e-mail, telephone, street": [CARD["name"], CARD["email"], CARD["phone"], CARD["address"]["street"]],
        "the person's own words (details)": [TEXT],
        "the answer to a question": [ANSWER],
        "what is wanted, as published": [b"home.kitchen.coffee-machine"],
        "the exact budget": ["100.00-250.00 EUR"],
        "the call's key": [post["key"]],
        "the token": [post["token"]],
        "the box": [post["box"]],
        "the offer's price": [PRICE, PRICE_FIELD],
        "that this vendor was chosen": [bytes.fromhex(deal)],
    }


def opened(entries, *paths):
    """Plaintexts of the recording that parse as messages with these fields, without their padding."""
    for kind, _, content in entries:
        if kind != "p" or len(content) < 8:
            continue
        length = int.from_bytes(content[:4], "big")
        if not 0 < length <= len(content) - 4:
            continue
        try:
            names = {name for name, _ in parties.protobuf_fields(content[4:4 + length])}
        except (ValueError, IndexError):
            continue
        if all(path in names for path in paths):
            yield content[4:4 + length]


def posts_of(entries):
    """Key, token, box of each different post that the home broker opened."""
    found = {}
    for content in opened(entries, ".2.1.10"):
        fields = dict(parties.protobuf_fields(content))
        found[fields[".2.2"]] = {"key": fields[".2.2"], "token": fields[".2.1.10.13"], "box": fields[".2.1.10.15"],
                                 "fields": fields}
    return list(found.values())


def test_who_sees_what():
    with Market("--posting", "token", "--crowd", "1") as market:
        intent, deal, release = flow(market)
    recordings = {party: parties.recording(party) for party in ("wallet", "guardian", "home", "winner", "loser")}
    recordings["line"] = line_of(recordings["wallet"])
    content = {party: parties.everything(entries) for party, entries in recordings.items()}
    for party, size in ((party, len(content[party])) for party in PARTIES):
        assert size > 20_000, f"the recording of {party} has {size} bytes only"
    secrets = secrets_of(market, recordings, intent, deal)
    sees = {name: {party for party in PARTIES if any(parties.holds(content[party], secret) for secret in found)}
            for name, found in secrets.items()}
    sees["the network address"] |= {"wallet", "line"}  # by nature: it is theirs
    if os.environ.get("OYEZ_PRINT_TABLE"):
        print(table(sees))
    page = (parties.HERE / "RESULTS.md").read_text()
    assert f"<!-- who sees what -->\n{table(sees)}\n<!-- end -->" in page, "RESULTS.md has another table (OYEZ_PRINT_TABLE=1 prints it)"
    wrong = {name: sorted(sees[name] ^ MAY_SEE[name]) for name in sees if sees[name] != MAY_SEE[name]}
    assert not wrong, f"seen by others than expected, or not where it must be: {wrong}"


def table(sees):
    lines = ["| | " + " | ".join(TITLES[party] for party in PARTIES) + " |", "|---|" + ":-:|" * len(PARTIES)]
    for name, found in sees.items():
        lines.append(f"| {name} | " + " | ".join("sees" if party in found else "–" for party in PARTIES) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    if SANITIZED:
        print("skipped: the recorder and the sanitizers both want to come first")
        raise SystemExit(77)
    main({"test_who_sees_what": test_who_sees_what})
