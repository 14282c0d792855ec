#!/usr/bin/env python3
"""Puts the figures of `linkage` (one file for each seed) into RESULTS.md, between its `figures:` marks, and draws the
pictures beside it. usage: report.py FIGURES.tsv..."""

import collections
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import charts

PAGE, PICTURES = HERE / "RESULTS.md", HERE / "pictures"
LOADS, RANDOM_NAME, RANDOM_LINK = (500, 2000, 10000), 1 / 2000, 1 / 100


class Figures:
    def __init__(self, paths):
        self.values, self.seeds = collections.defaultdict(list), len(paths)
        for path in paths:
            for line in pathlib.Path(path).read_text().splitlines():
                _, table, load, patience, k, hold, variant, name, value = line.split("\t")
                key = (table, int(load), int(patience), int(k), float(hold), variant, name)
                self.values[key].append(float(value))

    def all(self, table, name, load=2000, variant="two", patience=10, k=5, hold=None):
        if hold is None:
            hold = 0 if variant in ("off", "direct") else 10
        if variant == "off":
            k = 1
        return self.values.get((table, load, patience, k, float(hold), variant, name), [])

    def mean(self, *where, **how):
        found = self.all(*where, **how)
        return sum(found) / len(found) if found else None

    def share(self, *where, **how):
        """The mean as a percentage, with the least and the most of the seeds."""
        found = self.all(*where, **how)
        if not found:
            return "–"
        mean, low, high = sum(found) / len(found), min(found), max(found)
        return percent(mean) if percent(low) == percent(high) else f"{percent(mean)} ({plain(low)}–{plain(high)})"

    def number(self, *where, digits=1, **how):
        found = self.all(*where, **how)
        if not found:
            return "–"
        mean, low, high = sum(found) / len(found), min(found), max(found)
        low, high, mean = f"{low:,.{digits}f}", f"{high:,.{digits}f}", f"{mean:,.{digits}f}"
        return mean if low == high else f"{mean} ({low}–{high})"


def plain(share):
    share *= 100
    return "0" if share == 0 else f"{share:.2f}" if share < 1 else f"{share:.1f}" if share < 99.95 else "100"


def percent(share):
    return plain(share) + " %"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join("---" if i == 0 else "--:" for i in range(len(head))) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


# ---- words and tables

def short(f):
    def name(what, **how):
        return percent(f.mean("name", what, **how))

    return "\n".join([
        f"- **Crowds hold.** Of {f.mean('crowd', 'releases'):,.0f} calls published in a run at 2,000 a day, "
        f"{f.mean('crowd', 'below k'):.0f} stood in a crowd smaller than k = 5, and {percent(f.mean('crowd', 'unique'))} "
        f"were unique. As people had written them, {percent(f.mean('crowd', 'unique as posted'))} were unique.",
        f"- **A vendor that knows your past guesses badly, but better than chance.** An attacker who was given every "
        f"earlier call of all 2,000 people with their names is right in {name('class')} of the cases at the first guess "
        f"(without protection {name('class', variant='off')}; by chance {percent(RANDOM_NAME)}); from the time alone in "
        f"{name('times')} (naming the most active person each time: {name('most active')}).",
        f"- **Without your name, it picks the other call of the same person out of 100** in "
        f"{percent(f.mean('link', 'class and times'))} (without protection "
        f"{percent(f.mean('link', 'class and times', variant='off'))}; by chance {percent(RANDOM_LINK)}).",
        f"- **With one broker, that broker can link your calls**: by when your wallet asks for answers, it picks the "
        f"right one of 100 in {percent(f.mean('link', 'presence', variant='direct'))}, and it sees your network address "
        f"anyway. With two brokers: {percent(f.mean('link', 'presence'))} (what the moment of "
        f"release itself tells).",
        f"- **Who watches everybody's lines and the public feed** names who was just sending in "
        f"{percent(f.mean('delay', 'release', variant='direct'))} without a hold, in "
        f"{percent(f.mean('delay', 'release'))} with the hold of 10 minutes; the sender of an answer (hold 1 minute) in "
        f"{percent(f.mean('delay', 'answer', hold=1))}.",
        f"- **The price is waiting and coarseness.** At 500 / 2,000 / 10,000 calls a day half of the calls are out after "
        + " / ".join(f"{f.mean('crowd', 'wait median, min', load=load):.0f}" for load in LOADS) + " minutes; "
        + " / ".join(percent(f.mean("crowd", "released within a day", load=load)) for load in LOADS)
        + " within a day; and "
        + " / ".join(percent(f.mean("crowd", "step 11", load=load)) for load in LOADS)
        + " leave as coarse as can be: a top category and the country.",
        f"- **Tokens buy crowds.** Four fake calls of your very class leave you the only honest one of your crowd in "
        f"{percent(f.mean('tokens', 'alone, 4 fakes', variant='aimed'))} of the cases.",
    ])


