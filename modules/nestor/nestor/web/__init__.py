"""The front door: TLS, HTTP, and the EST paths. What is asked here is decided elsewhere.

listener     accepts connections and looks whose time is over
             `binding` opens its sockets, `places` decides whom it serves, `failures` tells of handshakes that failed
connection   how far a connection has come, and how it ends
transport    TLS on a connection, as asyncio and aiohttp want it; `tls` makes its contexts
site         HTTP in, HTTP out; `credentials` reads who they say they are, `problems` tells them what went wrong
settings     what the document says of all this
"""
