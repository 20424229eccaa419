"""What the document says of the log."""

from enum import StrEnum

from nestor.document import Document, described


class LogFormat(StrEnum):
    """How a line of the log is written."""

    TEXT = "text"
    RUNTIME = "runtime"
    JSON = "json"


class LogLevel(StrEnum):
    """From which weight on a line is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    FATAL = "fatal"


class LogSettings(Document):
    """The log on standard output: one line per event, for people or for machines."""

    format: LogFormat = described(
        "text for people; runtime: as the modules of IoT Edge write it, and the default there; json: an object a line.",
        default=LogFormat.TEXT,
        strict=False,
    )
    level: LogLevel = described(
        "From which weight on. debug adds every request that was answered, and what libraries warn of.",
        default=LogLevel.INFO,
        strict=False,
    )
