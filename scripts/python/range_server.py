#!/usr/bin/env python3
"""A web server on this machine that knows ranges, and misbehaves when told to: for tests of downloads.

Python's own http.server knows no ranges. Used as a module by scripts/check-download; started by hand it serves a folder:

    python3 scripts/python/range_server.py FOLDER --port 8000 --cut 900000
    width-transfer data download fashion-mnist --from http://127.0.0.1:8000/
"""

import argparse
import dataclasses
import http.server
import pathlib
import threading
import time


@dataclasses.dataclass
class Behaviour:
    """What a server does that a good one does not."""

    cut: int = 0  # closes the connection after so many bytes of a file ...
    cuts: int = -1  # ... this many times, or always
    rate: int = 0  # bytes a second, or as fast as it goes
    ranges: bool = True  # whether it knows ranges
    extra: int = 0  # sends so many bytes too many, and no length
    status: int = 0  # answers so, whatever is asked for
    redirect: bool = False  # sends every client from /NAME to /moved/NAME first


class Server(http.server.ThreadingHTTPServer):
    """Serves the files of a folder on 127.0.0.1."""

    daemon_threads = True

    def __init__(self, folder, behaviour=None, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.folder = pathlib.Path(folder)
        self.behaviour = behaviour or Behaviour()
        self.requests = []  # (name, first byte asked for, status)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}/"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def handle_error(self, *_):
        """A client that leaves is no error here."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        behaviour = self.server.behaviour
        name = self.path.rsplit("/", 1)[-1]
        path = self.server.folder / name
        first = self.first_byte()
        size = path.stat().st_size if path.is_file() else 0
        self.close_connection = True
        if behaviour.status or not path.is_file():
            return self.head(name, first, behaviour.status or 404, {"Content-Length": "0"})
        if behaviour.redirect and not self.path.startswith("/moved/"):
            return self.head(name, first, 302, {"Location": f"/moved/{name}", "Content-Length": "0"})
        if first and behaviour.ranges:
            if first >= size:
                return self.head(name, first, 416, {"Content-Range": f"bytes */{size}", "Content-Length": "0"})
            fields = {"Content-Range": f"bytes {first}-{size - 1}/{size}", "Content-Length": str(size - first)}
            self.head(name, first, 206, fields)
        else:
            self.head(name, first, 200, {} if behaviour.extra else {"Content-Length": str(size)})
            first = 0
        self.body(path, first)

    def first_byte(self):
        field = self.headers.get("Range", "")
        return int(field[len("bytes="):].split("-")[0]) if field.startswith("bytes=") else 0

    def head(self, name, first, status, fields):
        self.server.requests.append((name, first, status))
        self.send_response(status)
        for key, value in {**fields, "Connection": "close"}.items():
            self.send_header(key, value)
        self.end_headers()

    def body(self, path, first):
        behaviour = self.server.behaviour
        left = path.stat().st_size - first + behaviour.extra
        if behaviour.cut and behaviour.cuts and left > behaviour.cut:
            left = behaviour.cut
            behaviour.cuts -= 1
        piece = 1 << 16
        with open(path, "rb") as file:
            file.seek(first)
            while left > 0:
                # Beyond its end, a file goes on with zeros.
                data = file.read(min(piece, left)) or bytes(min(piece, left))
                self.wfile.write(data)
                left -= len(data)
                if behaviour.rate:
                    time.sleep(len(data) / behaviour.rate)

    def log_message(self, *_):
        """Tests look at the list of requests."""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--cut", type=int, default=0, help="close the connection after so many bytes")
    parser.add_argument("--rate", type=int, default=0, help="bytes a second")
    parser.add_argument("--no-ranges", action="store_true", help="send whole files only")
    parser.add_argument("--extra", type=int, default=0, help="send so many bytes too many")
    parser.add_argument("--status", type=int, default=0, help="answer with this status only")
    options = parser.parse_args()
    behaviour = Behaviour(
        cut=options.cut, rate=options.rate, ranges=not options.no_ranges, extra=options.extra, status=options.status)
    with Server(options.folder, behaviour, options.port) as server:
        print(f"{options.folder} is at {server.address}", flush=True)
        seen = 0
        while True:
            time.sleep(0.2)
            for name, first, status in server.requests[seen:]:
                print(f"{status} {name} from byte {first}", flush=True)
            seen = len(server.requests)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
