"""Tests of the test run itself, where a mistake would hide failures: guests that die, kernels that cannot be fetched, the
table of results. Part of the unit layer; nothing here boots."""

import pathlib
import tempfile
import traceback
import types

import guest_kernel
import guest_lane
import live_format
from guest import GuestDied
from guest_agent import frame, unframe
from harness import FAILED, HERE, PASSED, SKIPPED, Outcome, Report

NOBODY_LISTENS = "http://127.0.0.1:9"


class FakeGuest:
    """A guest that dies when it boots or when it runs a test, as told by `kills`: what has so many lives left to take."""

    def __init__(self, kills: dict[str, int]) -> None:
        self._kills = kills

    def _live_through(self, what: str) -> None:
        if self._kills.get(what, 0) > 0:
            self._kills[what] -= 1
            raise GuestDied(f"killed by {what}")

    def wait_ready(self) -> None:
        self._live_through("boot")

    def run(self, request: dict, _seconds: float) -> dict:
        self._live_through(request["test"])
        return {"status": FAILED if request["test"] == "wrong" else PASSED, "detail": "", "seconds": 0.1}

    def warnings(self) -> str:
        return ""

    def close(self) -> None:
        pass


def lane(names: list[str], kills: dict[str, int]) -> tuple[dict[str, Outcome], int]:
    """The outcomes of these tests, and how many guests it took."""
    boots = []

    def boot(_options: str) -> FakeGuest:
        boots.append(1)
        return FakeGuest(kills)

    kernel = types.SimpleNamespace(name="6.1", release="6.1.0")
    ours = guest_lane.Lane(kernel, boot, {"patience": 1.0})
    tests = {name: live_format.LiveTest("x:1", {"test": name}) for name in names}
    outcomes = list(ours.run(tests, ""))
    assert [outcome.name for outcome in outcomes] == names, outcomes
    return {outcome.name: outcome for outcome in outcomes}, len(boots)


def a_guest_that_lives_runs_all():
    found, boots = lane(["a", "wrong", "b"], {})
    assert [found[name].status for name in ("a", "wrong", "b")] == [PASSED, FAILED, PASSED]
    assert boots == 1 and not any(outcome.again for outcome in found.values())


def a_test_whose_guest_died_runs_again_in_a_fresh_boot():
    found, boots = lane(["a", "b", "wrong", "c"], {"b": 1, "wrong": 1})
    assert found["b"].status == PASSED and found["b"].again and not found["a"].again and not found["c"].again
    assert found["wrong"].status == FAILED and boots == 3


def a_test_that_kills_two_guests_fails_and_the_rest_goes_on():
    found, boots = lane(["a", "b", "c"], {"b": 2})
    assert found["b"].status == FAILED and "two guests died of it" in found["b"].detail
    assert found["a"].status == found["c"].status == PASSED and boots == 3


def a_kernel_that_dies_at_boot_boots_again():
    found, boots = lane(["a"], {"boot": 2})
    assert found["a"].status == PASSED and boots == 3


def a_kernel_that_never_comes_up_fails_every_test():
    found, boots = lane(["a", "b"], {"boot": 99})
    assert {outcome.status for outcome in found.values()} == {FAILED} and boots == guest_lane.BOOTS
    assert "did not come up" in found["b"].detail


def a_kernel_that_dies_all_the_time_is_given_up():
    names = [str(number) for number in range(20)]
    found, boots = lane(names, dict.fromkeys(names, 2))
    assert {outcome.status for outcome in found.values()} == {FAILED} and boots <= guest_lane.MAX_DEATHS
    assert "not run" in found["19"].detail


def without_network_a_kernel_is_a_failure():
    with tempfile.TemporaryDirectory() as folder:
        outcomes = list(guest_lane.outcomes(["6.1"], pathlib.Path(folder), "", mirror=NOBODY_LISTENS))
        assert not (pathlib.Path(folder) / "guest" / "linux-6.1").exists()
    assert [outcome.status for outcome in outcomes] == [FAILED], outcomes
    assert "cannot fetch kernel 6.1" in outcomes[0].detail and "--kernel this" in outcomes[0].detail, outcomes[0].detail


def a_kernel_that_is_not_whole_is_not_taken():
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "linux-6.1").mkdir()
        try:
            guest_kernel.fetch("6.1", pathlib.Path(folder), NOBODY_LISTENS)
        except guest_kernel.KernelError as error:
            assert "remove it" in str(error)
        else:
            raise AssertionError("taken")


def lines_of_the_serial_port_are_checked():
    line = frame({"status": PASSED, "detail": "ä\n"})
    assert unframe(line) == {"status": PASSED, "detail": "ä\n"}
    assert unframe(line.replace(PASSED, FAILED)) is None and unframe(line[:-4] + "\n") is None and unframe("Linux\n") is None


def the_table_shows_every_kernel():
    report = Report()
    report.outcomes = [Outcome("live/a: x", PASSED), Outcome("live/a: x", PASSED, kernel="6.1"), Outcome("live/a: y", SKIPPED),
                       Outcome("live/a: y", PASSED, kernel="6.1", again=True), Outcome("live/b: z", FAILED, kernel="7")]
    rows = [line.split("  ") for line in report.table()]
    rows = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert rows[0] == ["6.1", f"{HERE} here", "7"], rows
    assert ["live/a: y", "ok (2nd boot)", "skip", "-"] in rows and ["live/b: z", "-", "-", "FAILED"] in rows, rows


CHECKS = [
    a_guest_that_lives_runs_all,
    a_test_whose_guest_died_runs_again_in_a_fresh_boot,
    a_test_that_kills_two_guests_fails_and_the_rest_goes_on,
    a_kernel_that_dies_at_boot_boots_again,
    a_kernel_that_never_comes_up_fails_every_test,
    a_kernel_that_dies_all_the_time_is_given_up,
    without_network_a_kernel_is_a_failure,
    a_kernel_that_is_not_whole_is_not_taken,
    lines_of_the_serial_port_are_checked,
    the_table_shows_every_kernel,
]


def outcomes(only: str):
    """One outcome per check."""
    for check in CHECKS:
        name = f"unit/tests: {check.__name__.replace('_', ' ')}"
        if only not in name:
            continue
        try:
            check()
            yield Outcome(name, PASSED)
        except Exception:
            yield Outcome(name, FAILED, traceback.format_exc())
