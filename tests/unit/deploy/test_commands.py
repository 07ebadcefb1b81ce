"""The command line as scripts use it: JSON and nothing else on stdout, problems in a sentence."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from deploy import cli
from deploy.local.folder import StackFolder
from deploy.local.mail import described
from deploy.replay import _stop


class _StandInGateway(BaseHTTPRequestHandler):
    """Remembers what it was asked and answers what the test planned."""

    asked: ClassVar[list[tuple[str, str, Any]]] = []
    planned: ClassVar[list[tuple[int, Any]]] = []

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        self.asked.append((self.command, self.path, body))
        status, answer = self.planned.pop(0)
        content = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_StandInGateway]]:
    monkeypatch.setenv("TREUE_HOME", str(tmp_path))
    _StandInGateway.asked.clear()
    _StandInGateway.planned.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), _StandInGateway) as server:
        StackFolder(tmp_path).write("ports.json", {"gateway": server.server_address[1]})
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield _StandInGateway
        server.shutdown()
        thread.join()


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["treue", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_a_tenant_is_made_wherever_json_stands(
    gateway: type[_StandInGateway], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = {"tenant": "t1", "api_key": "treue_live_x"}
    options = ("--currency", "EUR", "--time-zone", "Europe/Berlin", "--display-name", "Tea & Cups")
    for arguments in (
        ("tenants", "create", "shop", *options, "--json"),
        ("--json", "tenants", "create", "shop", *options),
    ):
        gateway.planned.append((201, made))
        assert _run(monkeypatch, *arguments) == 0
        assert json.loads(capsys.readouterr().out) == made
    assert gateway.asked[0] == gateway.asked[1]
    assert gateway.asked[0] == (
        "POST",
        "/v1/tenants",
        {"name": "shop", "currency": "EUR", "time_zone": "Europe/Berlin", "display_name": "Tea & Cups"},
    )


def test_a_mail_is_shown_with_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TREUE_HOME", str(tmp_path))
    content = b"Subject: [bold] =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nX-Odd: \xff\r\n\r\n25 Punkte\r\n"
    kept = described(content, ["ada@example.org"], "shop@example.org", "2026-03-10T00:30:00+00:00")
    StackFolder(tmp_path).mails.parent.mkdir()
    earlier = {name: value for name, value in kept.items() if name != "raw"}
    StackFolder(tmp_path).mails.write_text(f"{json.dumps(earlier)}\n{json.dumps(kept)}\n")
    assert _run(monkeypatch, "mails") == 0
    assert "=?utf-8?q?" not in capsys.readouterr().out
    assert _run(monkeypatch, "mails", "--raw") == 0
    first, second = capsys.readouterr().out.split("--- 2026-03-10T00:30:00 to ada@example.org\n")[1:]
    assert first == "Its source was not kept.\n"
    assert second == "Subject: [bold] =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nX-Odd: \\xff\n\n25 Punkte\n\n"
    assert _run(monkeypatch, "mails", "--json") == 0
    assert json.loads(capsys.readouterr().out)[1]["raw"] == content.decode(errors="backslashreplace")


def test_keys_are_made_listed_over_pages_and_revoked(
    gateway: type[_StandInGateway], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.planned += [
        (201, {"id": "k1", "api_key": "secret"}),
        (200, {"items": [{"id": "k1"}], "next": "more"}),
        (200, {"items": [{"id": "k2"}], "next": None}),
        (204, None),
    ]
    assert (
        _run(monkeypatch, "keys", "create", "--tenant", "t1", "--scopes", "events:write, metrics:read", "--json") == 0
    )
    assert json.loads(capsys.readouterr().out) == {"id": "k1", "api_key": "secret"}
    assert _run(monkeypatch, "keys", "list", "--tenant", "t1", "--json") == 0
    assert [key["id"] for key in json.loads(capsys.readouterr().out)] == ["k1", "k2"]
    assert _run(monkeypatch, "keys", "revoke", "k1", "--json") == 0
    assert gateway.asked == [
        ("POST", "/v1/keys", {"tenant": "t1", "scopes": ["events:write", "metrics:read"], "mode": "live"}),
        ("GET", "/v1/keys?tenant=t1", None),
        ("GET", "/v1/keys?cursor=more&tenant=t1", None),
        ("DELETE", "/v1/keys/k1", None),
    ]


def test_a_refusal_is_a_sentence_and_a_next_step(
    gateway: type[_StandInGateway], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fault = {"pointer": "/currency", "detail": "XXY is no ISO 4217 currency."}
    gateway.planned.append((422, {"detail": "The request is not valid.", "code": "invalid", "errors": [fault]}))
    assert _run(monkeypatch, "tenants", "create", "shop", "--currency", "XXY") == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "The request is not valid." in printed.err
    assert "/currency: XXY is no ISO 4217 currency." in printed.err
    assert "Traceback" not in printed.err


def test_without_a_stack_commands_say_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TREUE_HOME", str(tmp_path / "none"))
    assert _run(monkeypatch, "status", "--json") == 1
    assert "make up" in json.loads(capsys.readouterr().out)["next_step"]
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("count", ["points", "points=0", "points=7", "shop=1", "points=two"])
def test_an_impossible_scale_is_refused(
    count: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TREUE_HOME", str(tmp_path))
    assert _run(monkeypatch, "scale", count) == 1
    assert "SERVICE=COUNT" in capsys.readouterr().err


@pytest.mark.parametrize("schema", ["points", "gateway", "pg_x", "Points", "a b", "x;"])
def test_a_rebuild_into_a_live_schema_or_an_impossible_one_is_refused_first(
    schema: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TREUE_HOME", str(tmp_path))
    assert _run(monkeypatch, "rebuild", "points", "--into", schema) == 1
    said = capsys.readouterr().err
    assert schema in said
    assert "Drop" not in said
    assert "make up" not in said, "it asked for the stack first"


def test_a_replay_of_a_range_that_ends_before_it_begins_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TREUE_HOME", str(tmp_path))
    assert _run(monkeypatch, "replay", "treue.purchases", "--from", "10", "--to", "0") == 1
    assert "From 10 to 0 there is nothing." in capsys.readouterr().err


def test_a_replay_ends_where_it_is_told_and_never_beyond_the_position() -> None:
    assert [_stop(end, 7) for end in (None, 0, 3, 9)] == [7, 0, 3, 7]


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_of_the_table_exists_and_has_a_help(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, name, "--help") == 0
    assert f"treue {name}" in capsys.readouterr().out


def test_the_help_lists_all_commands_and_an_unknown_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, "--help") == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in cli.COMMANDS)
    assert _run(monkeypatch, "fly") == 2
