"""The doctor: asks a running EST server the way aziot-certd would, and explains what it finds.

`wire.py` alone touches the network and tells what it saw as frozen values; every judgement is a pure function from such
values to findings; `visit.py` knows the order. What aziot-certd takes is written in `reading.py`, what it asks for in
`requests.py`. No secret is sent to a server whose certificate was not verified, and nothing is issued unless told so.
"""
