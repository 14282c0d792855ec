#!/usr/bin/env python3
"""The operator's commands over the ipc socket, and that nobody else can give them."""
import datetime
import pathlib
import re

from oyez_test import Broker, main, oyez, oyez_run

PLACE = ["--category", "home.kitchen.coffee-machine", "--region", "FR-56"]


def vendor(name):
    oyez(name, "vendor", "init", "--name", f"Shop {name}", "--url", f"https://{name}.example", "--country", "FR",
         "--terms", "SD-BASE")
    return oyez_run(name, "vendor", "register")


def test_status():
    with Broker("--region", "FR-BRE") as broker:
        oyez("ann", "wallet", "init")
        oyez("ann", "want", "x", *PLACE)
        status = oyez("op", "admin", "status")[0]
        assert status["broker"] == broker.key and status["region"] == "FR-BRE", status
        assert status["intents_waiting"] + status["intents_released"] == 1, status
        assert status["clock_held"] is False and status["store_bytes"] > 0 and status["tick"] == "100ms", status
        assert {"version", "up", "crowd", "vendors", "subscriptions", "deals_open", "feed_length", "parked"} <= set(status)
        by_folder = oyez("op", "admin", "status", "--data", broker.data)[0]
        assert by_folder["broker"] == broker.key, by_folder
        assert "intents waiting" in oyez_run("op", "admin", "status", json_output=False).text


def test_approval():
    with Broker("--vendors", "approved"):
        vendor("shop")
        listed = oyez("op", "admin", "vendors")
        assert len(listed) == 1 and listed[0]["status"] == "pending" and listed[0]["name"] == "Shop shop", listed
        assert listed[0]["url"] == "https://shop.example" and listed[0]["country"] == "FR", listed
        # Who waits may prepare its filters, but hears nothing yet.
        subscription = oyez("shop", "vendor", "subscribe", "--category", "home")[0]["subscription"]
        refused = oyez_run("shop", "vendor", "watch", subscription, "--wait", "1")
        assert refused.code == 1 and refused.error() == "vendor_pending", refused
        identity = listed[0]["vendor"]
        assert oyez("op", "admin", "approve", identity[:8])[0] == {"vendor": identity, "status": "approved"}
        assert oyez_run("shop", "vendor", "watch", subscription, "--wait", "1").code == 4
        suspended = oyez("op", "admin", "suspend", identity, "--reason", "spam")[0]
        assert suspended["status"] == "suspended" and suspended["reason"] == "spam", suspended
        refused = oyez_run("shop", "vendor", "subscribe", "--category", "home.kitchen")
        assert refused.code == 1 and refused.error() == "vendor_suspended", refused
        assert oyez("op", "admin", "vendors")[0]["status"] == "suspended"
        for words, code in ((["approve", "0" * 64], "vendor_unknown"), (["approve", "000000"], "not_found")):
            outcome = oyez_run("op", "admin", *words)
            assert outcome.code == 1 and outcome.error() == code, outcome
        assert oyez_run("op", "admin", "suspend", identity).code == 2


def test_invites():
    with Broker() as broker:
        assert oyez("op", "admin", "accounts") == []
        codes = oyez("op", "admin", "invite", "--count", "3", "--valid", "2d")
        assert len({code["invite"] for code in codes}) == 3, codes
        assert all(re.fullmatch("([0-9a-z]{4}-){3}[0-9a-z]{4}", code["invite"]) for code in codes), codes
        valid = [datetime.datetime.fromisoformat(code["valid_until"].replace("Z", "+00:00")) for code in codes]
        left = valid[0] - datetime.datetime.now(datetime.timezone.utc)
        assert datetime.timedelta(days=1, hours=23) < left < datetime.timedelta(days=2, hours=1), left
        assert len(oyez("op", "admin", "invite")) == 1
        for words in (["--count", "0"], ["--count", "101"], ["--count", "x"], ["--valid", "91d"], ["--valid", "soon"]):
            assert oyez_run("op", "admin", "invite", *words).code == 2, words
        status = oyez("op", "admin", "status")[0]
        assert status["accounts"] == status["vouchers_given"] == status["boxes_kept"] == 0, status
        spoken = oyez_run("op", "admin", "invite", json_output=False)
        assert spoken.code == 0 and "invitation" in spoken.text and "valid until" in spoken.text, spoken
        assert "ACCOUNT" in oyez_run("op", "admin", "accounts", json_output=False).text
        # Nothing of a code stands in the store or in the log.
        code = codes[0]["invite"]
        for path in pathlib.Path(broker.data).iterdir():
            if path.is_file():
                content = path.read_bytes()
                assert code.encode() not in content and code.replace("-", "").encode() not in content, path


def test_compact():
    with Broker():
        oyez("bea", "wallet", "init")
        intent = oyez("bea", "want", "x", *PLACE)[0]["intent"]
        oyez("bea", "withdraw", intent)
        assert oyez("op", "admin", "compact")[0] == {"compacted": True}
        assert oyez("bea", "show", intent)[0]["status"] == "withdrawn"
        assert oyez_run("bea", "want", "y", *PLACE).code == 0


def test_only_the_socket():
    with Broker() as broker:
        outcome = oyez_run("op", "admin", "status", "--broker", broker.url)
        assert outcome.code == 1 and outcome.error() == "admin_only", outcome
    outcome = oyez_run("op", "admin", "status")
    assert outcome.code == 3 and outcome.error() == "unreachable", outcome


if __name__ == "__main__":
    main(globals())
