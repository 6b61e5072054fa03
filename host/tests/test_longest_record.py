"""The most shots that 45 minutes hold, from the needle to a record that is proven."""

from pathlib import Path

import pytest

from mesogun.catalog import get_needle, get_syringe
from mesogun.gun import Gun
from mesogun.ports import Simulation
from mesogun.program import Program, plan
from mesogun.program.model import Limits, ShotsStep
from mesogun.records import Store
from mesogun.sync import sync_gun, verify_gun
from mesogun.treatment import Order, Treatment
from mesogun.virtual.gun import VirtualTransport
from mesogun_protocol.enums import EndReason, RecordKind
from mesogun_protocol.limits import SESSION_MAX_NL, SHOTS_MAX
from mesogun_protocol.records import decode_record

_SYRINGES = 2
"""10,800 shots of the smallest dose are 10.8 ml, and a session gives 10 ml at most."""
_DOSE_NL = 1_000
_SHOTS = SHOTS_MAX // _SYRINGES
_LOOK_S = 1.0


def _half() -> Program:
    """Half of 45 minutes of nappage at four shots a second."""
    step = ShotsStep(
        dose_ul=_DOSE_NL / 1000, inject_s=0.05, rate_hz=4, count=_SHOTS, trigger="hold"
    )
    limits = Limits(total_ul=_SHOTS * _DOSE_NL / 1000)
    planned = plan("nappage", syringe="bd-plastipak-10")
    return planned.model_copy(update={"steps": (step,), "limits": limits})


@pytest.mark.req("R10", "R40", "R41")
def test_10800_shots_are_recorded_synced_and_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESOGUN_VIRTUAL_DIR", str(tmp_path / "virtual"))
    program = _half()
    assert _SHOTS * _DOSE_NL <= SESSION_MAX_NL < SHOTS_MAX * _DOSE_NL
    simulation = Simulation(
        get_syringe(program.syringe), get_needle(program.needle), speed=None, auto_trigger=True
    )
    transport = VirtualTransport(simulation.settings())
    with Gun.open(transport) as gun, Store.open(f"sqlite:///{tmp_path}/records.db") as store:
        for number in range(_SYRINGES):
            transport.world.plant.load_syringe()
            treatment = Treatment(gun, store, Order(program, seed=number))
            treatment.prepare()
            result = treatment.run(lambda _: None, _LOOK_S)
            assert (result.ended, result.faults) == (EndReason.COMPLETE, ())
            assert (result.shots_delivered, result.uncertain_shots) == (_SHOTS, 0)
        sync_gun(gun, store)

        proof = verify_gun(gun, store)
        assert proof.breaks == ()
        assert all(report.ok for report in store.verify_all())
        shots = [
            record.body["forward_steps"]
            for session in store.list_sessions()
            for record in map(decode_record, store.session_records(session.id)[1])
            if record.kind is RecordKind.SHOT_RESULT
        ]
        assert len(shots) == SHOTS_MAX
        assert sum(shots) == gun.status().total_forward_steps
