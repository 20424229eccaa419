"""EST as pure functions (RFC 7030, 8951, 9908): bytes to values and back, for server and client alike.

No network, no clock, no settings, no policy. Whatever cannot be read is Malformed, with a sentence that says why.
"""
