"""Measurements, never tests: server CPU per operation, as a ratio to a bare handshake of openssl in the same run."""
