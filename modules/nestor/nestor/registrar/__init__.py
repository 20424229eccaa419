"""The desk: the only place where the order of an enrollment is written.

It orders steps and nothing else: an `if` about certificates belongs to `ca`, about people to `access`.
"""
