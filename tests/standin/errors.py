"""What the stand-in cannot do, told as a sentence."""


class StandInError(Exception):
    """A sentence for whoever uses the stand-in."""
