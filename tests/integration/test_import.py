#!/usr/bin/env python3
"""`oyez import`: drafts from other systems' files, posted without the people in them."""
import json
import os
import pathlib

from oyez_test import SOURCE, Broker, main, oyez, oyez_run, scratch, wait_for

EXAMPLES = pathlib.Path(os.environ.get("OYEZ_SHARED_DIR") or SOURCE.parent / "shared") / "examples"

DEMAND = {
    "@context": "https://schema.org",
    "@type": "Demand",
    "itemOffered": {"@type": "Product", "name": "espresso coffee machine", "category": "Home > Kitchen > Coffee machine"},
    "eligibleRegion": "FR",
    "itemCondition": "https://schema.org/NewCondition",
    "priceSpecification": {"@type": "PriceSpecification", "minPrice": 100, "maxPrice": 250, "priceCurrency": "EUR"},
    "seeker": {"@type": "Person", "name": "Sentinel Person", "email": "sentinel@example.org",
               "telephone": "+33 6 00 00 00 00",
               "address": {"@type": "PostalAddress", "streetAddress": "1 Sentinel Street", "addressLocality": "Vannes"}},
}
SENTINELS = ("Sentinel Person", "sentinel@example.org", "+33 6 00 00 00 00", "Sentinel Street")


def demand_file():
    path = scratch("demand.jsonld")
    path.write_text(json.dumps(DEMAND))
    return path


def test_draft():
    result = oyez("ann", "import", demand_file(), broker="tcp://127.0.0.1:1")[0]
    assert set(result) >= {"intent_draft", "identity_found", "not_understood"}, result
    assert all(set(found) >= {"path", "kind"} for found in result["identity_found"]), result
    assert {"name", "email"} <= {found["kind"] for found in result["identity_found"]}, result
    assert not any(word in json.dumps(result) for word in SENTINELS), result


def test_post():
    with Broker() as broker:
        oyez("bea", "wallet", "init")
        posted = oyez("bea", "import", demand_file(), "--post", "--category", "home.kitchen.coffee-machine",
                      "--region", "FR-56")[0]
        assert posted["status"] in ("waiting", "released") and "intent_draft" in posted, posted
        shown = wait_for(lambda: (line := oyez("bea", "show", posted["intent"])[0])["status"] == "released" and line)
        assert shown["broadcast"]["category"] == "home.kitchen.coffee-machine", shown
        assert not any(word in json.dumps(shown) for word in SENTINELS), shown
        for path in broker.data.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                assert not any(word.encode() in content for word in SENTINELS), path


def test_examples():
    """Real messages of other systems, from a folder beside the project, where there is one."""
    files = sorted(EXAMPLES.glob("*")) if EXAMPLES.is_dir() else []
    if not files:
        print(f"no example files in {EXAMPLES}: skipped")
        return
    for path in files:
        result = oyez("cleo", "import", path, broker="tcp://127.0.0.1:1")[0]
        assert "intent_draft" in result, (path, result)


def test_bad_files():
    cases = {"empty": b"", "text": b"hello", "list": b"[]", "binary": bytes(range(256)),
             "deep": b"[" * 100000, "other": b'{"@type":"Person","name":"x"}', "xml": b"<a/>", "cut": b'{"@type":'}
    for name, content in cases.items():
        path = scratch(name)
        path.write_bytes(content)
        outcome = oyez_run("dan", "import", path, broker="tcp://127.0.0.1:1")
        assert outcome.code == 1 and outcome.error() in ("not_understood", "bad_utf8"), (name, outcome)
    large = scratch("large")
    large.write_bytes(b" " * 11_000_000)
    assert oyez_run("dan", "import", large, broker="tcp://127.0.0.1:1").error() == "too_large"
    assert oyez_run("dan", "import", scratch("nowhere"), broker="tcp://127.0.0.1:1").error() == "io"
    assert oyez_run("dan", "import", broker="tcp://127.0.0.1:1").code == 2


if __name__ == "__main__":
    main(globals())
