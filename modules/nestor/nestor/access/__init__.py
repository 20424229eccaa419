"""Access: who is asking, may they, how often.

Identity is established anew on every request; what nobody granted is refused, in a sentence that can be
acted on.
"""
