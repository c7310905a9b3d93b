"""Proxies of the environment, as openai-python uses them: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY."""

import urllib.request
from http.server import BaseHTTPRequestHandler

import pytest

from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import OptionScores, ScoringFailure
from tests.backends.openai.test_backend import groups, score
from tests.helpers import serving

NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class Proxy(BaseHTTPRequestHandler):
    """Passes requests on whose line has a whole address, whatever host that names, to one server."""

    protocol_version = "HTTP/1.1"
    target = ""
    status = None
    seen: list[str] = []  # noqa: RUF012

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self.pass_on(None)

    def do_POST(self):
        self.pass_on(self.rfile.read(int(self.headers["content-length"])))

    def do_CONNECT(self):
        self.seen.append(self.requestline)
        self.send_error(503)

    def pass_on(self, body):
        self.seen.append(self.path)
        path = "/" + self.path.split("/", 3)[3]
        request = urllib.request.Request(self.target + path, body, {"content-type": "application/json"})
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as reply:
                status, content = reply.status, reply.read()
        except urllib.error.HTTPError as error:
            status, content = error.code, error.read()
        self.send_response(self.status or status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def proxy(stand_in, monkeypatch):
    """A proxy before a stand-in: its class, its address, and that of the server."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    _, url = stand_in("unknown")
    kind = type("Running", (Proxy,), {"target": url.removesuffix("/v1"), "seen": []})
    with serving(kind) as address:
        yield kind, address, url


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_of_the_environment_is_used(proxy, backend_at, monkeypatch, name):
    kind, address, url = proxy
    monkeypatch.setenv(name, address)
    assert isinstance(score(backend_at(url), groups(1))["i0"], OptionScores)
    assert len(kind.seen) > 6
    assert all(each.startswith(url.removesuffix("/v1")) for each in kind.seen)
    # A host that only the proxy knows.
    assert isinstance(score(backend_at("http://judge.invalid/v1"), groups(1))["i0"], OptionScores)


def test_a_proxy_without_a_scheme_is_one_of_http(proxy, backend_at, monkeypatch):
    kind, address, url = proxy
    monkeypatch.setenv("HTTP_PROXY", address.removeprefix("http://"))
    backend_at(url).describe()
    assert kind.seen


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
@pytest.mark.parametrize("hosts", ["127.0.0.1", "example.org, 127.0.0.1", "*"])
def test_hosts_without_a_proxy_are_asked_directly(proxy, backend_at, monkeypatch, name, hosts):
    kind, address, url = proxy
    monkeypatch.setenv("HTTP_PROXY", address)
    monkeypatch.setenv(name, hosts)
    assert isinstance(score(backend_at(url), groups(1))["i0"], OptionScores)
    assert not kind.seen


def test_https_goes_through_its_own_proxy(proxy, backend_at, monkeypatch):
    kind, address, url = proxy
    monkeypatch.setenv("HTTPS_PROXY", address)
    backend_at(url).describe()
    assert not kind.seen
    with pytest.raises(HarnessError, match="cannot be reached") as caught:
        backend_at("https://judge.invalid/v1").describe()
    assert caught.value.hint.endswith("the environment names a proxy, which NO_PROXY=judge.invalid bypasses")
    assert kind.seen[0] == "CONNECT judge.invalid:443 HTTP/1.1"


def test_redirects_are_not_followed_and_replies_are_bounded_behind_a_proxy(proxy, backend_at, monkeypatch):
    kind, address, url = proxy
    monkeypatch.setenv("HTTP_PROXY", address)
    backend = backend_at(url, attempts=1)
    backend.describe()
    kind.status = 307
    assert isinstance(score(backend, groups(1))["i0"], ScoringFailure)
    kind.status = None
    monkeypatch.setattr("judgeharness.backends.replies.MAX_REPLY_BYTES", 100)
    with pytest.raises(HarnessError, match="a reply of more than 100 bytes"):
        score(backend, groups(1))


def test_a_proxy_that_asks_for_a_password(proxy, backend_at, monkeypatch):
    kind, address, url = proxy
    monkeypatch.setenv("HTTP_PROXY", address)
    kind.status = 407
    with pytest.raises(HarnessError, match="the proxy asks for a password"):
        backend_at(url).describe()


@pytest.mark.parametrize("value", ["gopher://127.0.0.1:1", "http://127.0.0.1:x"])
def test_a_proxy_that_cannot_be_one(proxy, backend_at, monkeypatch, value):
    monkeypatch.setenv("ALL_PROXY", value)
    with pytest.raises(HarnessError, match="the proxy that the environment names cannot be used"):
        backend_at(proxy[2]).describe()
