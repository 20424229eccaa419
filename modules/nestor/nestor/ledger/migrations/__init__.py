"""How a ledger of any age becomes one of today; every change of `schema.py` is a revision here.

Revisions are numbered 0001, 0002, ..., never edited once released, and never lose a row.
"""
