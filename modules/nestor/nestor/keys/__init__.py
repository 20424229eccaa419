"""Keys: where private keys live, and how they come to be.

Every key that leaves this room is a private-key object of `cryptography`; no other room reads or writes key files.
"""