def summary(f):
    def row(words, chance, name, where, off="off", direct="direct", two="two"):
        cells = [f.share(where, name, variant=v) if v else "–" for v in (off, direct, two)]
        return [words, chance] + cells

    rows = [
        row("a call whose published form nobody else's equals", "", "unique", "crowd", off="off"),
        row("a call published in a crowd smaller than 5", "must be 0", "share below k", "crowd", off=None),
        row("**who called?** named by a vendor that knows every earlier call of everybody by name, from what the call says",
            percent(RANDOM_NAME), "class", "name"),
        row("... from when it was published", percent(RANDOM_NAME), "times", "name"),
        row("... from both", percent(RANDOM_NAME), "class and times", "name"),
        row("**the same caller?** picked out of 100 calls by what they say and when, without any name",
            percent(RANDOM_LINK), "class and times", "link"),
        row("... by the home broker, from when the wallets ask for answers", percent(RANDOM_LINK), "presence", "link",
            off=None),
        row("**who was just sending?** named by one who watches everybody's lines (a guardian, a network) and the "
            "public feed", percent(RANDOM_NAME), "release", "delay"),
        row("... and knows every earlier call by name", percent(RANDOM_NAME), "release and class", "delay"),
    ]
    rows[1][3:] = [f"**{f.number('crowd', 'below k', variant=v, digits=0)}**" for v in ("direct", "two")]
    return table(["2,000 wallets, 2,000 calls a day", "by chance", "no protection (k = 1)", "one broker, k = 5",
                  "two brokers, k = 5, hold 10 min"], rows)


def names(f):
    rows = []
    for load in LOADS:
        for words, how in (("no protection", {"variant": "off"}), ("one broker, k = 5", {"variant": "direct"}),
                           ("two brokers, k = 5", {}), ("two brokers, k = 10", {"k": 10}),
                           ("two brokers, k = 20", {"k": 20}), ("k = 5, patience 1 h", {"patience": 60}),
                           ("k = 5, patience 6 h", {"patience": 360})):
            rows.append([f"{load:,}", words] + [f.share("name", name, load=load, **how) for name in
                                                ("class", "class, in ten", "times", "class and times", "most active")])
    return table(["calls a day", "setting", "by class", "... among its ten best", "by time", "by both",
                  "always naming the most active"], rows)


def links(f):
    rows = []
    for load in LOADS:
        for words, variant in (("no protection", "off"), ("one broker, k = 5", "direct"), ("two brokers, k = 5", "two")):
            rows.append([f"{load:,}", words] + [f.share("link", name, load=load, variant=variant) for name in
                                                ("class", "times", "class and times", "presence", "all")])
    return table(["calls a day", "setting", "by class", "by time", "by both", "by presence (home broker)", "by all"], rows)


def presence(f):
    rows = []
    for load in LOADS:
        for words, variant in (("one broker", "direct"), ("two brokers", "two")):
            rows.append([f"{load:,}", words, f.share("presence", "named by presence", load=load, variant=variant),
                         f.share("presence", "named by all", load=load, variant=variant),
                         f.share("link", "presence", load=load, variant=variant),
                         f.share("link", "times", load=load, variant=variant)])
    return table(["calls a day", "setting", "caller named (chance 0.05 %)", "... with class and times",
                  "same caller out of 100, by presence (chance 1 %)", "... by the time of release alone"], rows)


def delays(f):
    rows = []
    for load in LOADS:
        for hold in (0, 1, 3, 10, 30, 60):
            how = {"load": load, "hold": hold, "variant": "direct" if hold == 0 else "two"}
            rows.append([f"{load:,}", f"{hold} min", f.share("delay", "release", **how),
                         f.share("delay", "release and class", **how),
                         f.share("delay", "answer", load=load, hold=hold)])
    return table(["calls a day", "mean hold", "release: caller named", "... with the class and all earlier calls",
                  "answer, question, end: sender named"], rows)


