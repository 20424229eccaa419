"""Five layers on one machine, each of which reaches its parent alone, and the story of a device at the bottom.

`make layers` tells it; tests/layers/test_story.py holds it to what it promises. It needs root and iproute2.

ground      the layers as network namespaces; links that break
site        a Nestor on each layer, as its operator runs it
styles      what their settings say: by forwarding, or with a CA per layer
device      the device at the bottom, by the command line that people have
story       what happens, one thing after the other
transcript  how it is told
"""
