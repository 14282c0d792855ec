#!/usr/bin/env python3
"""Identity in a person's text: named, refused without a decision, masked or sent as decided; nothing leaves before."""
import os
import pty
import select
import time

from oyez_test import Broker, clean_environment, home, main, oyez, oyez_path, oyez_run, scratch, wait_for

PLACE = ["--category", "home.kitchen.coffee-machine", "--region", "FR-56"]
TEXT = "Une cafetière. Mail : jo@exemple.fr, tél. 06 39 98 12 34"
FINDS = [{"kind": "email", "text": "jo@exemple.fr", "at": 23}, {"kind": "phone", "text": "06 39 98 12 34", "at": 44}]


def test_refused_without_a_decision():
    with Broker():
        oyez("ann", "wallet", "init")
        run = oyez_run("ann", "want", TEXT, *PLACE)
        assert run.code == 1, run
        assert run.lines[0]["error"]["code"] == "pii_found", run.lines
        assert run.lines[0]["error"]["detail"] == "email, phone", run.lines
        assert "--mask-pii" in run.lines[0]["error"]["hint"] and "names" in run.lines[0]["error"]["hint"], run.lines
        assert run.lines[0]["found"] == FINDS, run.lines
        assert oyez("ann", "intents") == []


def test_masked_and_as_it_is():
    with Broker():
        oyez("bea", "wallet", "init")
        masked = oyez("bea", "want", TEXT, *PLACE, "--language", "fr", "--mask-pii")[0]["intent"]
        details = oyez("bea", "show", masked)[0]["details"]
        assert details.startswith("Une cafetière. Mail : [e-mail], tél. [téléphone]\n"), details
        whole = oyez("bea", "want", TEXT, *PLACE, "--allow-pii")[0]["intent"]
        assert oyez("bea", "show", whole)[0]["details"].startswith(TEXT + "\n")
        clean = oyez("bea", "want", "une cafetière à 189,00 € maximum, EC685.M", *PLACE)[0]["intent"]
        assert oyez("bea", "show", clean)[0]["details"].startswith("une cafetière à 189,00 €")


def test_preview_and_details_file():
    path = scratch("details.txt")
    path.write_text("IBAN FR76 3000 6000 0112 3456 7890 189\n", encoding="utf-8")
    preview = oyez_run("nobody", "want", "x", *PLACE, "--details", str(path), "--preview")
    assert preview.code == 0 and preview.lines[0]["found"][0]["kind"] == "iban", preview
    assert "found" not in oyez_run("nobody", "want", "x", *PLACE, "--preview").lines[0]
    with Broker():
        oyez("cleo", "wallet", "init")
        run = oyez_run("cleo", "want", "x", *PLACE, "--details", str(path))
        assert run.code == 1 and run.lines[0]["error"]["detail"] == "iban", run


def test_answer():
    with Broker():
        oyez("dora", "wallet", "init")
        oyez("shop", "vendor", "init", "--name", "Shop", "--url", "https://shop.example", "--country", "FR")
        oyez("shop", "vendor", "register")
        subscription = oyez("shop", "vendor", "subscribe")[0]["subscription"]
        intent = oyez("dora", "want", "a coffee machine", *PLACE)[0]["intent"]
        release = oyez("shop", "vendor", "watch", subscription, "--max", "1", "--wait", "20")[0]["release"]
        oyez("shop", "vendor", "ask", release, "How shall we reach you?")
        question = wait_for(lambda: oyez("dora", "questions", intent), what="the question")[0]["question"]
        run = oyez_run("dora", "answer", question, "at jo@exemple.fr")
        assert run.code == 1 and run.lines[0]["error"]["code"] == "pii_found", run
        assert run.lines[0]["found"] == [{"kind": "email", "text": "jo@exemple.fr", "at": 3}], run.lines
        assert oyez("dora", "questions", intent)[0]["question"] == question  # still waits
        oyez("dora", "answer", question, "at jo@exemple.fr", "--mask-pii")

        def answers():
            return [line for line in oyez("shop", "vendor", "inbox", "--wait", "5") if line["type"] == "answer"]
        assert wait_for(answers, what="the answer")[0]["text"] == "at [e-mail]"


def on_terminal(who, words, reply):
    """Runs oyez on a terminal of its own, types `reply` at the question. (exit code, what was shown)"""
    command = [str(oyez_path()), "--home", str(home(who)), *words]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(command[0], command, clean_environment(LC_ALL="C.UTF-8", OYEZ_PASSPHRASE=""))
    shown, asked, until = b"", False, time.monotonic() + 60
    while time.monotonic() < until:
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        shown += piece
        if not asked and b"stop (Enter)?" in shown:
            asked = True
            os.write(terminal, reply)
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode("utf-8", "replace")


def test_asked_on_a_terminal():
    with Broker() as broker:
        oyez("eve", "wallet", "init")
        words = ["--broker", broker.url, "want", TEXT, *PLACE]
        code, shown = on_terminal("eve", words, b"\n")
        assert code == 1 and oyez("eve", "intents") == [], shown
        assert "e-mail: jo@exemple.fr (line 1, column 23)" in shown, shown
        assert "phone: 06 39 98 12 34" in shown and "names of people" in shown, shown
        code, shown = on_terminal("eve", words, b"m\n")
        assert code == 0, shown
        intent = oyez("eve", "intents")[0]["intent"]
        assert "[e-mail]" in oyez("eve", "show", intent)[0]["details"]
        code, shown = on_terminal("eve", words, b"s\n")
        assert code == 0 and len(oyez("eve", "intents")) == 2, shown
        assert "jo@exemple.fr" in "".join(oyez("eve", "show", one["intent"])[0]["details"]
                                          for one in oyez("eve", "intents"))


if __name__ == "__main__":
    main(globals())