def crowds(f):
    rows = []
    for load in LOADS:
        for patience, k, variant in ((10, 5, "direct"), (10, 5, "two"), (60, 5, "two"), (360, 5, "two"),
                                     (10, 10, "two"), (10, 20, "two")):
            how = {"load": load, "patience": patience, "k": k, "variant": variant}
            rows.append([f"{load:,}", str(k), f"{patience} min", "none" if variant == "direct" else "10 min",
                         f.number("crowd", "below k", digits=0, **how),
                         f.number("crowd", "wait median, min", **how), f.number("crowd", "wait p90, min", **how),
                         f.share("crowd", "released within patience", **how),
                         f.share("crowd", "released within a day", **how),
                         f.share("crowd", "expired unreleased", **how)])
    return table(["calls a day", "k", "patience", "hold", "in a class < k", "wait: median, min", "wait: 9 in 10, min",
                  "released within patience", "within a day", "expired unreleased"], rows)


def defaults(f):
    rows = []
    for load in LOADS:
        rows.append([f"{load:,}"] + [f.share("crowd", name, load=load) for name in
                                     ("share with all defaults", "within a day, all defaults", "within a day, others")])
    return table(["calls a day (k = 5, patience 10 min, hold 10 min)", "calls with all defaults",
                  "released within a day: those", "... the others"], rows)


def persons(f):
    rows = []
    for load in LOADS:
        for k in (5, 10, 20):
            rows.append([f"{load:,}", str(k)] + [
                f.number("crowd", "persons, mean", load=load, k=k, digits=2),
                f.share("crowd", "fewer persons than k", load=load, k=k),
                f.share("crowd", "one person only", load=load, k=k)])
    return table(["calls a day", "k", "persons in a crowd, mean", "crowds' calls with fewer than k persons",
                  "with one person only"], rows)


def steps(f):
    rows = []
    for load in LOADS:
        for patience in (10, 60, 360):
            rows.append([f"{load:,}", f"{patience} min"] +
                        [f.share("crowd", f"step {step}", load=load, patience=patience).split(" ")[0]
                         for step in range(12)])
    return table(["calls a day", "patience"] + [str(step) for step in range(12)], rows)


