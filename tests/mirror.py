"""A web server on this machine that misbehaves on demand and remembers what it was asked for and what it sent."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Request:
    """What was asked for, and how many bytes of the body were sent."""

    path: str
    range: str | None
    sent: int = 0


@dataclass
class Page:
    """How a path is served.

    ranges: whether "Range" is obeyed; breaks: after how many bytes the 1st, 2nd, … answer ends; holds: after how many
    bytes an answer waits for `release`; length: whether it says how long it is; headers: more of them.
    """

    content: bytes
    status: int = 200
    ranges: bool = True
    breaks: list[int] = field(default_factory=list)
    holds: int | None = None
    length: bool = True
    headers: dict[str, str] = field(default_factory=dict)


class Mirror:
    """pages: what is served, by path; requests: what was asked; held, release: events of an answer that waits."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.pages: dict[str, Page] = {}
        self.requests: list[Request] = []
        self.held, self.release = threading.Event(), threading.Event()

    def serve(self, path: str, content: bytes, **how: object) -> str:
        """The address of a page that is served from now on."""
        self.pages[path] = Page(content, **how)
        return self.address + path

    def of(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]


@contextmanager
def running() -> Iterator[Mirror]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.mirror = Mirror(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield server.mirror
    finally:
        server.mirror.release.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        mirror = self.server.mirror
        request = Request(self.path, self.headers.get("Range"))
        mirror.requests.append(request)
        page = mirror.pages[self.path]
        asked = re.fullmatch(r"bytes=(\d+)-", request.range or "") if page.ranges else None
        start = int(asked[1]) if asked else 0
        body = page.content[start:]
        self.send_response(206 if asked and page.status == 200 else page.status)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(page.content) - 1}/{len(page.content)}")
        if page.length:
            self.send_header("Content-Length", str(len(body)))
        for name, value in page.headers.items():
            self.send_header(name, value)
        self.end_headers()
        end = page.breaks.pop(0) if page.breaks else len(body)
        with suppress(ConnectionError):  # the other side may be stopped meanwhile
            self._send(body[:end], page, request, mirror)

    def _send(self, body: bytes, page: Page, request: Request, mirror: Mirror) -> None:
        first = len(body) if page.holds is None else page.holds
        for piece in (body[:first], body[first:]):
            self.wfile.write(piece)
            request.sent += len(piece)
            if request.sent == page.holds:
                self.wfile.flush()
                mirror.held.set()
                mirror.release.wait(60)

    def log_message(self, *_: object) -> None:
        """Nothing on stderr, where the tests read."""
