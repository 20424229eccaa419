"""The module twin as documents: what may be wished, what is answered, what is reported. Pure.

settings      what the host says of it, and how often reports are made
form          whether a wish has the form of a twin at all
secrets       what looks like a secret, and has no place in a twin
kept          the last good wish, as it is kept over restarts
acknowledge   what is answered to a wish, property by property
legal         what edgeHub takes, by construction
reported      the reported document: acknowledgements and status, under 8 KB whatever happens
patching      only what changed, and what a patch without an answer leaves in doubt
model         what it is to IoT Plug and Play
"""
