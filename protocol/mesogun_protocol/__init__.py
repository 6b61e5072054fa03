"""What is on the wire between a mesogun host and a mesogun, defined once.

`enums`, `limits` and `pulse` hold ids, bounds and the pulse words; `messages` the layout of every
message; `frame` turns messages into bytes and back; `schema` reads the layouts for the generators.
"""
