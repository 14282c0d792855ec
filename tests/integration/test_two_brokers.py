#!/usr/bin/env python3
"""Two brokers: a guardian that knows who, a home that knows what. The whole way through both with tokens required, while
both are restarted; tokens that cost nothing twice; what a wallet refuses to do."""
import json
import signal
import subprocess

from oyez_test import PATIENCE, Broker, cli_command, main, oyez, oyez_run, oyez_start, scratch, wait_for
from two_brokers import Pair

PLACE = ["--category", "home.kitchen.coffee-machine", "--region", "FR-56"]
CARD = {"name": "Ann Example", "email": "ann@example.org"}


def card_file():
    path = scratch("card.json")
    path.write_text(json.dumps(CARD))
    return path


def ready(pair, who):
    """The guardian has fetched the home's configuration."""
    return wait_for(lambda: pair.run(who, "account", "open").code == 0, what="the account")


def test_account_and_tokens():
    with Pair("--posting", "token") as pair:
        who = pair.customer("ada")
        ready(pair, who)
        account = pair.ask(who, "account", "show")[0]
        assert account["open"] is True and account["mode"] == "two_brokers" and account["tokens"] == 16, account
        assert account["vouchers_left"] == account["vouchers_per_day"] - 1, account
        assert [one["broker"] for one in account["homes"]] == [pair.home.key], account
        more = pair.ask(who, "account", "top-up")[0]
        assert more["added"] == 16 and more["tokens"] == 32, more
        over = pair.run(who, "account", "top-up")
        assert over.code == 1 and over.error() == "voucher_limit", over
        posted = pair.ask(who, "want", "quiet", *PLACE)[0]
        assert posted["privacy"] == "separated" and "privacy_note" not in posted, posted
        assert pair.ask(who, "account", "show")[0]["tokens"] == 31
        shown = pair.ask(who, "show", posted["intent"])[0]
        assert shown["mode"] == "two_brokers" and shown["guardian"] == pair.guardian.url, shown
        explained = pair.ask(who, "explain", posted["intent"])[0]
        assert "network address" in explained["guardian_sees"], explained
        assert "network address" not in explained["broker_sees"], explained
        # A backup holds the account and neither tokens nor their keys.
        backup = scratch("ada.backup")
        oyez(who, "wallet", "backup", backup, broker=pair.home)
        oyez("ada2", "wallet", "restore", backup, broker=pair.home)
        restored = pair.ask("ada2", "account", "show")[0]
        assert restored["tokens"] == 0 and restored["open"] is True, restored


def test_whole_way():
    with Pair("--posting", "token") as pair:
        subscription = pair.vendor("roy")
        who = pair.customer("ann")
        ready(pair, who)
        intent = pair.ask(who, "want", "quiet, with a grinder", *PLACE)[0]["intent"]
        release = wait_for(lambda: oyez("roy", "vendor", "watch", subscription, "--wait", "1", ok=False,
                                        broker=pair.home), what="the release")[0]["release"]
        pair.guardian.restart()
        oyez("roy", "vendor", "offer", release, "--price", "189.00", "--currency", "EUR", broker=pair.home)
        offer = pair.ask(who, "offers", intent, "--wait", PATIENCE)[0]
        assert offer["price"] == {"amount": "189.00", "currency": "EUR"}, offer
        shown = pair.ask(who, "show", intent)[0]
        assert shown["status"] == "released" and shown["broadcast"]["release"] == release, shown
        pair.home.restart()
        accepting = two_start(pair, who, "accept", offer["offer"], "--card", card_file(), "--wait", 2 * PATIENCE)
        agreement = wait_for(lambda: [line for line in oyez("roy", "vendor", "inbox", "--wait", "1", ok=False,
                                                            broker=pair.home) if line["type"] == "agreement"],
                             what="the agreement")[0]
        pair.guardian.restart(kill=True)
        oyez("roy", "vendor", "countersign", agreement["deal"], broker=pair.home)
        said, errors = accepting.communicate(timeout=6 * PATIENCE)
        assert accepting.returncode == 0, (said, errors)
        card = wait_for(lambda: [line for line in oyez("roy", "vendor", "inbox", "--wait", "1", ok=False,
                                                       broker=pair.home) if line["type"] == "reveal"], what="the card")
        assert card[0]["card"] == CARD, card
        wait_for(lambda: pair.ask(who, "deals")[0]["status"] == "concluded", what="the receipt")
        wait_for(lambda: pair.ask(who, "show", intent)[0]["status"] == "concluded", what="the intent's end")
        ledger = pair.ask(who, "ledger")
        assert [entry["what"] for entry in ledger] == ["card"], ledger


def two_start(pair, who, *args):
    return oyez_start(who, *args, "--guardian", pair.guardian.url, broker=pair.home)


def test_agent_answers_by_policy():
    with Pair() as pair:
        subscription = pair.vendor("tea")
        who = pair.customer("bea")
        ready(pair, who)
        posted = pair.ask(who, "want", "an office of five", *PLACE, "--share-details", "auto")[0]
        assert posted["privacy"] == "separated", posted  # also where posting costs nothing
        release = wait_for(lambda: oyez("tea", "vendor", "watch", subscription, "--wait", "1", ok=False,
                                        broker=pair.home), what="the release")[0]["release"]
        oyez("tea", "vendor", "details", release, broker=pair.home)
        agent = two_start(pair, who, "agent")
        try:
            line = oyez("tea", "vendor", "inbox", "--wait", PATIENCE, broker=pair.home)[0]
            assert line["type"] == "details" and "an office of five" in line["text"], line
        finally:
            agent.terminate()
            said, _ = agent.communicate(timeout=PATIENCE)
        kinds = [json.loads(line)["type"] for line in said.splitlines()]
        assert "answered" in kinds and "problem" not in kinds, said
        assert pair.ask(who, "withdraw", posted["intent"])[0]["status"] == "withdrawn"


