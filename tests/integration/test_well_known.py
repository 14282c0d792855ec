#!/usr/bin/env python3
"""Who a vendor is: pages at their addresses, looked at by a home and by a guardian, over a server on loopback (the brokers
run with vendor_urls: trial). Sites that lie, keep silent, are slow or huge, or send us elsewhere; a vendor that poses under
another's address; addresses that must not be called."""
import http.server
import json
import shutil
import threading
import time

import oyez_test
from oyez_test import main, oyez, oyez_run, scratch, wait_for
from two_brokers import Pair

PLACE = ["--category", "home.kitchen.coffee-machine", "--region", "FR-56"]
TRIAL = ["--vendor-urls", "trial"]


class Site:
    """A web server on loopback: .pages maps paths to what is answered; .asked lists the paths asked for."""

    def __init__(self, host="127.0.0.1"):
        self.pages, self.asked, self.requests = {}, [], []
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                site.asked.append(self.path)
                site.requests.append(dict(self.headers))
                answer = site.pages.get(self.path, (404, {}, b""))
                if callable(answer):
                    return answer(self)
                status, headers, body = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((host, 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://{host}:{self.server.server_port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def page(self, path, page, status=200, headers=None):
        body = page if isinstance(page, bytes) else json.dumps(page).encode()
        self.pages[f"{path}/.well-known/oyez"] = (status, headers or {"Content-Type": "application/json",
                                                                     "Set-Cookie": "a=b"}, body)

    def count(self, path):
        return self.asked.count(f"{path}/.well-known/oyez")


def Broker(*flags):
    """A new broker, and nobody has met another one before."""
    forget()
    return oyez_test.Broker(*flags)


def forget():
    shutil.rmtree(oyez_test.home("nobody").parent, ignore_errors=True)


def init(name, url, broker=None):
    oyez(name, "vendor", "init", "--name", name.title(), "--url", url, "--country", "FR", broker=broker)
    return oyez(name, "vendor", "well-known", broker=broker)[0]


def checked(broker, name):
    """What the operator sees of that vendor: (word, time)."""
    found = [line for line in oyez("operator", "admin", "vendors", broker=broker) if line["name"] == name.title()]
    return (found[0]["vendor_checked"], found[0]["checked_at"]) if found else (None, None)


def settled(broker, name):
    return wait_for(lambda: checked(broker, name)[1] and checked(broker, name)[0], what=f"{name}'s address to be looked at")


OTHER = {"oyez": 1, "vendors": [{"key": "ab" * 32, "name": "Somebody else"}]}


def redirect(status, location):
    return status, {"Location": location}, b""


def test_what_sites_say():
    with Site() as site, Site() as elsewhere, Broker(*TRIAL) as broker:
        expected = {}

        def add(name, word, page=None):
            own = init(name, f"{site.url}/{name}")
            if callable(page):
                page = page(own)
            if isinstance(page, tuple):
                site.pages[f"/{name}/.well-known/oyez"] = page
            elif page is not None:
                site.page(f"/{name}", page)
            expected[name] = word

        def slow(handler):
            handler.send_response(200)
            handler.end_headers()
            try:
                for _ in range(600):
                    handler.wfile.write(b" ")
                    handler.wfile.flush()
                    time.sleep(0.1)
            except OSError:
                pass  # it hung up

        def endless(handler):
            handler.send_response(200)
            handler.end_headers()
            sent = 0
            try:
                while sent < 64 << 20:
                    handler.wfile.write(b"x" * 65536)
                    sent += 65536
            except OSError:
                pass
            site.endless = sent

        add("own", "confirmed", lambda own: own)
        add("among", "confirmed", lambda own: {"oyez": 1, "vendors": OTHER["vendors"] + own["vendors"]})
        add("other", "denies", OTHER)
        add("nothing", "silent")
        add("text", "silent", b"<html>hello</html>")
        add("broken", "silent", lambda own: (500, {}, json.dumps(own).encode()))
        add("large", "silent", lambda own: json.dumps(own).encode() + b" " * 70000)
        add("just", "confirmed", lambda own: json.dumps(own).encode().ljust(65536))
        add("moved", "confirmed", redirect(301, "/moved/here"))
        site.pages["/moved/here"] = (200, {}, json.dumps(oyez("moved", "vendor", "well-known")[0]).encode())
        add("loop", "silent", redirect(302, f"{site.url}/loop/.well-known/oyez"))
        add("away", "silent", redirect(302, f"{elsewhere.url}/away/.well-known/oyez"))
        elsewhere.page("/away", oyez("away", "vendor", "well-known")[0])
        add("file", "silent", redirect(302, "file:///etc/passwd"))
        add("endless", "silent")
        site.pages["/endless/.well-known/oyez"] = endless
        add("slow", "silent")
        site.pages["/slow/.well-known/oyez"] = slow
        started = time.monotonic()
        for name in expected:
            oyez(name, "vendor", "register")
        for name, word in expected.items():
            if name != "slow":
                assert settled(broker, name) == word, (name, checked(broker, name), word)
        # A slow site is given up after ten seconds; nobody waited for it.
        assert settled(broker, "slow") == "silent" and time.monotonic() - started >= 8, checked(broker, "slow")
        assert elsewhere.asked == [], elsewhere.asked
        assert site.count("/loop") == 4, site.asked  # the page and three redirects
        assert site.endless < 8 << 20, site.endless
        assert not any("Cookie" in request or "Authorization" in request for request in site.requests)
        # Published later: registering again asks again, at the earliest a minute after the last look.
        page = broker.get("/metrics")
        assert page[0] == 200
        said = oyez_run("operator", "admin", "vendors", json_output=False)
        assert "confirmed by its site" in said.text and "NOT this vendor's" in said.text, said


def test_addresses_not_called():
    """Private and local addresses, other schemes, names with passwords: nobody is asked."""
    with Site() as site:
        port = site.server.server_port
        with Broker("--vendor-urls", "check") as broker:  # as in earnest: no http, no loopback
            for number, url in enumerate([site.url, f"https://127.0.0.1:{port}", f"https://localhost:{port}",
                                          f"https://[::1]:{port}", f"https://[::ffff:127.0.0.1]:{port}",
                                          f"https://0.0.0.0:{port}", f"https://2130706433:{port}"]):
                init(f"strict{number}", url)
                oyez(f"strict{number}", "vendor", "register")
                assert settled(broker, f"strict{number}") in ("unchecked", "silent"), url
        with Broker(*TRIAL) as broker:
            for number, url in enumerate(["http://10.255.255.1", "https://192.168.254.254", "http://169.254.169.254",
                                          "http://172.16.254.254", "http://[fd00::1]", "http://[fe80::1]",
                                          f"http://0.0.0.0:{port}", f"http://user:word@127.0.0.1:{port}",
                                          f"http://127.0.0.1:{port}/?a=b"]):
                started = time.monotonic()
                init(f"inner{number}", url)
                oyez(f"inner{number}", "vendor", "register")
                assert settled(broker, f"inner{number}") == "unchecked", url
                assert time.monotonic() - started < 5, url
        assert site.asked == [], site.asked


def test_off_by_default_on_loopback():
    with Site() as site, Broker() as broker:
        init("roy", site.url)
        oyez("roy", "vendor", "register")
        oyez("operator", "admin", "vendors")
        assert checked(broker, "roy") == ("unchecked", None) and site.asked == []


def offer_of(name, subscription, broker):
    release = wait_for(lambda: oyez(name, "vendor", "watch", subscription, "--wait", "1", ok=False, broker=broker),
                       what="the release")[0]["release"]
    return oyez(name, "vendor", "offer", release, "--price", "189.00", broker=broker)[0]["offer"], release


def card_file():
    path = scratch("card.json")
    path.write_text(json.dumps({"name": "Ann Example"}))
    return path


def test_a_vendor_that_poses():
    """One broker. The honest shop's page names its key; who lists the same address with another key is refused."""
    with Site() as site, Broker(*TRIAL) as broker:
        site.page("/roy", init("roy", f"{site.url}/roy"))
        init("fake", f"{site.url}/roy")
        subscriptions = {}
        for name in ("roy", "fake"):
            oyez(name, "vendor", "register")
            subscriptions[name] = oyez(name, "vendor", "subscribe", "--category", "home.kitchen")[0]["subscription"]
        assert (settled(broker, "roy"), settled(broker, "fake")) == ("confirmed", "denies")
        oyez("ann", "wallet", "init")
        intent = oyez("ann", "want", "quiet", *PLACE, "--share-details", "auto")[0]["intent"]
        offers = {}
        for name, subscription in subscriptions.items():
            offers[name], release = offer_of(name, subscription, broker)
            oyez(name, "vendor", "details", release)
        wait_for(lambda: len(oyez("ann", "offers", intent)) == 2, what="both offers")
        shown = {line["offer"]: line["vendor_checked"] for line in oyez("ann", "offers", intent)}
        assert shown == {offers["roy"]: "confirmed", offers["fake"]: "denies"}, shown
        refused = oyez_run("ann", "accept", offers["fake"], "--card", card_file())
        assert refused.code == 1 and refused.error() == "vendor_mismatch", refused
        # Details go to the honest one by policy; to the other not even by hand.
        waiting = wait_for(lambda: [line for line in oyez("ann", "questions", intent)
                                    if line["vendor_checked"] == "denies"], what="the question")[0]
        refused = oyez_run("ann", "answer", waiting["question"])
        assert refused.code == 1 and refused.error() == "vendor_mismatch", refused
        got = wait_for(lambda: [line for line in oyez("roy", "vendor", "inbox", ok=False) if line["type"] == "details"],
                       what="the details")
        assert got
        assert [line for line in oyez("fake", "vendor", "inbox", ok=False)] == []
        assert oyez("ann", "accept", offers["roy"], "--card", card_file())[0]["status"] == "accepted"


def test_the_guardian_looks_as_well():
    """Two brokers. The home looks at nothing, as one that is in league with the impostor would; the guardian does."""
    forget()
    with Site() as site, Pair("--vendor-urls", "off", guardian_flags=TRIAL) as pair:
        site.page("/roy", init("roy", f"{site.url}/roy", broker=pair.home))
        init("fake", f"{site.url}/roy", broker=pair.home)
        subscriptions = {}
        for name in ("roy", "fake"):
            oyez(name, "vendor", "register", broker=pair.home)
            subscriptions[name] = oyez(name, "vendor", "subscribe", "--category", "home.kitchen",
                                       broker=pair.home)[0]["subscription"]
        who = pair.customer("ann")
        wait_for(lambda: pair.run(who, "account", "open").code == 0, what="the account")
        intent = pair.ask(who, "want", "quiet", *PLACE, "--share-details", "auto")[0]["intent"]
        offers = {}
        for name, subscription in subscriptions.items():
            offers[name], release = offer_of(name, subscription, pair.home)
            oyez(name, "vendor", "details", release, broker=pair.home)
        wait_for(lambda: len(pair.ask(who, "offers", intent, "--wait", "1")) == 2, what="both offers")
        refused = pair.run(who, "accept", offers["fake"], "--card", card_file())
        assert refused.code == 1 and refused.error() == "vendor_mismatch", refused
        details = wait_for(lambda: [line for line in oyez("roy", "vendor", "inbox", ok=False, broker=pair.home)
                                    if line["type"] == "details"] or pair.ask(who, "intents") and [],
                           what="the details")
        assert details
        assert oyez("fake", "vendor", "inbox", ok=False, broker=pair.home) == []
        assert pair.ask(who, "accept", offers["roy"], "--card", card_file())[0]["status"] == "accepted"
        shown = [line["vendor_checked"] for line in pair.ask(who, "offers", intent) if line["offer"] == offers["fake"]]
        assert shown in ([], ["denies"]), shown
        # Each address and key was looked at once, however often wallets asked.
        assert site.count("/roy") == 2, site.asked


main(globals())
