"""Puts the parts of the logic together on a machine, and runs them."""

import gc

from micropython import const

from gun import wire
from gun.config import Config
from gun.controller import Controller
from gun.dose import Doser
from gun.gauge import Gauge
from gun.inputs import Inputs
from gun.journal import Journal
from gun.link import Link
from gun.recorder import Recorder
from gun.requests import VERSION, Requests
from gun.sequencer import Sequencer
from gun.supervisor import Supervisor

try:
    # Written when the firmware is packed for a board.
    from build import BUILD  # pyright: ignore[reportMissingImports]
except ImportError:
    BUILD = 0


# Questions for the state: 7 KB of the 35 KB that are free after a start. A shot takes none.
_REQUESTS = const(32)
# Longer than a collection takes with the passes of the loop around it.
_COLLECT_MS = const(30)


class App:
    """One gun."""

    def __init__(self, machine):
        self._machine = machine
        machine.pulse.disable()
        config = Config(machine.flash)
        journal = Journal(machine.flash)
        journal.open()
        gauge = Gauge(machine)
        recorder = Recorder(machine, journal, VERSION, BUILD, gauge)
        inputs = Inputs(machine)
        inputs.debounce_ms = config.get(wire.CONFIG_DEBOUNCE_MS)
        doser = Doser()
        supervisor = Supervisor(machine, inputs, gauge)
        sequencer = Sequencer(machine, recorder, inputs, doser, config)
        self._controller = Controller(
            machine, recorder, journal, config, inputs, supervisor, sequencer, doser, gauge
        )
        self._link = Link(machine.serial, Requests(self._controller, BUILD))
        recorder.connect(self._link.event)
        machine.pulse.read()
        self._controller.boot()

    def run(self):
        """Sleep, look, act, for ever. An exception stops motion; the loop goes on to tell it."""
        machine = self._machine
        controller = self._controller
        link = self._link
        while True:
            machine.wait(controller.deadline_ms())
            try:
                link.heard = False
                link.listen()
                # However much has arrived, what is due waits for one frame and no longer.
                while link.poll():
                    controller.tick(link.heard)
                controller.tick(link.heard)
                self._collect()
            except Exception as error:  # noqa: BLE001 (whatever it is, motion must end)
                controller.collapse(error)

    def _collect(self):
        """Collect garbage where nobody waits for a look: in a rest, never while a shot moves.

        A collection takes 20 ms, and then a released trigger would be seen too late (R13).
        """
        link = self._link
        if link.handled >= _REQUESTS and self._controller.sequencer.rest_ms() >= _COLLECT_MS:
            link.handled = 0
            gc.collect()
