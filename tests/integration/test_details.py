#!/usr/bin/env python3
"""Step by step: details requests by the person's policy, questions and answers, and their limits."""
import shutil

import oyez_test
from oyez_test import Broker, oyez, oyez_run, oyez_start, wait_for

COFFEE = "home.kitchen.coffee-machine"
TEXT = "for an office of five, no capsules please"


def market(*flags, **options):
    """A new broker, and nobody has met another one before."""
    shutil.rmtree(oyez_test.home("nobody").parent, ignore_errors=True)
    return Broker(*flags, **options)


def vendor(name):
    oyez(name, "vendor", "init", "--name", name.title(), "--url", f"https://{name}.example", "--country", "FR")
    oyez(name, "vendor", "register")
    return oyez(name, "vendor", "subscribe")[0]["subscription"]


def want(*flags):
    if not oyez_test.home("alice").exists():
        oyez("alice", "wallet", "init")
    return oyez("alice", "want", TEXT, "--category", COFFEE, "--region", "FR-56", *flags)[0]["intent"]


def release_of(name, subscription):
    return oyez(name, "vendor", "watch", subscription, "--wait", "10")[0]["release"]


class Agent:
    def __enter__(self):
        self.process = oyez_start("alice", "agent")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate()


def test_auto_answers_while_the_agent_runs():
    with market():
        subscription = vendor("ada")
        want("--share-details", "auto", "--budget", "120-180")
        release = release_of("ada", subscription)
        question = oyez("ada", "vendor", "details", release)[0]["question"]
        assert oyez("ada", "vendor", "details", release[:8])[0]["question"] == question  # once asked is asked
        assert oyez_run("ada", "vendor", "inbox", "--wait", "0.3").code == 4
        with Agent():
            line = oyez("ada", "vendor", "inbox", "--wait", "20")[0]
        assert (line["type"], line["release"], line["question"]) == ("details", release, question), line
        assert TEXT in line["text"], line


def test_never_means_never():
    with market():
        subscription = vendor("nev")
        intent = want("--share-details", "never")
        release = release_of("nev", subscription)
        oyez("nev", "vendor", "details", release)
        with Agent():
            outcome = oyez_run("nev", "vendor", "inbox", "--wait", "1.5")
        assert not any(TEXT in line.get("text", "") for line in outcome.lines), outcome
        assert not [line for line in oyez("alice", "questions", intent) if line.get("status") == "waiting"]


def test_ask_waits_for_the_person():
    with market():
        subscription = vendor("abe")
        intent = want()  # ask is the default
        release = release_of("abe", subscription)
        oyez("abe", "vendor", "details", release)
        waiting = wait_for(lambda: oyez("alice", "questions", intent, "--wait", "5"), what="the request")
        assert oyez("abe", "vendor", "inbox") == []
        oyez("alice", "answer", waiting[0]["question"])
        line = oyez("abe", "vendor", "inbox", "--wait", "10")[0]
        assert line["type"] == "details" and TEXT in line["text"], line


def test_questions_and_answers():
    with market():
        subscription = vendor("quy")
        intent = want()
        release = release_of("quy", subscription)
        asked = oyez("quy", "vendor", "ask", release, "Quel jour ? Which day?")[0]["question"]
        waiting = wait_for(lambda: oyez("alice", "questions", intent, "--wait", "5"), what="the question")[0]
        assert waiting["question"] == asked and waiting["text"] == "Quel jour ? Which day?", waiting
        oyez("alice", "answer", asked, "mardi\nor Tuesday")
        line = oyez("quy", "vendor", "inbox", "--wait", "10")[0]
        assert (line["type"], line["question"], line["text"]) == ("answer", asked, "mardi\nor Tuesday"), line
        assert TEXT not in line["text"]


def test_limits():
    with market():
        subscription = vendor("lim")
        intent = want()
        release = release_of("lim", subscription)
        for number in range(4):
            oyez("lim", "vendor", "ask", release, f"question {number}")
        refused = oyez_run("lim", "vendor", "ask", release, "one more")
        assert refused.code == 1 and refused.error() == "question_limit", refused
        long = oyez_run("lim", "vendor", "ask", release, "x" * 1025)
        assert long.code == 1 and long.error() == "too_large", long
        oyez("alice", "withdraw", intent)
        over = oyez_run("lim", "vendor", "details", release)
        assert over.code == 1 and over.error() == "gone", over


def test_auto_serves_at_most_so_many():
    with market():
        names = ["one", "two", "three"]
        subscriptions = {name: vendor(name) for name in names}
        intent = want("--share-details", "auto", "--share-max", "2")
        for name in names:
            oyez(name, "vendor", "details", release_of(name, subscriptions[name]))
        served = set()
        with Agent():
            def two_served():
                for name in names:
                    served.update(name for line in oyez(name, "vendor", "inbox") if line["type"] == "details")
                return len(served) >= 2
            wait_for(two_served, what="two vendors to be served")
            # The third now waits for the person.
            wait_for(lambda: [line for line in oyez("alice", "questions", intent) if line["status"] == "waiting"],
                     what="the third request to wait")
            two_served()
        assert len(served) == 2, served


oyez_test.main(globals())
