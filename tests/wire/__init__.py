"""A TCP proxy that fails on request: for what stands between the gateway and its parts.

with StandIn() as provider, Wire(provider.port) as wire:     # clients connect to wire.port
    wire.latency = 0.05                                      # seconds, each way, from now on
    wire.rate = 10_000                                       # bytes a second and direction; None: as they come
    wire.cut(after=500)                                      # of each new connection, counted towards the client
    wire.reset()                                             # all that are open, now
    wire.blackhole()                                         # nothing moves, nothing is closed; until restore()
    wire.down()                                              # refuses; until up()
"""

from tests.wire.proxy import Cut, Wire

__all__ = ["Cut", "Wire"]
