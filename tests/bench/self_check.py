#!/usr/bin/env python3
"""Each row of oyez-bench at a tiny size: does it run, are its figures figures, and does it notice a wrong answer?

`--spoil` makes a row lose or expect one thing too many; then it must end with 1 and print no speed.
"""
import json
import os
import subprocess
import sys

BENCH = os.environ["OYEZ_BENCH"]
ROWS = {
    "post": ["--posts", "32", "--rounds", "2", "--connections", "8"],
    "token": ["--seconds", "0.01", "--rounds", "1"],
    "fanout": ["--subscribers", "4", "--deliveries", "4000", "--rounds", "1"],
    "latency": ["--vendors", "2", "--customers", "0", "--seconds", "0.05", "--rounds", "1"],
    "latency ": ["--vendors", "0", "--customers", "2", "--rounds", "1"],
    "memory": ["--connections", "20", "--intents", "0", "--waiting", "0", "--subscriptions", "0"],
    "memory ": ["--connections", "0", "--intents", "500", "--waiting", "500", "--subscriptions", "500"],
    "restart": ["--intents", "200", "--subscriptions", "200", "--rounds", "1"],
    "catchup": ["--events", "5000", "--rounds", "1"],
}


def run(row, *more):
    return subprocess.run([BENCH, row.strip(), "--json", *ROWS[row], *more], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=120)


def main():
    for row in ROWS:
        done = run(row)
        assert done.returncode == 0, f"{row}: {done.returncode}\n{done.stderr}"
        figures = [json.loads(line) for line in done.stdout.splitlines()]
        assert figures, f"{row} says nothing"
        for figure in figures:
            assert figure["bench"] == row.strip() and figure["what"] and figure["unit"], figure
            assert figure["ours"] > 0 or row == "memory ", figure
            assert ("ratio" in figure) == ("peer" in figure) and ("goal" in figure) == ("reached" in figure), figure
        spoilt = run(row, "--spoil")
        assert spoilt.returncode == 1 and not spoilt.stdout, f"{row} notices nothing: {spoilt.stdout}"
        print(f"{row}: {len(figures)} figures; a wrong answer is noticed: {spoilt.stderr.strip().splitlines()[-1]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