def tokens(f):
    rows = []
    for k in (5, 10, 20):
        for fakes in (range(0, 6) if k == 5 else (0, k // 2, k - 1)):
            rows.append([str(k), "aimed at one call", str(fakes), f"{fakes} for each target",
                         f.number("tokens", f"honest, {fakes} fakes", variant="aimed", k=k),
                         f.share("tokens", f"alone, {fakes} fakes", variant="aimed", k=k)])
        for fakes in (0, k - 1):
            rows.append([str(k), "always waiting in one top category", str(fakes),
                         f.number("tokens", f"tokens, {fakes} fakes", variant="standing", k=k, digits=0) + " a day",
                         f.number("tokens", f"honest, {fakes} fakes", variant="standing", k=k),
                         f.share("tokens", f"alone, {fakes} fakes", variant="standing", k=k)])
    return table(["k", "fakes", "how many", "tokens", "honest calls in the target's crowd", "target alone"], rows)


def assumptions(f):
    rows = []
    for variant in ("as assumed", "weak habits (0.2)", "strong habits (0.9)", "flatter categories (Zipf 0.7)",
                    "steeper categories (Zipf 1.3)", "departments all alike", "nobody changes defaults",
                    "no optional facets", "500 wallets", "8,000 wallets", "1 in 20 waives the crowd"):
        rows.append([variant, f.share("name", "class", variant=variant), f.share("name", "times", variant=variant),
                     f.share("link", "class and times", variant=variant),
                     f.share("crowd", "released within a day", variant=variant),
                     f.number("crowd", "wait median, min", variant=variant),
                     f.number("crowd", "below k", variant=variant, digits=0)])
    return table(["2,000 calls a day, k = 5, hold 10 min", "caller named by class", "by time", "same caller out of 100",
                  "released within a day", "wait: median, min", "in a class < k"], rows)


# ---- pictures

def picture_names(f):
    rows = [("Naming the caller out of 2,000 (2,000 calls a day)", None, 0), ("by chance", RANDOM_NAME, 6)]
    for words, how in (("no protection", {"variant": "off"}), ("one broker, k = 5", {"variant": "direct"}),
                       ("two brokers, k = 5", {}), ("two brokers, k = 20", {"k": 20})):
        colour = 1 if "no" in words else 0
        rows.append((f"from what the call says: {words}", f.mean("name", "class", **how), colour))
    rows += [("from when it was published: two brokers", f.mean("name", "times"), 0),
             ("watching everybody's lines: no hold", f.mean("delay", "release", variant="direct"), 2),
             ("watching everybody's lines: hold 10 min", f.mean("delay", "release"), 2),
             ("Picking the same caller out of 100", None, 0), ("by chance", RANDOM_LINK, 6),
             ("what calls say and when: no protection", f.mean("link", "class and times", variant="off"), 1),
             ("what calls say and when: two brokers, k = 5", f.mean("link", "class and times"), 0),
             ("presence at the home broker: one broker", f.mean("link", "presence", variant="direct"), 1),
             ("presence at the home broker: two brokers", f.mean("link", "presence"), 0)]
    charts.log_bars(PICTURES / "names.svg", "How often an attacker with background knowledge is right at the first guess",
                    rows, 0.0003, 1, (0.001, 0.01, 0.1, 1), percent)


def picture_steps(f):
    names_ = ["as posted or sensitive", "facets dropped", "region", "mid category", "country", "top category, country"]
    groups = ((0,), tuple(range(1, 8)), (8,), (9,), (10,), (11,))
    rows = []
    for load in LOADS:
        for patience in (10, 60, 360):
            shares = [sum(f.mean("crowd", f"step {s}", load=load, patience=patience) or 0 for s in group)
                      for group in groups]
            rows.append((f"{load:,} a day, {patience} min", shares))
    charts.stacked_bars(PICTURES / "steps.svg", "How coarse calls are when they leave (k = 5)", rows, names_,
                        "The more calls and the more patience, the finer a vendor hears. Rows: calls a day, patience.")


def picture_tokens(f):
    values = [f.mean("tokens", f"honest, {m} fakes", variant="aimed") for m in range(6)]
    charts.lines(PICTURES / "tokens.svg", "Fakes among the crowd: k = 5, an attacker who knows its target's class",
                 [("honest calls in the crowd", values)], [str(m) for m in range(6)], 6, range(7), str,
                 "fake calls (tokens spent) for one target")


def picture_holds(f):
    holds = (0, 1, 10, 30, 60)
    series = [(f"release, {load:,} calls a day",
               [f.mean("delay", "release", load=load, hold=h, variant="direct" if h == 0 else "two") for h in holds])
              for load in LOADS]
    series += [(f"answer, {load:,} calls a day", [f.mean("delay", "answer", load=load, hold=h) for h in holds])
               for load in LOADS]
    charts.lines(PICTURES / "holds.svg", "Named by one who watches everybody's lines and the public feed", series,
                 [f"{h} min" for h in holds], 1, (0, 0.25, 0.5, 0.75, 1), percent, "mean hold")


def main(paths):
    figures = Figures(paths)
    for key in [key for key in figures.values if key[0] == "crowd" and key[6] == "below k"]:
        if any(figures.values[key]):
            sys.exit(f"releases in a class smaller than k: {key}")
    PICTURES.mkdir(exist_ok=True)
    for draw in (picture_names, picture_steps, picture_tokens, picture_holds):
        draw(figures)
    tables = {make.__name__: make for make in
              (short, summary, names, links, presence, delays, crowds, defaults, persons, steps, tokens, assumptions)}

    def fill(found):
        return f"{found[1]}\n{tables[found[2]](figures)}\n{found[3]}"

    page = PAGE.read_text()
    page = re.sub(r"(<!-- figures: (\w+) -->)\n.*?(<!-- end -->)", fill, page, flags=re.S)
    page = re.sub(r"(<!-- seeds -->)\d*", rf"\g<1>{figures.seeds}", page)
    PAGE.write_text(page)
    print(f"{PAGE}: {len(figures.values)} figures of {figures.seeds} seeds")


if __name__ == "__main__":
    main(sys.argv[1:])
