"""Upstream: an EST client (RFC 7030) for whatever EST server stands above, another Nestor or anybody's.

No byte of an answer is believed, and no credential leaves, before the server's certificate has been verified; the one
exception fetches CA certificates that a fingerprint then proves. Every failure is a sentence.
"""
