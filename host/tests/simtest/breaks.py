"""Deliberate defects of firmware and host, each with the rule that it breaks."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from mesogun.gun import Gun
from mesogun.gun.doubt import Doubt
from mesogun.link import session
from mesogun.records import Store, verify
from mesogun.simtest.rules import Rule
from mesogun.sync import Collector


@dataclass(frozen=True)
class FirmwareBreak:
    """A defect put into a copy of the firmware.

    Attributes:
        edits: file, what stands there exactly once, what stands there instead.
        first: seed to begin at, not far before one that finds it, to spare time.
    """

    name: str
    rule: Rule
    edits: tuple[tuple[str, str, str], ...]
    first: int = 0


@dataclass(frozen=True)
class HostBreak:
    """A defect put into the host while a test runs; `first` as above."""

    name: str
    rule: Rule
    put_in: Callable[[pytest.MonkeyPatch], None]
    first: int = 0


_INTENT = "        self._recorder.intent(slot)\n        if self._took_up:"

IN_FIRMWARE = (
    FirmwareBreak(
        "torn-pages-are-not-found",
        # What such a page tells is refused by the host, again and again.
        Rule.ENDS,
        (
            (
                "gun/journal.py",
                "                if _is_sound(seen):\n                    buf",
                "                if True:\n                    buf",
            ),
        ),
    ),
    FirmwareBreak(
        "boot-numbers-come-again",
        Rule.EXACTLY_ONCE,
        (("gun/journal.py", "self.boot_id = boot_id % 0xFFFF + 1", "self.boot_id = boot_id"),),
    ),
    FirmwareBreak(
        "intent-is-skipped",
        Rule.BOUNDED,
        (
            (
                "gun/recorder.py",
                "    def intent(self, slot):\n",
                "    def intent(self, slot):\n        return\n",
            ),
        ),
    ),
    FirmwareBreak(
        "result-before-motion",
        Rule.BOUNDED,
        (
            (
                "gun/sequencer.py",
                _INTENT,
                _INTENT.replace(
                    "\n",
                    "\n        self._recorder.result(slot, slot.forward_steps, slot.retract_steps, "
                    "1, 0)\n",
                    1,
                ),
            ),
        ),
    ),
    FirmwareBreak(
        "prime-without-press",
        Rule.ASKED,
        (("gun/prime.py", "return self._inputs.presses != self._presses", "return True"),),
    ),
    FirmwareBreak(
        "pause-is-passed-over",
        Rule.ASKED,
        (
            (
                "gun/sequencer.py",
                "        if self._purpose == wire.STEP_PAUSE:\n            self.state = PAUSED\n",
                "        if self._purpose == wire.STEP_PAUSE:\n            self._next_step()\n",
            ),
        ),
    ),
    FirmwareBreak(
        "requests-are-carried-out-again",
        Rule.ONE_DOSE,
        (
            ("gun/link.py", "if request and self._cache_request[slot] == request:", "if False:"),
            (
                "gun/link.py",
                "if not 0 < (request - self._newest) & 0xFFFF < _HALF:",
                "if False:",
            ),
        ),
        first=320,
    ),
    FirmwareBreak(
        "no-step-budget",
        Rule.WITHIN,
        (
            (
                "gun/controller.py",
                "budget_steps(self._forward_steps(program))",
                "0x3FFFFFFF",
            ),
        ),
    ),
    FirmwareBreak(
        "limits-are-not-checked",
        Rule.WITHIN,
        (("gun/program.py", "    if value > maximum:\n", "    if False:\n"),),
    ),
    FirmwareBreak(
        "driver-stays-on-after-a-fault",
        Rule.FAULT_OFF,
        (
            (
                "gun/controller.py",
                "        self._switch_off()\n        self._prime.forget()",
                "        self._prime.forget()",
            ),
        ),
    ),
    FirmwareBreak(
        "lost-host-is-not-missed",
        Rule.FAULT_OFF,
        (("gun/supervisor.py", "if self._host_paced and now_ms", "if False and now_ms"),),
        first=80,
    ),
    FirmwareBreak(
        "driver-comes-on-at-boot",
        Rule.AT_REST,
        (
            (
                "gun/controller.py",
                "        try:\n            self.recorder.boot()\n",
                "        if self.machine.reset_cause == wire.RESET_WATCHDOG:\n"
                "            self.machine.pulse.enable(1000)\n"
                "        try:\n            self.recorder.boot()\n",
            ),
        ),
    ),
    FirmwareBreak(
        "steps-are-counted-wrong",
        Rule.COUNTED,
        (
            (
                "gun/requests.py",
                "            pulse.forward_steps,\n",
                "            pulse.forward_steps * 99 // 100,\n",
            ),
        ),
    ),
    FirmwareBreak(
        "last-shot-is-left-out",
        Rule.DELIVERED,
        (
            (
                "gun/sequencer.py",
                "elif self.consumed >= self._step.count:",
                "elif self.consumed >= max(self._step.count - 1, 1):",
            ),
        ),
    ),
    FirmwareBreak(
        "pause-never-returns",
        Rule.ENDS,
        (
            (
                "gun/controller.py",
                "        self._only_in((wire.STATE_RUNNING,))\n",
                "        while True:\n            self.machine.pulse.abort()\n",
            ),
        ),
    ),
)


def _send_dose_commands_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(session, "NEVER_RESENT", frozenset())


def _settle_doubts_as_not_done(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Doubt, "carried_out", lambda _self, _now: False)


def _deliver_in_doubt(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Gun, "_require_settled", lambda _self: None)


def _store_all_but_the_last(patch: pytest.MonkeyPatch) -> None:
    whole = Store.ingest

    def ingest(self: Store, board_id: str, raw_records: list[bytes]):
        return whole(self, board_id, raw_records[:-1])

    patch.setattr(Store, "ingest", ingest)


def _acknowledge_first(patch: pytest.MonkeyPatch) -> None:
    whole = Collector.collect

    def collect(self: Collector) -> None:
        self._gun.acknowledge(self._gun.status().journal_next)
        whole(self)

    patch.setattr(Collector, "collect", collect)


def _verify_no_seals(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(verify, "seal_problems", lambda _material: iter(()))


IN_HOST = (
    HostBreak("dose-commands-are-sent-again", Rule.ONE_DOSE, _send_dose_commands_again),
    HostBreak("doubts-are-settled-as-not-done", Rule.SETTLED, _settle_doubts_as_not_done, 130),
    HostBreak("a-doubt-does-not-block", Rule.SETTLED, _deliver_in_doubt),
    HostBreak("the-last-record-is-not-stored", Rule.EXACTLY_ONCE, _store_all_but_the_last),
    HostBreak("records-are-acknowledged-first", Rule.EXACTLY_ONCE, _acknowledge_first),
    HostBreak("seals-are-not-verified", Rule.VERIFIED, _verify_no_seals),
)
