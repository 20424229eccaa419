"""The CA: which kinds of certificates there are, and how one is prepared, linted and signed.

The requester never chooses power: names were admitted elsewhere, extensions come from the profile, and nothing leaves
that was not linted first and verified after.
"""
