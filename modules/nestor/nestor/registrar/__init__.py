"""The desk and the counter: the only places where the order of an enrollment is written, for devices and the operator.

They order steps and nothing else: an `if` about certificates belongs to `ca`, about people to `access`.
"""
