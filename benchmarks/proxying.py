"""`make bench-proxy`: the API proxy beside Debian's nginx: the same job, on the same core, in the same run.

A long body down and up, and many small requests, through TLS on both sides. The rate is that of a second of CPU of the
proxy, from the kernel's account; what the client and the server behind do on another core does not count.
"""

import argparse
import asyncio
import json
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from benchmarks.__main__ import print_table
from benchmarks.lines import Line, client_context
from benchmarks.processes import Measured, Nestor, free_port, keep_off_the_servers_core, versions

Row = dict[str, float | str]

_MIB = 1024 * 1024
_SMALL = 1000
_LINES = 8

_NGINX = """
daemon off;
worker_processes 1;
master_process off;
error_log stderr;
pid {place}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {place}/body;
  proxy_temp_path {place}/proxy;
  fastcgi_temp_path {place}/fastcgi;
  uwsgi_temp_path {place}/uwsgi;
  scgi_temp_path {place}/scgi;
  upstream behind {{ server 127.0.0.1:{behind}; keepalive 32; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port} ssl;
    keepalive_requests 1000000;
    client_max_body_size 0;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    location / {{
      proxy_pass https://behind;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_ssl_verify on;
      proxy_ssl_name localhost;
      proxy_ssl_trusted_certificate {anchor};
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
      {more}
    }}
  }}
}}
"""

_ROUTES = """
[routes.behind]
path = "/behind"
to = "https://localhost:{behind}"
anchors = "file:{anchor}"

[proxy]
through = "direct"

[listener.limits]
requestsPerConnection = 1000000
"""


class Nginx(Measured):
    """nginx with Nestor's certificate, in front of the same server."""

    def __init__(self, nestor: Nestor, behind: int, more: str = "") -> None:
        super().__init__(free_port())
        self._nestor = nestor
        self._behind = behind
        self._more = more

    def __enter__(self) -> Self:
        data, place = self._nestor.data, self._nestor.place
        configuration = place / f"nginx-{self.port}.conf"
        configuration.write_text(
            _NGINX.format(
                place=place,
                behind=self._behind,
                port=self.port,
                certificate=data / "server-certificate.pem",
                key=data / "server-key.pem",
                anchor=self._nestor.anchor,
                more=self._more,
            ),
            "utf-8",
        )
        self.start(["nginx", "-p", str(place), "-c", str(configuration)], place / "nginx.log")
        return self


def main() -> None:
    """Measure, print, write JSON."""
    parser = argparse.ArgumentParser(prog="make bench-proxy", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds; medians are shown")
    parser.add_argument("--mebibytes", type=int, default=1024, help="the size of the long body")
    parser.add_argument("--requests", type=int, default=3000, help="small requests per round")
    parser.add_argument("--json", type=Path, default=None, help="a file for the figures")
    options = parser.parse_args()
    keep_off_the_servers_core()
    told = versions() | {"nginx": _nginx_version()}
    sys.stdout.write("".join(f"{name}: {version}\n" for name, version in told.items()))
    with tempfile.TemporaryDirectory(prefix="nestor-bench-") as place:
        rows = _measure(Path(place), options.rounds, options.mebibytes, options.requests)
    print_table("proxying", rows)
    if options.json is not None:
        options.json.write_text(json.dumps({"versions": told, "proxying": rows}, indent=2) + "\n", "utf-8")


def _measure(place: Path, rounds: int, mebibytes: int, requests: int) -> list[Row]:
    behind = free_port()
    with Nestor(place) as first:  # makes the CA that the route is verified by
        routes = _ROUTES.format(behind=behind, anchor=first.anchor)
    with Nestor(place, routes) as nestor, _behind(nestor, behind):
        proxies: dict[str, Measured] = {"Nestor": nestor}
        with Nginx(nestor, behind) as nginx, Nginx(nestor, behind, "proxy_buffering off;") as unbuffered:
            proxies |= {"nginx": nginx, "nginx, proxy_buffering off": unbuffered}
            jobs: dict[str, tuple[float, Callable[[int], None]]] = {
                f"{mebibytes} MiB down": (mebibytes, lambda port: download(nestor.anchor, port, mebibytes * _MIB)),
                f"{mebibytes} MiB up": (mebibytes, lambda port: upload(nestor.anchor, port, mebibytes * _MIB)),
                f"{requests} small requests": (requests, lambda port: asyncio.run(_ask(nestor, port, requests))),
            }
            return [row for name, (amount, job) in jobs.items() for row in _compare(name, amount, job, proxies, rounds)]


def _compare(
    name: str, amount: float, job: Callable[[int], None], proxies: dict[str, Measured], rounds: int
) -> Iterator[Row]:
    rates: dict[str, list[float]] = {proxy: [] for proxy in proxies}
    growth: dict[str, float] = dict.fromkeys(proxies, 0.0)
    for _ in range(rounds):
        for proxy, measured in proxies.items():
            before, port = measured.memory(), measured.port
            spent = measured.cpu_of(lambda port=port: job(port))  # type: ignore[misc]
            rates[proxy].append(amount / spent)
            growth[proxy] = max(growth[proxy], (measured.memory() - before) / _MIB)
    best = max(statistics.median(rates[proxy]) for proxy in proxies if proxy != "Nestor")
    for proxy, told in rates.items():
        rate = statistics.median(told)
        yield {
            "job": name,
            "proxy": proxy,
            "per CPU second": f"{rate:,.0f} {'MiB' if 'MiB' in name else 'requests'}",
            "of nginx's": f"{rate / best:.2f}",
            "growth, MiB": f"{growth[proxy]:.1f}",
        }


@contextmanager
def _behind(nestor: Nestor, port: int) -> Iterator[None]:
    command = [sys.executable, "-m", "benchmarks.backend", str(port)]
    command += [str(nestor.data / "server-certificate.pem"), str(nestor.data / "server-key.pem")]
    server = subprocess.Popen(command)
    try:
        for _ in range(600):
            try:
                socket.create_connection(("localhost", port), timeout=1).close()
                break
            except OSError:
                asyncio.run(asyncio.sleep(0.05))
        yield
    finally:
        server.kill()
        server.wait(10)


def _session(anchor: Path, port: int) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(anchor)
    return context.wrap_socket(socket.create_connection(("localhost", port)), server_hostname="localhost")


def download(anchor: Path, port: int, size: int) -> None:
    """Fetch a body of so many bytes."""
    with _session(anchor, port) as session:
        session.sendall(b"GET /behind/%d HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % size)
        room, got = bytearray(256 * 1024), 0
        while part := session.recv_into(room):
            got += part
    assert got > size


def upload(anchor: Path, port: int, size: int) -> None:
    """Send a body of so many bytes."""
    piece = bytes(256 * 1024)
    with _session(anchor, port) as session:
        session.sendall(
            b"PUT /behind HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % size
        )
        for _ in range(size // len(piece)):
            session.sendall(piece)
        answer = session.recv(4096)
    assert answer.startswith(b"HTTP/1.1 200"), answer


async def _ask(nestor: Nestor, port: int, requests: int) -> None:
    context = client_context(nestor.anchor)

    async def one() -> None:
        line = await Line.open(context, port)
        for _ in range(requests // _LINES):
            status, body = await line.ask(b"GET /behind/%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % _SMALL)
            assert (status, len(body)) == (200, _SMALL)
        line.close()

    await asyncio.gather(*(one() for _ in range(_LINES)))


def _nginx_version() -> str:
    told = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True)
    return told.stderr.strip().rpartition("/")[2]


if __name__ == "__main__":
    main()
