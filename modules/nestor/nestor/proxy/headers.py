"""Header fields across a hop: what is taken off, what is set. Pure; names are compared without regard to case.

What belongs to one connection ends with it (RFC 9110, 7.6.1). What says who is asking is taken off whatever comes from
outside, and set anew where the route says so: nobody above has to ask who wrote it.
"""

from collections.abc import Iterable, Iterator
from urllib.parse import quote, urlsplit

from nestor.proxy.routing import Headers

MOST_HOPS = 8
"""Proxies of this kind on one way; more are a circle."""

_VIA = b"1.1 nestor"
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "last")
_OF_THE_CONNECTION = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})
_IDENTITY = frozenset({b"x-ms-edge-clientcert", b"x-arr-clientcert", b"forwarded", b"x-real-ip", b"x-client-ip"})
_IDENTITY_PREFIXES = (
    b"x-forwarded-",
    b"nestor-",
    b"client-cert",  # RFC 9440
    # What proxies of other makers write the certificate of their client into, or parts of it.
    b"x-client-cert",
    b"x-clientcert",
    b"x-client-dn",
    b"ssl-cert",
    b"ssl-client-",
    b"x-ssl-",
    b"tls-client-",
    b"x-tls-client-",
    b"x-amzn-mtls-",
)
_NO_TRAILERS = (
    _OF_THE_CONNECTION
    | _FRAMING
    | frozenset(
        b"host max-forwards via expect range if-match if-none-match if-modified-since if-unmodified-since if-range "
        b"pragma authorization www-authenticate cookie set-cookie age cache-control expires date location retry-after "
        b"vary warning content-encoding content-type content-range content-location".split()
    )
)
"""What decides how a message is read, led on or believed comes before its body (RFC 9110, 6.5.1)."""

_ADDRESSES = frozenset({b"location", b"content-location"})


def values(headers: Headers, name: bytes) -> list[bytes]:
    """Every value of a field, in their order."""
    return [value for key, value in headers if key.lower() == name]


def named_in_connection(headers: Headers) -> frozenset[bytes]:
    """The fields that the other end declares to be of this connection only, `connection` and its kin included."""
    named = (word.strip().lower() for value in values(headers, b"connection") for word in value.split(b","))
    return _OF_THE_CONNECTION | frozenset(named)


def tells_identity(name: bytes) -> bool:
    """Whether a field says who is asking; an underscore passes for a hyphen with some who read it."""
    plain = name.lower().replace(b"_", b"-")
    return plain in _IDENTITY or plain.startswith(_IDENTITY_PREFIXES)


def hops(headers: Headers) -> int:
    """How many proxies of this kind a request has passed."""
    return sum(via.strip() == _VIA for value in values(headers, b"via") for via in value.split(b","))


def whose(headers: Headers) -> str:
    """Who speaks, where an error is answered: that Nestor whose it is, as whoever asks may count them, without a name.

    Whoever asks may be a stranger, to this server or to one below; a name would tell how the plant is laid out.
    """
    return f"the {_ORDINALS[min(hops(headers), MOST_HOPS)]} Nestor on the way"


def upward(headers: Headers, *, host: bytes, more: Headers = ()) -> Iterator[tuple[bytes, bytes]]:
    """The fields of a request for the next hop, without its framing; `host` and `more` are ours."""
    dropped = named_in_connection(headers) | {b"host", b"content-length", *(name.lower() for name, _ in more)}
    yield b"Host", host
    for name, value in headers:
        if name.lower() not in dropped and not tells_identity(name):
            yield name, value
    yield b"Via", _VIA
    yield from more


def downward(headers: Headers, *, target: str, asked: str) -> Iterator[tuple[bytes, bytes]]:
    """The fields of an answer for the client, without its framing.

    Where they name the target, they come to name what the client asked: it may not reach the target by itself.
    """
    dropped = named_in_connection(headers) | {b"content-length"}
    for name, value in headers:
        plain = name.lower()
        if plain in dropped:
            continue
        if plain in _ADDRESSES:
            yield name, _readdressed(value, target, asked)
        elif plain == b"www-authenticate" and asked:
            yield name, value.replace(f'realm="https://{target}/'.encode(), f'realm="https://{asked}/'.encode())
        else:
            yield name, value


def trailing(fields: Headers, head: Headers) -> Iterator[tuple[bytes, bytes]]:
    """Those fields of the trailer section of a message that may go further (RFC 9110, 6.5.1)."""
    own = named_in_connection(head)
    return ((name, value) for name, value in fields if name.lower() not in own and _may_trail(name))


def announcing(headers: Headers) -> Iterator[tuple[bytes, bytes]]:
    """The field that says which trailers follow (RFC 9110, 6.6.2), without those that go no further."""
    own = named_in_connection(headers)
    names = [word.strip() for value in values(headers, b"trailer") for word in value.split(b",")]
    kept = [name for name in names if name and name.lower() not in own and _may_trail(name)]
    if kept:
        yield b"Trailer", b", ".join(kept)


def takes_trailers(headers: Headers) -> bool:
    """Whether whoever asks wants the trailers of the answer (RFC 9110, 10.1.4)."""
    return any(word.strip().lower() == b"trailers" for value in values(headers, b"te") for word in value.split(b","))


def _may_trail(name: bytes) -> bool:
    return name.lower() not in _NO_TRAILERS and not tells_identity(name)


def written(first: bytes, fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A head as bytes: its first line, its fields, the empty line."""
    return b"\r\n".join([first, *(name + b": " + value for name, value in fields), b"", b""])


def escaped(pem: str) -> bytes:
    """A certificate as edgeHub reads it in x-ms-edge-clientcert: PEM, URL-escaped."""
    return quote(pem, safe="").encode()


def _readdressed(value: bytes, target: str, asked: str) -> bytes:
    """An address that names the target, by the name that the client knows."""
    text = value.decode("latin-1")
    try:
        parts = urlsplit(text)
        same = parts.scheme.lower() == "https" and _same_host(parts.netloc, target)
    except ValueError:
        return value
    return parts._replace(netloc=asked).geturl().encode("latin-1") if asked and same else value


def _same_host(one: str, other: str) -> bool:
    return one.lower().removesuffix(":443") == other.lower().removesuffix(":443")
