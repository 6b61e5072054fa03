"""The host side of mesogun: plan a mesotherapy treatment, run it on a gun, keep its record.

Start at `mesogun.ports.open_port`, `mesogun.gun.Gun` and `mesogun.treatment.Treatment`; the command
line in `mesogun.cli` is made of nothing else.
"""
