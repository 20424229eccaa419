"""What the document says of the ledger."""

from nestor.document import Document, described


class LedgerSettings(Document):
    """What was issued, in `ledger.db` in the data directory."""

    kept_refusals: int = described("How many refused requests are kept, the newest ones.", default=10_000, ge=0)