def test_first_post_without_tokens_says_so():
    with Pair("--posting", "token") as pair:
        who = pair.customer("cyd")
        # Nothing was opened before: the account by proof of work, tokens at once, and the result says what that costs.
        posted = wait_for(lambda: (outcome := pair.run(who, "want", "quiet", *PLACE)).code == 0 and outcome.lines[0],
                          what="the post")
        assert posted["privacy_note"] == "tokens_just_issued", posted
        second = pair.ask(who, "want", "loud", *PLACE)[0]
        assert "privacy_note" not in second, second


def test_home_away_costs_no_token():
    with Pair("--posting", "token") as pair:
        who = pair.customer("dot")
        ready(pair, who)
        pair.home.stop()
        away = pair.run(who, "want", "quiet", *PLACE)
        pair.home.start()
        assert away.code == 3 and away.lines[0]["status"] == "pending", away
        assert away.lines[0]["error"]["code"] == "home_unreachable", away
        intent = away.lines[0]["intent"]
        wait_for(lambda: pair.ask(who, "show", intent)[0]["status"] in ("waiting", "released"), what="the post")
        assert pair.ask(who, "account", "show")[0]["tokens"] == 15


def test_lost_acknowledgement_costs_no_token():
    with Pair("--posting", "token") as pair:
        who = pair.customer("ivy")
        ready(pair, who)
        # The home stands still: what it is sent waits in its socket, and it answers when nobody listens any more.
        pair.home.process.send_signal(signal.SIGSTOP)
        calling = two_start(pair, who, "want", "quiet", *PLACE)
        try:
            # The box is open: the post is on its way. The program ends before it hears of it.
            wait_for(lambda: pair.guardian.metrics()["oyez_boxes_kept"] == 1, what="the box")
            try:
                calling.wait(1)
            except subprocess.TimeoutExpired:
                pass
        finally:
            calling.kill()
            calling.communicate()
            pair.home.process.send_signal(signal.SIGCONT)
        intent = wait_for(lambda: pair.ask(who, "intents"), what="the intent")[0]["intent"]
        wait_for(lambda: pair.ask(who, "show", intent)[0]["status"] in ("waiting", "released"), what="the post")
        assert pair.ask(who, "account", "show")[0]["tokens"] == 15
        assert len(pair.ask(who, "intents")) == 1


def test_direct_with_tokens():
    with Broker("--region", "FR", "--posting", "token", "--accounts", "stamp", "--account-stamp-bits", "12") as broker:
        oyez("eve", "wallet", "init")
        opened = oyez("eve", "account", "open")[0]
        assert opened["mode"] == "direct" and opened["tokens"] == 16, opened
        posted = oyez("eve", "want", "quiet", *PLACE)[0]
        assert posted["privacy"] == "reduced" and "privacy_note" not in posted, posted
        assert oyez("eve", "account", "show")[0]["tokens"] == 15
        broker.restart()
        assert oyez("eve", "want", "loud", *PLACE)[0]["status"] in ("waiting", "released")


def test_invitation():
    with Pair("--posting", "open", guardian_flags=["--accounts", "invite"]) as pair:
        who = pair.customer("fay")
        refused = pair.run(who, "account", "open")
        assert refused.code == 1 and refused.error() == "account_unknown", refused
        wrong = pair.run(who, "account", "open", "--invite", "no-such-code")
        assert wrong.code == 1 and wrong.error() == "invite_bad", wrong
        code = oyez("operator", "admin", "invite", broker=pair.guardian)[0]["invite"]
        assert pair.ask(who, "account", "open", "--invite", code)[0]["open"] is True
        again = pair.run(pair.customer("gil"), "account", "open", "--invite", code)
        assert again.code == 1 and again.error() == "invite_bad", again


def test_the_home_is_never_dialled():
    with Pair("--posting", "token") as pair:
        who = pair.customer("jon")
        ready(pair, who)
        # Under an address where nothing listens: only its key counts.
        named = f"tcp://127.0.0.1:1#{pair.home.key}"
        command, environment = cli_command(who, "want", "quiet", *PLACE, "--guardian", pair.guardian.url,
                                           "--broker", named, broker=pair.home)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done
        intent = json.loads(done.stdout)["intent"]
        wait_for(lambda: pair.ask(who, "show", intent)[0]["status"] == "released", what="the release from the box")


def test_refusals():
    with Pair() as pair:
        who = pair.customer("hal")
        ready(pair, who)
        same = oyez_run(who, "want", "quiet", *PLACE, "--guardian", pair.home.url, broker=pair.home)
        assert same.code == 2 and same.error() == "usage", same
        named = oyez_run(who, "want", "quiet", *PLACE, "--guardian", pair.guardian.url,
                         broker=f"tcp://127.0.0.1:1#{pair.guardian.key}")
        assert named.code == 2 and named.error() == "usage", named
        unknown = oyez_run(who, "want", "quiet", *PLACE, "--guardian", pair.guardian.url, broker="tcp://127.0.0.1:1")
        assert unknown.code == 1 and unknown.error() == "home_unknown", unknown
        changed = oyez_run(who, "want", "quiet", *PLACE, "--guardian", f"{pair.guardian.url}#{'11' * 32}",
                           broker=pair.home)
        assert changed.code == 1 and changed.error() == "broker_changed", changed
        # Words for people name what each of both sees.
        command, environment = cli_command(who, "intents", "--guardian", pair.guardian.url, broker=pair.home,
                                           json_output=False)
        said = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE)
        assert "guardian sees your network address" in said.stderr, said


main(globals())
