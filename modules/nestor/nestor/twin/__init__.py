"""The module twin as documents: what may be wished, what is answered. Pure, but for the one file that keeps a document.

settings    what the host says of it, and how often reports are made
"""
