#!/usr/bin/env python3
"""A demonstration: simulated callers give a real crowd, everybody is told so, and no other broker is deceived."""
import subprocess

import oyez_test
from oyez_test import Broker, clean_environment, oyez, oyez_run, scratch, wait_for

COFFEE = "home.kitchen.coffee-machine"
PROGRAM = oyez_test.BUILD / "clients" / "oyez-crowd"


def crowd_start(broker, *flags, name="crowd"):
    command = [str(PROGRAM), "--broker", broker.url, "--home", str(scratch(name)), *map(str, flags)]
    return subprocess.Popen(command, env=clean_environment(LC_ALL="C.UTF-8"), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_no_other_broker_is_deceived():
    with Broker() as broker:
        program = crowd_start(broker, "--duration", "5s", name="refused")
        out, errors = program.communicate(timeout=60)
        assert program.returncode == 2 and "does not announce a demonstration" in errors, (out, errors)
        assert oyez("op", "admin", "status")[0]["intents_released"] == 0


def test_a_call_leaves_in_a_crowd_of_simulated_callers():
    with Broker("--demo", "on", crowd=5) as broker:
        oyez("shop", "vendor", "init", "--name", "Shop", "--url", "https://shop.example", "--country", "FR")
        oyez("shop", "vendor", "register")
        subscription = oyez("shop", "vendor", "subscribe", "--region", "FR")[0]["subscription"]
        oyez("alice", "wallet", "init")
        posted = oyez("alice", "want", "a machine for five", "--category", COFFEE, "--region", "FR-56", "--budget",
                      "100-250", "--patience", "3s")[0]
        assert posted["demo"] is True and posted["crowd"]["want"] == 5, posted
        # Alone, no patience helps.
        assert oyez("alice", "intents")[0]["status"] == "waiting"
        program = crowd_start(broker, "--wallets", 8, "--rate", 240, "--flat", "--patience", "3s", "--accept", 0,
                              "--withdraw", 0, "--category", COFFEE, "--region", "FR-56")
        try:
            wait_for(lambda: oyez("alice", "intents")[0]["status"] == "released", what="a crowd")
        finally:
            program.terminate()
            program.communicate(timeout=60)
        assert program.returncode == 0
        shown = oyez("alice", "show", posted["intent"])[0]
        release, crowd = shown["broadcast"]["release"], shown["broadcast"]["crowd"]
        assert shown["demo"] is True and crowd >= 5, shown
        seen = [event for event in oyez("shop", "vendor", "watch", subscription, "--wait", "5", ok=False)
                if event["type"] == "release"]
        looks = {event["release"]: {key: value for key, value in event.items()
                                    if key not in ("cursor", "release", "maybe")} for event in seen}
        assert all(event["demo"] is True and event["crowd"] >= 5 for event in seen), seen
        alike = sum(look == looks[release] for look in looks.values())
        assert alike >= crowd, (alike, crowd)
        words = oyez_run("alice", "intents", json_output=False)
        assert "demonstration" in words.text and "simulated" in words.text, words


if __name__ == "__main__":
    if not PROGRAM.exists():
        print(f"{PROGRAM} is not built")
        raise SystemExit(1)
    oyez_test.main(globals())
