"""Plans the shots of a JSON list on MicroPython and writes their words as JSON."""
# pyright: reportMissingImports=false

import json
import sys

from gun.motion import Block, Timing


def _plan(timing_arguments, shot):
    timing = Timing()
    timing.set(*timing_arguments)
    block = Block()
    block.plan(timing, *shot)
    return [list(block.words)[: block.count], block.motion_us, block.block_us]


_shots = json.loads(sys.stdin.readline())
sys.stdout.write(json.dumps([_plan(*shot) for shot in _shots]))
