import itertools

from hypothesis import given
from hypothesis import strategies as st

from mesogun.emulated.motion import LONGEST_STEP_NS, Motion, Step

gaps = st.lists(
    st.tuples(st.sampled_from([200_000, 361_000, 5_000_000, 40_000_000]), st.booleans()),
    min_size=1,
    max_size=60,
)


@given(gaps, st.integers(1, 7))
def test_runs_are_the_steps_in_order_and_never_overlap(
    gaps: list[tuple[int, bool]], looks: int
) -> None:
    motion, steps, runs = Motion(), [], []
    ns = 0
    for index, (gap_ns, forward) in enumerate(gaps):
        ns += gap_ns
        steps.append(Step(ns, forward, True))
        motion.add(steps[-1])
        if index % looks == 0:
            now_ns = ns + 100_000
            runs += motion.until(now_ns)
            assert all(run.end_ns <= now_ns for run in runs)
    runs += motion.until(ns + LONGEST_STEP_NS)
    assert motion.pending_ns is None
    seen = [(edge_ns, run.forward) for run in runs for edge_ns in run.edges()]
    assert seen == [(step.ns, step.forward) for step in steps]
    for before, after in itertools.pairwise(runs):
        assert before.end_ns <= after.start_ns


def test_a_train_at_one_speed_is_one_run() -> None:
    motion = Motion()
    for index in range(1000):
        motion.add(Step(1_000_000 + index * 400_000, True, True))
    (run,) = motion.until(1_000_000 + 1000 * 400_000)
    assert (run.pulses, run.start_ns, run.end_ns) == (1000, 1_000_000, 401_000_000)
