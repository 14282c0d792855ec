#!/usr/bin/env python3
"""The wallet as a file: passphrases, backup and restore, rights, damage, and kill -9 in the middle of changes."""
import os
import random
import signal
import stat
import subprocess
import time

from oyez_test import Broker, cli_command, home, main, oyez, oyez_run, scratch

PLACE = ["--category", "home.kitchen.coffee-machine", "--region", "FR-56"]


def run(who, *args, passphrase=None, unset=False):
    """The CLI with a passphrase in the environment, or none at all."""
    command, environment = cli_command(who, *args)
    environment.pop("OYEZ_PASSPHRASE", None)
    if not unset:
        environment["OYEZ_PASSPHRASE"] = passphrase or ""
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout


def test_init():
    with Broker():
        made = oyez("ann", "wallet", "init")[0]
        assert made["passphrase"] is False and made["wallet"].endswith("ann"), made
        again = oyez_run("ann", "wallet", "init")
        assert again.code == 1 and again.error() == "wallet_exists", again
        assert stat.S_IMODE(os.stat(home("ann")).st_mode) == 0o700
        assert stat.S_IMODE(os.stat(home("ann") / "wallet").st_mode) == 0o600
        nowhere = oyez_run("nobody", "intents")
        assert nowhere.code == 1 and nowhere.error() == "wallet_missing", nowhere
        assert not home("nobody").exists()
        scratch("file").write_text("")
        impossible = oyez_run("ann", "wallet", "init", "--home", scratch("file") / "below")
        assert impossible.code == 1 and impossible.error() == "io", impossible


def test_passphrase():
    with Broker():
        assert run("bea", "wallet", "init", passphrase="correct horse")[0] == 0
        assert run("bea", "intents", passphrase="correct horse")[0] == 0
        for options in ({"passphrase": "wrong"}, {"passphrase": ""}, {"unset": True}):
            code, text = run("bea", "intents", **options)
            assert code == 1 and "wallet_locked" in text, (options, code, text)
        before = (home("bea") / "wallet").read_bytes()
        code, text = run("bea", "want", "sentinel-details", *PLACE, passphrase="correct horse")
        assert code == 0, text
        after = (home("bea") / "wallet").read_bytes()
        assert before != after and b"sentinel-details" not in after and b"home.kitchen" not in after


def test_backup_and_restore():
    with Broker():
        assert run("cleo", "wallet", "init", passphrase="one two")[0] == 0
        code, text = run("cleo", "want", "x", *PLACE, passphrase="one two")
        assert code == 0, text
        backup = scratch("wallet.backup")
        assert run("cleo", "wallet", "backup", backup, passphrase="one two")[0] == 0
        assert stat.S_IMODE(os.stat(backup).st_mode) == 0o600
        code, text = run("cleo", "wallet", "backup", backup, passphrase="one two")
        assert code == 1 and '"io"' in text, text  # never overwrites
        code, text = run("dan", "wallet", "restore", backup, passphrase="three")
        assert code == 1 and "wallet_locked" in text and not (home("dan") / "wallet").exists(), text
        assert run("dan", "wallet", "restore", backup, passphrase="one two")[0] == 0
        assert run("dan", "intents", passphrase="one two")[1] == run("cleo", "intents", passphrase="one two")[1]
        code, text = run("dan", "wallet", "restore", backup, passphrase="one two")
        assert code == 1 and "wallet_exists" in text, text
        code, text = run("eve", "wallet", "restore", scratch("nothing"), passphrase="")
        assert code == 1 and '"io"' in text, text
        code, text = run("eve", "wallet", "restore", __file__, passphrase="")
        assert code == 1 and "wallet_damaged" in text, text


def test_damage():
    with Broker():
        oyez("finn", "wallet", "init")
        oyez("finn", "want", "x", *PLACE)
        path = home("finn") / "wallet"
        good = path.read_bytes()
        chance = random.Random(1)
        for _ in range(30):
            bad = bytearray(good)
            bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
            path.write_bytes(bad)
            outcome = oyez_run("finn", "intents")
            assert outcome.code == 1 and outcome.error() in ("wallet_damaged", "wallet_locked", "bad_version"), outcome
        for size in (0, 1, 63, 64, 90, len(good) - 1):
            path.write_bytes(good[:size])
            assert oyez_run("finn", "intents").error() == "wallet_damaged", size
        path.write_bytes(good + b"more")
        assert oyez_run("finn", "intents").error() == "wallet_damaged"
        path.write_bytes(good)
        assert oyez_run("finn", "intents").code == 0


def test_kill_while_changing():
    """Whenever a command is killed, the wallet opens, and what was acknowledged before is in it."""
    with Broker():
        oyez("gus", "wallet", "init")
        chance = random.Random(2)
        acknowledged = set()
        for _ in range(25):
            command, environment = cli_command("gus", "want", "x", *PLACE)
            process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True)
            time.sleep(chance.random() * 0.06)
            process.send_signal(signal.SIGKILL)
            text, _ = process.communicate()
            if text.endswith("}\n"):
                acknowledged.add(text.split('"intent":"')[1][:64])
            known = {line["intent"] for line in oyez("gus", "intents")}
            assert acknowledged <= known, acknowledged - known
        # What was stored and never acknowledged was sent by the commands after it.
        assert all(line["status"] != "pending" for line in oyez("gus", "intents"))
        assert {path.name for path in home("gus").iterdir()} <= {"wallet", "wallet.lock", "wallet.new"}


def test_many_programs_at_once():
    with Broker():
        oyez("hal", "wallet", "init")
        running = []
        for _ in range(8):
            command, environment = cli_command("hal", "want", "x", *PLACE)
            running.append(subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=subprocess.PIPE, text=True))
        made = set()
        for process in running:
            text, errors = process.communicate(timeout=60)
            assert process.returncode == 0, (text, errors)
            made.add(text.split('"intent":"')[1][:64])
        assert {line["intent"] for line in oyez("hal", "intents")} == made and len(made) == 8


if __name__ == "__main__":
    main(globals())
