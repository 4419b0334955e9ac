"""A SARIF log holds what its standard asks for, and every result points at its rule."""

from __future__ import annotations

import json

from tocsin.adapters.documents.sarif import LEVELS, Located, Rule, Unread, document

FOUND = [
    Located("a b/ü.txt", 3, 7, "token", "secret", "TOKEN: [token]", 0.9),
    Located("-", 0, 0, "mail", "personal_data", "EMAIL: [mail]", 0.957),
    Located("c:\\logs\\x", 9, 0, "token", "secret", "TOKEN: [token]", 0.9),
]
RULES = [Rule("mail", "E-mail address"), Rule("other", "Other"), Rule("token", "Token")]


def test_the_log_has_rules_results_and_places() -> None:
    log = json.loads(json.dumps(document(FOUND, RULES, [Unread("x.csv", 4, "no CSV")], "1.2.3")))
    assert (log["version"], "sarif-2.1.0" in log["$schema"]) == ("2.1.0", True)
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("Tocsin", "1.2.3")
    assert [rule["id"] for rule in driver["rules"]] == ["mail", "token"], "only those that found something"
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        assert 0 <= result["rank"] <= 100
    assert [result["level"] for result in run["results"]] == ["error", "warning", "error"]
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert [place["artifactLocation"]["uri"] for place in places] == ["a%20b/%C3%BC.txt", "stdin", "c%3A/logs/x"]
    assert [place["region"] for place in places] == [
        {"startLine": 3, "startColumn": 7},
        {"startLine": 1},
        {"startLine": 9},
    ]
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"] == {"text": "no CSV"}
    assert note["locations"][0]["physicalLocation"]["region"]["startLine"] == 4


def test_a_log_without_findings_is_one() -> None:
    (run,) = document([], RULES, [], "1")["runs"]
    assert (run["results"], run["tool"]["driver"]["rules"]) == ([], [])
    assert run["invocations"][0]["executionSuccessful"] is True


def test_every_kind_of_pattern_has_a_level_of_the_standard() -> None:
    assert set(LEVELS) == {"secret", "personal_data", "injection", "tool_call"}
    assert set(LEVELS.values()) <= {"error", "warning", "note"}


def test_a_rule_tells_what_was_measured_of_it_and_says_nothing_where_nothing_was() -> None:
    measured = Rule("mail", "E-mail address", {"precision": "very-high", "measuredPrecision": 0.996})
    (run,) = json.loads(json.dumps(document(FOUND, [measured, RULES[2]], [], "1")))["runs"]
    mail, token = run["tool"]["driver"]["rules"]
    assert mail["properties"] == {"precision": "very-high", "measuredPrecision": 0.996}
    assert "properties" not in token


def test_a_result_tells_the_digest_and_the_encoding_only_where_there_is_one() -> None:
    keyed = [
        Located("a.txt", 1, 1, "mail", "personal_data", "EMAIL", 0.9, "ab" * 16, "base64>url"),
        Located("b.txt", 7, 2, "mail", "personal_data", "EMAIL", 0.9, "ab" * 16),
    ]
    (run,) = json.loads(json.dumps(document([*keyed, FOUND[0]], RULES, [], "1")))["runs"]
    hidden, plain, without = run["results"]
    assert hidden["partialFingerprints"] == plain["partialFingerprints"] == {"keyedDigest/v1": "ab" * 16}
    assert hidden["properties"] == {"category": "personal_data", "score": 0.9, "via": "base64>url"}
    assert plain["properties"] == {"category": "personal_data", "score": 0.9}
    assert "partialFingerprints" not in without
