"""Measurements, never tests: what an operation costs the server, beside a bare handshake of openssl in the same run.

__main__     the parts of `make bench`: `enrollments`, `idle`, `growth`
herd         a whole plant at once; `factory`, what a factory waits for; both on their own
load, lines  the client side: what is asked, and the connections on which it is
processes    the servers that are measured
"""
