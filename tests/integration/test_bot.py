#!/usr/bin/env python3
"""The exec runner: three sample bots on a real broker, and programs that misbehave in every way."""
import contextlib
import json
import os
import shutil
import stat
import subprocess
import time

import oyez_test
from oyez_test import Broker, SOURCE, home, oyez, oyez_run, oyez_start, scratch, wait_for

COFFEE, BIKE, PLUMBING = "home.kitchen.coffee-machine", "mobility.bicycles.city-bike", "services.home.plumbing"
SAMPLES = SOURCE / "clients" / "bot"


def market(*flags, **options):
    """A new broker, and nobody has met another one before."""
    shutil.rmtree(oyez_test.home("nobody").parent, ignore_errors=True)
    return Broker(*flags, **options)


def init(name):
    oyez(name, "vendor", "init", "--name", name.title(), "--url", f"https://{name}.example", "--country", "FR")


def want(category, *flags, text="as described", region="FR-56"):
    if not home("alice").exists():
        oyez("alice", "wallet", "init")
    return oyez("alice", "want", text, "--category", category, "--region", region, *flags)[0]["intent"]


def offers(intent):
    return [line for line in oyez("alice", "offers", intent) if line.get("status", "open") == "open"]


class Bot:
    """A running `oyez bot run`; its stdout and stderr go to files so that no pipe ever fills."""

    def __init__(self, name, program, *flags):
        if not home(name).exists():
            init(name)
        self.name, self.flags, self.program = name, flags, program
        self.out, self.err = scratch(f"{name}.out"), scratch(f"{name}.err")
        self.start()

    def start(self):
        command, environment = oyez_test.cli_command(self.name, "bot", "run", *self.flags, "--exec", str(self.program))
        ready = len(self.did("ready"))
        with open(self.out, "ab") as out, open(self.err, "ab") as err:
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        try:
            wait_for(lambda: len(self.did("ready")) > ready or self.process.poll() is not None,
                     what="the bot to be ready")
            assert self.process.poll() is None, self.errors()
        except AssertionError:
            self.kill()
            raise
        return self

    def lines(self):
        text = self.out.read_text() if self.out.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def did(self, what):
        return [line for line in self.lines() if line["did"] == what]

    def errors(self):
        return self.err.read_text()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(oyez_test.PATIENCE)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        code = self.stop()
        if kind is None:
            assert code == 0, (code, self.errors())
        else:
            print(f"bot {self.name}:", self.out.read_text(), self.errors(), sep="\n")


