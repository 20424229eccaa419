"""What this server has from the one above it: a client certificate of its own, and perhaps the CA of its layer.

Both are enrolled by EST and renewed by themselves, each time with a new key. The CA's key never does TLS.
"""
