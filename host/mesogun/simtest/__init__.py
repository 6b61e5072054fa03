"""The simulated world that tries to break the record, from a seed.

Host, cable, gun with its real firmware, plant and people form one deterministic world, in which
time moves only while the host waits. `draw` says what happens in it, `stage`, `process` and
`person` let it happen, `witness` and `check` judge it by the `rules`, `seeds` runs many of them.
"""