def script(name, text):
    path = scratch(name)
    path.write_text("#!/usr/bin/env python3\nimport json, os, sys, time\n" + text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


OFFER_EACH = """
def offer(event, price="99.00"):
    print(json.dumps({"type": "offer", "release": event["release"], "price": price}), flush=True)
"""


@contextlib.contextmanager
def agent():
    process = oyez_start("alice", "agent")
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


def test_three_sample_bots_and_a_deal_each():
    bots = {"kitchen": ("bot.sh", "kitchen.json", ("--category", "home.kitchen")),
            "bicycles": ("bot.py", "bicycles.json", ("--category", "mobility.bicycles")),
            "plumber": ("bot.mjs", "plumber.json", ("--category", "services.home", "--region", "FR-BRE"))}
    with market(), contextlib.ExitStack() as stack:
        running = {name: stack.enter_context(Bot(name, f"{SAMPLES / bot} {SAMPLES / catalogue}", *flags))
                   for name, (bot, catalogue, flags) in bots.items()}
        intents = {"kitchen": want(COFFEE, "--budget", "100-250", "--condition", "new"),
                   "bicycles": want(BIKE, "--budget", "200-400"),
                   "plumber": want(PLUMBING, "--share-details", "auto", text="une fuite sous l'évier")}
        stack.enter_context(agent())
        expected = {"kitchen": "189.00", "bicycles": "359.00", "plumber": "165.00"}
        card = scratch("card.json")
        card.write_text(json.dumps({"name": "Alice", "email": "a@example.org", "phone": "1", "address": {"city": "Vannes"}}))
        for name, intent in intents.items():
            offer = wait_for(lambda: offers(intent), what=f"the offer of {name}")[0]
            assert offer["price"]["amount"] == expected[name] and offer["vendor_name"] == name.title(), offer
            oyez("alice", "accept", offer["offer"], "--card", str(card), "--wait", "30")
            wait_for(lambda: [line for line in oyez(name, "vendor", "deals") if line["status"] == "concluded"],
                     what="the card and its receipt")
            assert running[name].did("countersign"), running[name].lines()
            # What goes to logs has neither cards nor texts in it.
            assert "Alice" not in running[name].out.read_text() + running[name].errors()
            assert "fuite" not in running[name].out.read_text() + running[name].errors()


def test_a_pass_says_why():
    with market(), Bot("kitchen", f"{SAMPLES / 'bot.sh'} {SAMPLES / 'kitchen.json'}") as bot:
        want(COFFEE, "--budget", "5-10")
        line = wait_for(lambda: bot.did("pass"), what="the pass")[0]
        assert line["reason"], line


def test_events_reach_the_program_as_watch_and_inbox_print_them():
    log = scratch("events.jsonl")
    program = script("log.py", f"""
for line in sys.stdin:
    open({str(log)!r}, "a").write(line)
    event = json.loads(line)
    if event["type"] == "release":
        print(json.dumps({{"type": "ask", "release": event["release"], "text": "Which?"}}), flush=True)
    elif event["type"] == "answer":
        print(json.dumps({{"type": "offer", "release": event["release"], "price": 12.5, "currency": "EUR"}}), flush=True)
""")
    with market(), Bot("log", program):
        intent = want(COFFEE)
        question = wait_for(lambda: oyez("alice", "questions", intent, "--wait", "5"), what="the question")[0]
        oyez("alice", "answer", question["question"], "the red one")
        offer = wait_for(lambda: offers(intent), what="the offer")[0]
        oyez("alice", "decline", offer["offer"], "--reason", "price")
        oyez("alice", "withdraw", intent)
        kinds = lambda: [json.loads(line)["type"] for line in log.read_text().splitlines()]
        wait_for(lambda: "gone" in kinds() and "declined" in kinds(), what="the last events")
        assert kinds()[:2] == ["release", "answer"], kinds()
        answer = json.loads(log.read_text().splitlines()[1])
        assert answer["text"] == "the red one" and answer["question"] == question["question"], answer
        assert oyez("log", "vendor", "inbox")[0]["type"] == "answer"  # the person's own place was not moved


def test_what_is_no_answer_is_reported_and_skipped():
    program = script("noise.py", OFFER_EACH + """
print("hello, I am a bot", flush=True)
for line in sys.stdin:
    event = json.loads(line)
    if event["type"] != "release":
        continue
    print("{" + "x" * 100000 + "}", flush=True)
    print(json.dumps({"type": "offer", "release": event["release"], "price": "1e309"}), flush=True)
    print(json.dumps({"type": "offer", "release": "00" * 16, "price": "5"}), flush=True)
    sys.stdout.buffer.write(b"\\xff\\xfe\\x00\\n")
    offer(event)
""")
    with market(), Bot("noise", program) as bot:
        intent = want(COFFEE)
        assert wait_for(lambda: offers(intent), what="the offer")[0]["price"]["amount"] == "99.00"
        errors = bot.errors()
        for words in ("not a JSON object: hello", "longer than 65536 bytes", "price", "no such release"):
            assert words in errors, (words, errors)
        assert len(errors) < 4000, errors


def test_a_program_that_dies_gets_the_event_again():
    program = script("mortal.py", OFFER_EACH + f"""
state = {str(scratch('mortal.count'))!r}
for line in sys.stdin:
    event = json.loads(line)
    if event["type"] == "release":
        count = len(open(state).read()) if os.path.exists(state) else 0
        open(state, "a").write("x")
        if count < 2:
            sys.exit(7)
        offer(event)
""")
    with market(), Bot("mortal", program) as bot:
        intent = want(COFFEE)
        wait_for(lambda: offers(intent), what="the offer of the third life")
        assert "exit code 7" in bot.errors(), bot.errors()
        assert len(bot.did("start")) == 3, bot.lines()
        # The next one needs no new life.
        second = want(COFFEE)
        wait_for(lambda: offers(second), what="the second offer")
        assert len(bot.did("start")) == 3, bot.lines()


def test_a_program_that_never_answers_is_given_up_upon():
    program = script("mute.py", """
for line in sys.stdin:
    pass
""")
    with market():
        with Bot("mute", program, "--answer-timeout", "300ms") as bot:
            for _ in range(3):
                want(COFFEE)
            wait_for(lambda: bot.errors().count("no answer in") == 3, what="three complaints")
        # They are done with: the next run is not given them again.
        with Bot("mute", program, "--answer-timeout", "300ms") as bot:
            want(COFFEE)
            wait_for(lambda: bot.errors().count("no answer in") >= 4, what="the fourth complaint")
            assert len([line for line in bot.did("received") if line["type"] == "release"]) == 4, bot.lines()


def test_an_answer_too_late_is_skipped():
    program = script("slow.py", OFFER_EACH + """
for line in sys.stdin:
    event = json.loads(line)
    if event["type"] == "release":
        time.sleep(1.5)
        offer(event)
""")
    with market(), Bot("slow", program, "--answer-timeout", "200ms") as bot:
        intent = want(COFFEE)
        wait_for(lambda: "too late" in bot.errors(), what="the complaint")
        assert offers(intent) == []


def test_nothing_is_lost_when_the_runner_is_killed():
    """kill -9 again and again while releases come: in the end every intent has its offer, and one offer only."""
    program = script("steady.py", OFFER_EACH + """
for line in sys.stdin:
    event = json.loads(line)
    if event["type"] == "release":
        offer(event)
""")
    with market():
        bot = Bot("steady", program)
        intents = []
        for number in range(12):
            intents.append(want(COFFEE))
            if number % 3 == 2:
                bot.kill()
                bot.start()
        for intent in intents:
            wait_for(lambda: offers(intent), what="an offer for every intent")
        bot.kill()
        bot.start()
        last = want(COFFEE)
        wait_for(lambda: offers(last), what="the last offer")
        for intent in intents:
            assert len(oyez("alice", "offers", intent)) == 1, oyez("alice", "offers", intent)
        assert bot.stop() == 0
        subscriptions = oyez("steady", "vendor", "subscriptions")
        assert len(subscriptions) == 1, subscriptions  # the same flags find the same subscription


def test_the_broker_may_go_and_come_back():
    program = script("loyal.py", OFFER_EACH + """
for line in sys.stdin:
    event = json.loads(line)
    if event["type"] == "release":
        offer(event)
""")
    with market() as broker, Bot("loyal", program) as bot:
        first = want(COFFEE)
        wait_for(lambda: offers(first), what="the first offer")
        broker.restart(kill=True)
        second = want(COFFEE)
        wait_for(lambda: offers(second), what="the second offer")
        assert bot.process.poll() is None


def test_countersign_can_wait_for_a_person():
    program = script("careful.py", OFFER_EACH + """
for line in sys.stdin:
    event = json.loads(line)
    if event["type"] == "release":
        offer(event)
""")
    with market(), Bot("careful", program, "--countersign", "ask") as bot:
        intent = want(COFFEE)
        offer = wait_for(lambda: offers(intent), what="the offer")[0]["offer"]
        card = scratch("card.json")
        card.write_text(json.dumps({"name": "Alice"}))
        deal = oyez("alice", "accept", offer, "--card", str(card))[0]["deal"]
        waiting = wait_for(lambda: bot.did("waiting"), what="the bot to ask")[0]
        assert waiting["deal"] == deal
        assert oyez("careful", "vendor", "deals")[0]["status"] == "agreement"
        oyez("careful", "vendor", "countersign", deal)
        assert not bot.did("countersign")


def test_an_agreement_left_open_is_countersigned_at_the_next_start():
    program = script("late.py", OFFER_EACH + """
for line in sys.stdin:
    event = json.loads(line)
    if event["type"] == "release":
        offer(event)
""")
    with market():
        with Bot("late", program, "--countersign", "ask") as bot:
            intent = want(COFFEE)
            offer = wait_for(lambda: offers(intent), what="the offer")[0]["offer"]
            card = scratch("card.json")
            card.write_text(json.dumps({"name": "Alice"}))
            oyez("alice", "accept", offer, "--card", str(card))
            wait_for(lambda: bot.did("waiting"), what="the bot to ask")
        with Bot("late", program) as bot:
            wait_for(lambda: bot.did("countersign"), what="the countersignature")


def test_the_program_sees_no_passphrase_and_ends_with_the_runner():
    log = scratch("environment")
    program = script("spy.py", f"""
open({str(log)!r}, "w").write(json.dumps([os.environ.get("OYEZ_PASSPHRASE"), os.getpid()]))
for line in sys.stdin:
    pass
""")
    with market():
        with Bot("spy", program):
            wait_for(lambda: log.exists() and log.read_text(), what="the program to start")
            passphrase, pid = json.loads(log.read_text())
            assert passphrase is None
        wait_for(lambda: not os.path.exists(f"/proc/{pid}"), what="the program to end")


def test_a_talkative_program_does_not_stop_the_others():
    program = script("flood.py", OFFER_EACH + """
for line in sys.stdin:
    event = json.loads(line)
    if event["type"] == "release":
        for _ in range(5000):
            print("blah", flush=False)
        offer(event)
""")
    with market(), Bot("flood", program) as bot:
        intent = want(COFFEE)
        wait_for(lambda: offers(intent), what="the offer")
        assert len(bot.errors().splitlines()) < 100, len(bot.errors())


def test_usage_and_early_errors():
    with market():
        init("use")
        for words, code, name in [(("bot", "run"), 2, "usage"), (("bot", "run", "--exec", "cat", "--countersign", "x"), 2, "usage"),
                                  (("bot", "run", "--exec", "cat", "--category", "home.kichen"), 1, "unknown_category"),
                                  (("bot", "test"), 2, "usage"), (("bot", "test", "--replay", "/nonexistent", "--exec", "cat"), 1, "io"),
                                  (("bot", "init"), 2, "usage"), (("bot", "init", "x", "--language", "cobol"), 2, "usage")]:
            outcome = oyez_run("use", *words)
            assert (outcome.code, outcome.error()) == (code, name), outcome
        assert oyez_run("none", "bot", "run", "--exec", "cat").error() == "vendor_missing"
    assert oyez_run("use", "bot", "run", "--exec", "cat", broker="tcp://127.0.0.1:1").code == 3


def test_init_and_test_need_no_broker():
    for language, bot in (("python", "bot.py"), ("sh", "bot.sh"), ("node", "bot.mjs")):
        folder = scratch(f"new-{language}")
        made = oyez("nobody", "bot", "init", str(folder), "--language", language, broker="tcp://127.0.0.1:1")[0]
        assert set(made["files"]) == {path.name for path in folder.iterdir()} and made["bot"] == bot, made
        lines = oyez("nobody", "bot", "test", "--replay", str(folder / "example.jsonl"), "--exec", str(folder / bot),
                     broker="tcp://127.0.0.1:1")
        summary = lines[-1]
        assert summary["type"] == "summary" and summary["invalid"] == 0 and summary["unanswered"] == 0, summary
        assert summary["offers"] >= 1 and summary["details"] >= 1 and summary["passes"] >= 1, summary
        again = oyez_run("nobody", "bot", "init", str(folder), broker="tcp://127.0.0.1:1")
        assert again.code == 1 and again.error() == "io", again


def test_bot_test_counts_what_is_wrong():
    trace = str(SAMPLES / "example.jsonl")

    def run(program, *flags):
        return oyez_run("nobody", "bot", "test", "--replay", trace, "--exec", program, *flags, broker="tcp://127.0.0.1:1")

    bad = run("echo nonsense; cat > /dev/null", "--answer-timeout", "200ms")
    assert bad.code == 1 and bad.lines[-1]["invalid"] == 1 and bad.lines[-1]["unanswered"] > 0, bad
    silent = run("cat > /dev/null", "--answer-timeout", "200ms")
    assert silent.code == 0 and silent.lines[-1]["unanswered"] == silent.lines[-1]["events"] - 1, silent
    dead = run("exit 3")
    assert dead.code == 1 and dead.lines[-1]["ended_early"] is True and "exit code 3" in dead.errors, dead
    assert run("exec /nonexistent").code == 1


def test_a_recorded_trace_replays():
    trace = scratch("recorded.jsonl")
    with market():
        init("rec")
        oyez("rec", "vendor", "register")
        subscription = oyez("rec", "vendor", "subscribe")[0]["subscription"]
        want(COFFEE, "--budget", "100-250")
        oyez("rec", "vendor", "watch", subscription, "--wait", "10", "--trace", str(trace))
    lines = oyez("rec", "bot", "test", "--replay", str(trace), "--exec",
                 f"{SAMPLES / 'bot.sh'} {SAMPLES / 'kitchen.json'}", broker="tcp://127.0.0.1:1")
    assert lines[0]["type"] == "offer" and lines[0]["price"] == "189.00", lines


oyez_test.main(globals())
