"""How this room says what it found: the place in the file first, then what is wrong there. Pure."""

from nestor.finding import Finding, Gravity


def problem(at: str, sentence: str, remedy: str) -> Finding:
    """Something that will not work; `at` is a dotted path in the file, or a path on disk."""
    return Finding(Gravity.PROBLEM, at, f"{at}: {sentence}", remedy)


def warning(at: str, sentence: str, remedy: str) -> Finding:
    """Something that works, and not as one would think."""
    return Finding(Gravity.WARNING, at, f"{at}: {sentence}", remedy)
