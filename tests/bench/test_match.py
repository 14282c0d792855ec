#!/usr/bin/env python3
"""`oyez-bench match` on small workloads of several shapes, compared line by line with a matcher that knows only paths.

The program checks itself against the naive matcher; this test shares no code with either. Bad input must be named.
"""
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

BENCH = os.environ["OYEZ_BENCH"]
FIELDS = {"releases_per_second", "matches_per_second", "matches_per_release", "inserts_per_second",
          "deletes_per_second", "bytes_per_subscription"}
TERMS = ["A", "B", "C", "D"]


def tree(rng, prefix, fanouts):
    levels = [[prefix]]
    for fanout in fanouts:
        levels.append([f"{path}.{i}" for path in levels[-1] for i in range(rng.randint(1, fanout))])
    return sum(levels[1:], [])


def some(rng, paths, most):
    return rng.sample(paths, min(len(paths), rng.randint(1, most)))


def subscription(rng, number, categories, regions):
    made = {"id": number * 3 + 5, "mode": rng.choice(["exact", "maybe"]),
            "categories": some(rng, categories, 4), "regions": some(rng, regions, 3)}
    if rng.random() < 0.1:
        made["categories"] = ["c"]  # above all listed nodes
    if rng.random() < 0.1:
        made["regions"] = []
    if rng.random() < 0.5:
        low = rng.randint(0, 9000)
        made["budget"] = [low, low + rng.randint(0, 3000)]
    if rng.random() < 0.5:
        made["terms"] = some(rng, TERMS, 3)
    if rng.random() < 0.3:
        made["condition"] = rng.choice(["new", "used"])
    if rng.random() < 0.4:
        made["not_categories"] = [rng.choice([f"{rng.choice(made['categories'])}.{rng.randint(0, 2)}",
                                              rng.choice(categories)]) for _ in range(rng.randint(1, 2))]
    return made


def release(rng, number, categories, regions):
    low = rng.randint(0, 9000)
    return {"id": number + 1000, "category": rng.choice(categories), "region": rng.choice(regions),
            "budget": [low, low + rng.randint(0, 2000)], "terms": rng.choice(TERMS),
            "condition": rng.choice(["new", "used", "any"]), "language": "fr"}


def below(path, above):
    return path == above or path.startswith(above + ".")


def node_matches(shown, wanted, maybe):
    return not wanted or any(below(shown, one) or (maybe and below(one, shown)) for one in wanted)


def matches(wish, shown):
    maybe = wish["mode"] == "maybe"
    return (node_matches(shown["category"], wish["categories"], maybe)
            and node_matches(shown["region"], wish["regions"], maybe)
            and not any(below(shown["category"], one) for one in wish.get("not_categories", []))
            and ("budget" not in wish or (wish["budget"][0] <= shown["budget"][1]
                                          and shown["budget"][0] <= wish["budget"][1]))
            and ("terms" not in wish or shown["terms"] in wish["terms"])
            and ("condition" not in wish or shown["condition"] in (wish["condition"], "any")))


def write(folder, trees, wishes, releases):
    (folder / "trees.json").write_text(json.dumps(trees))
    for name, items in (("subscriptions", wishes), ("releases", releases)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))


def run(folder, *options):
    return subprocess.run([BENCH, "match", "--dir", str(folder), "--seconds", "0", *options], capture_output=True,
                          text=True)


def check_shape(folder, seed, category_fanouts, region_fanouts, wish_count):
    rng = random.Random(seed)
    trees = {"categories": tree(rng, "c", category_fanouts), "regions": tree(rng, "r", region_fanouts)}
    wishes = [subscription(rng, i, trees["categories"], trees["regions"]) for i in range(wish_count)]
    releases = [release(rng, i, trees["categories"], trees["regions"]) for i in range(150)]
    rng.shuffle(trees["categories"])
    write(folder, trees, wishes, releases)
    ran = run(folder, "--dump", str(folder / "dump"), "--json", "--threads", "2")
    assert ran.returncode == 0, ran.stderr
    figures = json.loads(ran.stdout.splitlines()[-1])
    assert FIELDS <= figures.keys(), figures
    expected = []
    for shown in releases:
        found = sorted(wish["id"] for wish in wishes if matches(wish, shown))
        expected.append(" ".join([f"{shown['id']}:", *map(str, found)]))
    assert (folder / "dump").read_text().splitlines() == expected, f"shape {seed}: another answer than by paths"
    total = sum(line.count(" ") for line in expected)
    assert abs(figures["matches_per_release"] * len(releases) - total) < 1, figures
    return total


def check_bad_input(folder):
    trees = {"categories": ["c.0", "c.0.0"], "regions": ["r.0"]}
    wish = {"id": 1, "mode": "exact", "categories": ["c.0"], "regions": ["r.0"]}
    shown = {"id": 1, "category": "c.0", "region": "r.0", "budget": [1, 2], "terms": "A", "condition": "new"}
    for wishes, releases, message in (
            ([wish, dict(wish, categories=["c.7"])], [shown], "subscriptions.jsonl:2: not a node of trees.json: c.7"),
            ([wish], [dict(shown, region="x")], "releases.jsonl:1: not a node of trees.json: x"),
            ([dict(wish, mode="perhaps")], [shown], "subscriptions.jsonl:1: a mode is"),
            ([dict(wish, budget=[1])], [shown], "subscriptions.jsonl:1: a budget is two numbers"),
            ([], [shown], "no subscriptions")):
        write(folder, trees, wishes, releases)
        ran = run(folder)
        assert ran.returncode == 1 and message in ran.stderr, (message, ran.stdout, ran.stderr)
    (folder / "releases.jsonl").write_text("{\n")
    ran = run(folder)
    assert ran.returncode == 1 and "not JSON" in ran.stderr, ran.stderr


def main():
    total = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        total += check_shape(folder, 1, [4, 4, 3], [3, 4], 400)
        total += check_shape(folder, 2, [30], [30], 400)  # flat
        total += check_shape(folder, 3, [2, 2, 2, 2, 2, 2], [2, 2, 2, 2, 2], 400)  # deep
        total += check_shape(folder, 4, [1], [2], 1500)  # everybody in the same place
        check_bad_input(folder)
    print(f"{total} answers as by paths")
    return 0 if total > 10000 else 1


if __name__ == "__main__":
    sys.exit(main())
