"""The server of the live page: its token, what it refuses, and what it says of a directory."""

import http.client
import json
import math
import shutil
import signal
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import pytest

from pyshac import SHAC, UniformHP
from pyshac.cli import main
from pyshac.reporting.live.server import LiveServer
from pyshac.reporting.live.state import LiveState
from pyshac.reporting.live.throttle import SHARE, Throttle
from tests.looking.searches import run_search
from tests.reporting.live import watching

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def search(tmp_path_factory):
    """A finished search."""
    path = tmp_path_factory.mktemp("search")
    run_search(path, [UniformHP("x", 0, 1)], lambda w, p: p["x"], (20, 2))
    return path


@pytest.fixture(scope="module")
def server(search):
    """A server of it, in a thread."""
    with LiveServer(search, None, 0, 1.0) as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def ask(server, path=None, method="GET", **headers):
    """Returns the status, the headers and the body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    path = f"/{server.token}/" if path is None else path
    connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return found


def state_of(live):
    return json.loads(live.state().body)


def files_of(path):
    return {each: (each.read_bytes(), each.stat().st_mtime_ns) for each in path.rglob("*")
            if each.is_file()}  # fmt: skip


class TestToken:
    def test_it_listens_on_loopback_only(self, server):
        assert server.server_address[0] == "127.0.0.1"
        assert urlsplit(server.address).hostname == "127.0.0.1"
        assert len(server.token) >= 32

    @pytest.mark.parametrize(
        "path",
        ["/", "/state", "//", "/wrong/", "/{token}x/", "/{half}/", "/%00/state", "/é", "/../",
         "http://127.0.0.1/{token}/"],
    )  # fmt: skip
    def test_without_it_every_answer_is_the_same_and_empty(self, server, path):
        path = path.format(token=server.token, half=server.token[:-1])
        if not path.isascii():
            path = path.encode().decode("latin-1").replace("\xc3", "%C3").replace("\xa9", "%A9")
        status, headers, body = ask(server, path)
        _, other, _ = ask(server, "/none")
        assert (status, body) == (404, b"")
        assert {**headers, "Date": ""} == {**other, "Date": ""}
        assert headers["Server"].strip() == "PySHAC"

    @pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[", "a" * 999])
    def test_names_of_other_sites_get_nothing(self, server, host):
        assert ask(server, Host=host)[0] == 404

    @pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:7"])
    def test_a_tunnel_may_have_another_port(self, server, host):
        assert ask(server, Host=host)[0] == 200

    def test_two_servers_have_two_tokens(self, server, search):
        with LiveServer(search, None, 0, 1.0) as other:
            assert other.token != server.token


class TestAnswers:
    @pytest.mark.parametrize("what", ["", "state", "table", "picture/best-so-far/light"])
    def test_they_are_kept_nowhere_and_framed_nowhere(self, server, what):
        status, headers, body = ask(server, f"/{server.token}/{what}")
        assert status == 200
        assert body
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert not {k for k in headers if k.startswith("Access-Control")}

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "X"])
    def test_they_only_read(self, server, method):
        status, headers, body = ask(server, method=method)
        assert (status, headers["Allow"], body) == (405, "GET, HEAD", b"")

    def test_head_has_no_body(self, server):
        status, headers, body = ask(server, method="HEAD")
        assert (status, body) == (200, b"")
        assert int(headers["Content-Length"]) > 1000

    @pytest.mark.parametrize("what", ["state", "table", "picture/stages/dark"])
    def test_what_has_not_changed_is_not_sent_again(self, server, what):
        path = f"/{server.token}/{what}"
        _, headers, _ = ask(server, path)
        status, _, body = ask(server, path, If_None_Match=headers["ETag"])
        assert (status, body) == (304, b"")

    @pytest.mark.parametrize("what", ["none", "picture/none/light", "picture/stages/red", "state/"])
    def test_what_is_not_there(self, server, what):
        assert ask(server, f"/{server.token}/{what}")[0] == 404

    def test_nothing_in_the_directory_changes(self, server, search):
        before = files_of(search)
        for what in ("", "state", "table", "picture/stages/light"):
            ask(server, f"/{server.token}/{what}")
        assert files_of(search) == before


class TestState:
    def test_a_search_that_begins_goes_and_comes_back(self, tmp_path, search):
        path = tmp_path / "search"
        live = LiveState(path, None)
        live._reads = Throttle(lambda: 0.0, lambda: 0.0)
        assert state_of(live)["state"] == "not begun"
        assert state_of(live)["cards"] == []
        shutil.copytree(search, path)
        found = state_of(live)
        assert found["state"] == "ended"
        assert "20 of 20" in found["best"]
        path.rename(tmp_path / "away")
        gone = state_of(live)
        assert gone["state"] == "gone"
        assert gone["cards"] == found["cards"]
        (tmp_path / "away").rename(path)
        assert state_of(live)["state"] == "ended"

    def test_a_corrupt_one_says_why_and_can_be_mended(self, tmp_path, search):
        path = tmp_path / "search"
        shutil.copytree(search, path)
        live = LiveState(path, None)
        live._reads = Throttle(lambda: 0.0, lambda: 0.0)
        before = state_of(live)
        content = (path / "state.json").read_bytes()
        (path / "state.json").write_bytes(content[: len(content) // 2])
        broken = state_of(live)
        assert broken["state"] == "unreadable"
        assert "state.json" in broken["status"]
        assert broken["cards"] == before["cards"]
        (path / "state.json").write_bytes(content)
        assert state_of(live)["state"] == "ended"

    @pytest.mark.parametrize(
        "holder", ['{"process": 1e999, "host": "x"}', '{"process": -1, "host": 1}', "[", "{}"]
    )
    def test_a_holder_that_makes_no_sense_is_not_known(self, tmp_path, search, holder):
        path = tmp_path / "search"
        shutil.copytree(search, path)
        (path / "lock.json").write_text(holder)
        assert state_of(LiveState(path, None))["state"] == "ended"

    def test_a_directory_that_becomes_a_file(self, tmp_path):
        live = LiveState(tmp_path / "search", None)
        live._reads = Throttle(lambda: 0.0, lambda: 0.0)
        (tmp_path / "search").write_text("text")
        assert state_of(live)["state"] in ("unreadable", "not begun")

    def test_a_search_of_an_earlier_release_has_no_known_process(self, tmp_path, search):
        path = tmp_path / "search"
        shutil.copytree(search, path)
        for name in ("state.json", "lock.json"):
            (path / name).unlink()
        found = state_of(LiveState(path, None))
        assert found["state"] == "open"
        assert found["status"].startswith("Whether the search runs is not known here")

    def test_open_samples_and_those_without_a_score(self, tmp_path):
        engine = SHAC([UniformHP("<b>", 0, 1)], 8, 2, save_dir=tmp_path)
        samples = engine.ask()
        engine.tell(samples[:2], [0.5, math.nan])
        found = state_of(LiveState(tmp_path, None))
        assert found["state"] == "running"
        (card,) = found["running"]
        assert "Without a score yet: 2" in card
        assert "&lt;b&gt;=" in card
        assert "<b>" not in card

    def test_pictures_that_cannot_be_drawn_say_why(self, tmp_path):
        engine = SHAC([UniformHP("x", 0, 1)], 8, 2, save_dir=tmp_path)
        engine.tell(engine.ask()[:1], [math.nan])
        live = LiveState(tmp_path, None)
        live.state()
        answer = live.picture("best-so-far", "light")
        assert answer.kind == "text/plain"
        assert b"no score" in answer.body


def test_work_takes_its_share_of_time_only():
    now = [0.0]
    throttle = Throttle(lambda: now[0], lambda: now[0])
    assert throttle.is_due
    with throttle.working():
        now[0] += 1.0
    now[0] = 1 / SHARE - 0.01
    assert not throttle.is_due
    now[0] = 1 / SHARE
    assert throttle.is_due


def test_work_before_it_is_due_is_added_to_what_was_done_before():
    now, used = [0.0], [0.0]
    throttle = Throttle(lambda: now[0], lambda: used[0])
    for seconds in (2.0, 0.5):
        with throttle.working():
            used[0] += seconds
    now[0] = 2.5 * (1 / SHARE - 1) - 0.01
    assert not throttle.is_due
    now[0] += 0.02
    assert throttle.is_due


class TestCommand:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--port", "70000"], "port must be from 0 to 65535"),
            (["--port", "-1"], "port must be from 0 to 65535"),
            (["--interval", "0"], "interval must be from"),
            (["--interval", "nan"], "interval must be from"),
        ],
    )
    def test_wrong_options(self, tmp_path, capsys, options, message):
        assert main(["watch", str(tmp_path), *options]) == 1
        assert message in capsys.readouterr().err

    def test_a_file_is_no_directory(self, tmp_path, capsys):
        path = tmp_path / "file"
        path.touch()
        assert main(["watch", str(path)]) == 1
        assert "is a file" in capsys.readouterr().err

    def test_a_port_that_is_taken(self, server, tmp_path, capsys):
        assert main(["watch", str(tmp_path), "--port", str(server.server_port)]) == 1
        assert "Choose another one" in capsys.readouterr().err

    @pytest.mark.slow
    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_signals_end_it_without_a_word_of_error(self, tmp_path, number):
        with watching(tmp_path / "none") as (process, _):
            process.send_signal(number)
            try:
                out, err = process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                pytest.fail("it goes on")
            assert err == ""
            assert process.returncode == (0 if number == signal.SIGINT else -number)
            assert ("Ended" in out) == (number == signal.SIGINT)
