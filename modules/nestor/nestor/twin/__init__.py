"""The module twin as documents: what may be wished, what is answered. Pure, but for the one file that keeps a document.

settings    what the host says of it, and how often reports are made
legal       what edgeHub takes, by construction
reported    the reported document: acknowledgements and status, under 8 KB whatever happens
patching    only what changed, and what a patch without an answer leaves in doubt
"""
