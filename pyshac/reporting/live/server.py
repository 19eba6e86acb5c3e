"""The server of the live page: on loopback only, read-only, and silent without its token."""

from __future__ import annotations

import http.server
import os
import secrets
import socketserver
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pyshac.looking.labels import shorten
from pyshac.reporting.live.state import EMPTY_TABLE, Answer, LiveState
from pyshac.reporting.page import page_of, policy, read
from pyshac.reporting.table import to_script

LOOPBACK = "127.0.0.1"
# Pages of other sites may reach the server by a name of their own that leads to loopback. Ports are
# not compared, since a tunnel may have another one.
HOSTS = {"127.0.0.1", "localhost", "::1"}
SOURCES = "img-src blob: data:; connect-src 'self'"
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
READING_SECONDS = 30.0
PACKAGE = "pyshac.reporting.live"


class LiveServer(http.server.ThreadingHTTPServer):
    """Serves the live page of one search on loopback.

    Args:
        path: The save directory; it need not exist.
        objective: 'max' or 'min' for a directory that does not record it; None for 'max'.
        port: The port; 0 for one that is free.
        interval: Seconds between two updates of the page.

    Attributes:
        token: The secret part of the page's address.
        live: What the page shows.
        page: The page itself, which fetches the rest.

    Raises:
        OSError: If the port is taken.
    """

    daemon_threads = True
    # On Windows, another process could listen on the same port.
    allow_reuse_address = os.name == "posix"

    def __init__(self, path: Path, objective: str | None, port: int, interval: float) -> None:
        self.token = secrets.token_urlsafe(24)
        self.live = LiveState(path, objective)
        self.page = _page(path, interval)
        super().__init__((LOOPBACK, port), _Handler)

    def server_bind(self) -> None:
        # Unlike that of the base class, it asks no name server for the name of the host.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    @property
    def address(self) -> str:
        """The address of the page."""
        return f"http://{LOOPBACK}:{self.server_port}/{self.token}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Drops the errors of connections: a page that leaves is none of ours."""


def _page(path: Path, interval: float) -> tuple[bytes, str]:
    """Returns the page and its content security policy."""
    more = read("live.js", PACKAGE)
    lead = (
        f'<p id="status" data-interval="{interval!r}" role="status">Reading the search …</p>'
        '<p id="changed" class="quiet"></p>'
        "<noscript><p>This page needs JavaScript.</p></noscript>"
        '<div class="cards" id="running"></div>'
    )
    title = f"PySHAC: {shorten(path.name, 60)}"
    page = page_of(title, lead, "", "", to_script(EMPTY_TABLE), more_script=more, sources=SOURCES)
    rules = policy(read("page.css"), read("page.js") + more, SOURCES)
    return page.encode("utf-8", "replace"), f"{rules}; frame-ancestors 'none'"


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET and HEAD at addresses that begin with the token; all others get nothing."""

    server: LiveServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "PySHAC", ""
    timeout = READING_SECONDS

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def _answer(self) -> None:
        if not self._is_ours():
            self._send(404, b"", {})
            return
        parts = urlsplit(self.path).path.split("/")[2:]
        if parts == [""]:
            page, rules = self.server.page
            headers = {"Content-Type": "text/html; charset=utf-8"}
            self._send(200, page, {**headers, "Content-Security-Policy": rules})
            return
        answer = self._find(parts)
        if answer is None:
            self._send(404, b"", {})
            return
        headers = {"ETag": f'"{answer.tag}"'}
        if self.headers.get("If-None-Match") == headers["ETag"]:
            self._send(304, b"", headers)
        else:
            headers["Content-Type"] = f"{answer.kind}; charset=utf-8"
            self._send(200, answer.body, headers)

    def _find(self, parts: list[str]) -> Answer | None:
        live = self.server.live
        if parts == ["state"]:
            return live.state()
        if parts == ["table"]:
            return live.table()
        if len(parts) == 3 and parts[0] == "picture":
            return live.picture(parts[1], parts[2])
        return None

    def _is_ours(self) -> bool:
        """Returns whether the request has the token, and an address of loopback as its host."""
        token = self.path.split("/")[1] if self.path.startswith("/") else ""
        is_right = secrets.compare_digest(
            token.encode("utf-8", "replace"), self.server.token.encode("ascii")
        )
        try:
            host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        except ValueError:
            host = None
        return is_right and host in HOSTS

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Security-Policy": NOTHING, **headers}.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuses what the base class does not understand, in as few words as possible."""
        self.close_connection = True
        is_method = code == 501
        headers = {"Connection": "close", **({"Allow": "GET, HEAD"} if is_method else {})}
        self._send(405 if is_method else code, b"", headers)

    def log_message(self, format: str, *args: Any) -> None:
        """Writes nothing: addresses have the token in them."""
