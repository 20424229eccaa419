"""What the document says of the log."""

from enum import StrEnum

from nestor.document import Document, described


class LogFormat(StrEnum):
    """How a line of the log is written."""

    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    """From which weight on a line is written."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogSettings(Document):
    """The log on standard output: one line per event, for people or for machines."""

    format: LogFormat = described(
        "text for people, or json: one object per line.", default=LogFormat.TEXT, strict=False
    )
    level: LogLevel = described("From which weight on: info, warning or error.", default=LogLevel.INFO, strict=False)
