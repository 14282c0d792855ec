"""Figures of tests/bench/run as a table, into RESULTS.md between its marks, and as pictures beside it.

RESULTS.md keeps what was not measured this time: figures stand in figures.jsonl, one row of the bench after the other.
"""

import json
import pathlib
import platform
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))

import charts

PAGE, PICTURES, KEPT = HERE / "RESULTS.md", HERE / "pictures", HERE / "figures.jsonl"


def packages(purpose):
    lines = (ROOT / "deploy/packages.txt").read_text().splitlines()
    return [line.split()[0] for line in lines if line.split()[1:] == [purpose] and not line.startswith("#")]


# ---- words for numbers

def number(value):
    if value == 0:
        return "0"
    if abs(value) >= 1e6:
        return f"{value / 1e6:,.3g} M" if abs(value) < 1e9 else f"{value:.3g}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def size(one):
    return f"{number(one['size'])} {one['size_of']}" if "size" in one else ""


def goal(one):
    if "goal" not in one:
        return ""
    sign = "≥" if one["goal_is"] == "at least" else "≤"
    return f"{sign} {number(one['goal'])}" + (" ×" if one["goal_of"] == "ratio" else f" {one['unit']}")


def cells(one):
    return [one["bench"], one["what"], size(one), f"{number(one['ours'])} {one['unit']}",
            f"{one['peer_name']}: {number(one['peer'])}" if "peer" in one else "",
            f"{one['ratio']:.2f}" if "ratio" in one else "", goal(one),
            {True: "yes", False: "**no**", None: ""}[one.get("reached")]]


HEAD = ["row", "what", "how many", "Oyez", "peer or limit, in turn", "ratio", "goal", "reached"]


def table(figures):
    """For a terminal."""
    rows = [HEAD] + [[cell.replace("**", "") for cell in cells(one)] for one in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def page_table(figures):
    lines = ["| " + " | ".join(HEAD) + " |", "|---|---|---|--:|--:|--:|--:|---|"]
    return "\n".join(lines + ["| " + " | ".join(cells(one)) + " |" for one in figures])


# ---- pictures

def power(value):
    names = {1: "1", 10: "10", 100: "100", 1000: "1,000", 10 ** 4: "10,000", 10 ** 5: "100,000", 10 ** 6: "1 M", 10 ** 7: "10 M"}
    return names.get(round(value), f"{value:g}")


def curve(curves, bench, what, cost=lambda one: one["ours"]):
    points = sorted((one["size"], cost(one)) for one in curves if one["bench"] == bench and one["what"] == what)
    return [(x, y) for x, y in dict(points).items() if x > 0 and y > 0]


def draw(name, title, series, x_title):
    series = [(words, points) for words, points in series if len(points) > 1]
    if series:
        PICTURES.mkdir(exist_ok=True)
        charts.log_lines(PICTURES / f"{name}.svg", title, series, x_title, power, power)


def peers_curve(curves, peer):
    points = {one["size"]: 1e9 / one["peer"] for one in curves if one["bench"] == "fanout" and one.get("peer_name") == peer}
    return sorted(points.items())


def draw_all(curves):
    def nanoseconds(one):
        return 1e9 / one["ours"]

    draw("subscriptions-time", "Time against subscriptions, in nanoseconds",
         [("one match", curve(curves, "match", "matches", nanoseconds)),
          ("one insertion", curve(curves, "match", "insertions", nanoseconds)),
          ("one removal", curve(curves, "match", "removals (beside its insertions)", nanoseconds))], "subscriptions")
    draw("memory", "Memory for each, in bytes",
         [("subscription: the index alone", curve(curves, "match", "memory of a subscription")),
          ("subscription, with its listener", curve(curves, "memory", "subscription, with its listener")),
          ("released intent", curve(curves, "memory", "released intent"))], "subscriptions, or live intents")
    draw("subscribers", "Time of one delivery against subscribers, in nanoseconds",
         [("Oyez", curve(curves, "fanout", "deliveries", nanoseconds))] +
         [(name, peers_curve(curves, name)) for name in
          ("NATS core", "nng raw, replies of 64", "nng raw, replies of 256", "Mosquitto QoS 0")], "subscribers")
    draw("restart", "Seconds until a broker that was killed answers again",
         [("oyezd", curve(curves, "restart", "from the start to the first answer")),
          ("a warm walk and inserting", curve(curves, "restart", "from the start to the first answer",
                                              lambda one: one["peer"]))],
         "live intents and as many subscriptions, together")


# ---- the page

def kept():
    if not KEPT.exists():
        return []
    return [json.loads(line) for line in KEPT.read_text().splitlines()]


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def where(about):
    count = sum(1 for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("processor"))
    commit = subprocess.run(["git", "-C", ROOT, "log", "-1", "--format=%h"], capture_output=True, text=True).stdout.strip()
    day = time.strftime("%Y-%m-%d", time.gmtime(about["started"]))
    small = " **Small sizes (`--quick`): the figures mean little.**" if about["quick"] else ""
    return (f"Last measured {day} at {commit or 'no commit'}, {count} × {processor()}; load average "
            f"{about['load'][0]:.1f} before and {about['load'][1]:.1f} after.{small}")


def write(figures, curves, about):
    rows, curved = {one["bench"] for one in figures}, {one["bench"] for one in curves}
    lines = [one for one in kept() if one["bench"] not in (curved if one.get("curve") else rows)]
    lines += figures + [{**one, "curve": True} for one in curves]
    KEPT.write_text("".join(json.dumps(one) + "\n" for one in lines))
    draw_all([one for one in lines if one.get("curve")])
    order = ["match", "post", "token", "fanout", "latency", "memory", "restart", "tick", "catchup"]
    shown = sorted((one for one in lines if not one.get("curve")), key=lambda one: order.index(one["bench"]))
    page = PAGE.read_text()
    for mark, text in (("where", where(about)), ("rows", page_table(shown))):
        page = re.sub(rf"(<!-- {mark} -->)\n.*?(<!-- end -->)", lambda found: f"{found[1]}\n{text}\n{found[2]}", page,
                      flags=re.S)
    PAGE.write_text(page)
    print(f"{PAGE}: {len(shown)} figures", file=sys.stderr)
