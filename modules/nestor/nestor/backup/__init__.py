"""Backups: one encrypted file from which a data directory comes back, whole or not at all.

What belongs into one is decided in `app`; here is what the file looks like, how it is sealed, and how a new state takes
the place of an old one.
"""
