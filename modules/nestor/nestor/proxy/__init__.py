"""The API proxy: carries the HTTPS traffic of a layer that is no enrollment to the right neighbor, and stores nothing.

A table of routes says what goes where (`routing`); what no route takes is not carried. Header fields are taken off and
put on by pure functions (`headers`), answers are read by a strict reader (`message`). One request on its way is an
`exchange`; the connections upward are `line`, `dialing` and `pool`. Who asks is a `caller`, and nothing more is known.
"""
