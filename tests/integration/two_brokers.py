"""A guardian and a home that know each other, for tests of two-broker mode."""
import time

from oyez_test import Broker, oyez, oyez_run, wait_for

RATE = 20  # the boxes' schedule has cells every 10 s: half a second here


class Pair:
    """A guardian and a home that know each other, on one clock."""

    def __init__(self, *home_flags, guardian_flags=(), rate=RATE):
        clock = f"{rate}@{int(time.time() * 1000)}"
        self.home = Broker(start=False, env={"OYEZ_TEST_CLOCK_RATE": clock})
        self.guardian = Broker(start=False, env={"OYEZ_TEST_CLOCK_RATE": clock})
        self.home_flags, self.guardian_flags = list(home_flags), list(guardian_flags)

    def __enter__(self):
        # Each has to know the other's key, which it has from its first start on.
        for broker in (self.home, self.guardian):
            broker.start()
            broker.stop()
        self.home.flags += ["--region", "FR", "--crowd", "1", "--hold", "off", "--guardians",
                            f"{self.guardian.url}#{self.guardian.key}", *self.home_flags]
        self.guardian.flags += ["--accounts", "stamp", "--account-stamp-bits", "12", "--homes",
                                f"{self.home.url}#{self.home.key}", *self.guardian_flags]
        for broker in (self.guardian, self.home):
            wait_for(lambda: self.started(broker), what="the broker's own port to be free again")
        return self

    @staticmethod
    def started(broker):
        try:
            return broker.start()
        except AssertionError as error:
            if "listened on" not in str(error):
                raise
            return None

    def __exit__(self, kind, error, trace):
        self.guardian.__exit__(kind, error, trace)
        self.home.__exit__(kind, error, trace)

    def run(self, who, *args, **options):
        return oyez_run(who, *args, "--guardian", self.guardian.url, broker=self.home, **options)

    def ask(self, who, *args, **options):
        outcome = self.run(who, *args, **options)
        assert outcome.code == 0, outcome
        return outcome.lines

    def customer(self, name):
        oyez(name, "wallet", "init", broker=self.home)
        return name

    def vendor(self, name):
        oyez(name, "vendor", "init", "--name", f"Shop {name}", "--url", f"https://{name}.example", "--country", "FR",
             "--terms", "SD-BASE", broker=self.home)
        oyez(name, "vendor", "register", broker=self.home)
        return oyez(name, "vendor", "subscribe", "--category", "home.kitchen", broker=self.home)[0]["subscription"]
