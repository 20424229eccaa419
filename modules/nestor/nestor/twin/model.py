"""What this module is to IoT Plug and Play: the id of the model that describes its twin and its methods."""

MODEL_ID = "dtmi:nestor:EstModule;1"
"""Announced at every connection; docs/reference has the model of that id."""
