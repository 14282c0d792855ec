"""Writes a workload for `oyez-bench match` (workload.h says what its files are): the same for the same arguments.

Categories and regions have four levels, some of them far more popular than others. Three quarters of the subscriptions
are exact, most have a budget, half name their terms, a third a condition, a fifth exclude a part of what they want. One
release in five has been coarsened by a level or more.
"""

import bisect
import itertools
import json
import random

TERMS = ["SD-BASE", "SD-BASE-DP", "SD-BASE-A", "PDC-INTENT", "PDC-AI", "PDC-GOOD"]


class Popular:
    """Draws from items, the n-th of a random order with a weight of 1/n."""

    def __init__(self, rng, items):
        self.rng, self.items = rng, rng.sample(items, len(items))
        self.sums = list(itertools.accumulate(1 / (place + 1) for place in range(len(items))))

    def draw(self):
        return self.items[bisect.bisect_left(self.sums, self.rng.random() * self.sums[-1])]


def levels_of(rng, root, widths):
    levels = [[root]]
    for width in widths:
        levels.append([f"{path}.{number}" for path in levels[-1]
                       for number in range(max(1, round(rng.gauss(width, width / 3))))])
    return levels[1:]


def write(folder, subscriptions, releases, seed=1):
    rng = random.Random(seed)
    categories, regions = levels_of(rng, "c", (12, 6, 5, 10)), levels_of(rng, "r", (10, 8, 8, 8))
    leaves = Popular(rng, categories[-1]), Popular(rng, regions[-1])
    nodes = [[Popular(rng, level) for level in tree] for tree in (categories, regions)]

    def somewhere(tree):
        return rng.choices(nodes[tree], (1, 3, 4, 6))[0].draw()

    def subscription(number):
        made = {"id": number, "mode": "maybe" if rng.random() < 0.25 else "exact",
                "categories": sorted({somewhere(0) for _ in range(rng.randint(1, 3))}),
                "regions": sorted({somewhere(1) for _ in range(rng.randint(1, 2))})}
        if rng.random() < 0.6:
            low = int(10 ** rng.uniform(0.5, 3.5))
            made["budget"] = [low, int(low * rng.uniform(1.5, 8)) + 1]
        if rng.random() < 0.5:
            made["terms"] = sorted(rng.sample(TERMS, rng.randint(1, 4)))
        if rng.random() < 0.3:
            made["condition"] = rng.choice(["new", "used"])
        if rng.random() < 0.2:
            made["not_categories"] = [f"{made['categories'][0]}.{rng.randint(0, 3)}"]
        return made

    def coarser(path):
        while rng.random() < 0.5 and path.count(".") > 1:
            path = path.rsplit(".", 1)[0]
        return path

    def release(number):
        places = [tree.draw() for tree in leaves]
        if rng.random() < 0.2:
            places = [coarser(place) for place in places]
        price = 10 ** rng.uniform(0.7, 3.7)
        return {"id": number, "category": places[0], "region": places[1],
                "budget": [int(price * 0.7), int(price * 1.3) + 1], "terms": rng.choice(TERMS),
                "condition": rng.choice(["new", "used", "any"]), "language": "fr"}

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trees.json").write_text(json.dumps({"categories": sum(categories, []), "regions": sum(regions, [])}))
    for name, make, count in (("subscriptions", subscription, subscriptions), ("releases", release, releases)):
        with open(folder / f"{name}.jsonl", "w") as file:
            for number in range(count):
                file.write(json.dumps(make(number), separators=(",", ":")) + "\n")
