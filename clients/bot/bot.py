#!/usr/bin/env python3
"""A vendor's bot in Python: one event a line comes in, one answer a line goes out. Usage: bot.py [CATALOGUE]"""
import datetime
import json
import pathlib
import re
import sys

SHOP = json.loads((pathlib.Path(sys.argv[1]) if sys.argv[1:] else pathlib.Path(__file__).with_name("catalogue.json")).read_text())
OFFERED = ("price", "currency", "delivery_days", "origin", "warranty_months", "co2_g")
wishes = {}  # by release


def within(item, category):
    return item["category"] == category or item["category"].startswith(category + ".")


def fits(item, wish):
    budget, ready = wish.get("budget", {}), datetime.timedelta(days=item["delivery_days"])
    return (within(item, wish["category"]) and wish["region"][:2] in SHOP["delivers_to"]
            and wish.get("condition", "any") in ("any", item["condition"])
            and budget.get("currency", item["currency"]) == item["currency"]
            and float(item["price"]) <= float(budget.get("max", "inf"))
            and datetime.date.fromisoformat(wish["at"][:10]) + ready
            <= datetime.date.fromisoformat(wish.get("needed_by", "9999-12-31")))


def answer(wish, text=None):
    if not any(within(item, wish["category"]) for item in SHOP["items"]):
        return {"type": "pass", "reason": "not in our catalogue"}
    if text is None and "category" in wish["maybe"]:
        return {"type": "details"}  # a coarse wish: which bicycle?
    height = re.search(r"\b(1[.,]?[3-9]\d) ?(cm|m)\b", text or "")  # 172 cm, 1.72 m
    centimetres = int(re.sub(r"\D", "", height[1])) if height else None
    good = [item for item in SHOP["items"] if fits(item, wish)
            and (not centimetres or item.get("from_cm", 0) <= centimetres <= item.get("to_cm", 999))]
    if not good:
        return {"type": "pass", "reason": "nothing within budget, time, condition and size"}
    item = max(good, key=lambda item: float(item["price"]))
    return {"type": "offer", "availability": "in_stock", "returns_days": 14, "valid": "3d", "needs": ["name", "address", "email"],
            "note": item["name"], **{key: item[key] for key in item if key in OFFERED}}


for line in sys.stdin:
    event = json.loads(line)
    if event["type"] == "release":
        wishes[event["release"]] = event
    if event["type"] in ("release", "details", "answer") and event["release"] in wishes:
        reply = answer(wishes[event["release"]], event.get("text"))
        print(json.dumps({**reply, "release": event["release"]}), flush=True)
    elif event["type"] == "gone":
        wishes.pop(event["release"], None)
