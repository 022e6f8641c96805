"""torch.futures beside torch's own."""

import threading

import pytest
import torch

import jtorch
from tests.oracle import same_error


def told(torch):
    """What one side's Futures tell, in order."""
    Future, said = torch.futures.Future, []
    one, two, three = Future(), Future(), Future()
    said.append(one.done())
    after, wrong = one.then(lambda f: f.value() + 1), one.then(lambda f: 1 / 0)
    one.add_done_callback(lambda f: said.append(("called with", f.value())))
    one.set_result(3)
    one.add_done_callback(lambda f: said.append(("called again with", f.wait())))
    said.append((one.wait(), one.value(), one.done(), after.wait(), isinstance(one, torch.Future)))
    two.set_exception(ValueError("of two"))
    for future in (two, wrong):
        try:
            future.wait()
        except Exception as error:
            said.append([words in str(error) for words in ("of two", "division by zero")])
    both = torch.futures.collect_all([one, three])
    said.append(both.done())
    three.set_result("three")
    said.append(([f.value() for f in both.wait()], torch.futures.wait_all([one, after])))
    return [*said, torch.futures.collect_all([]).wait()]


def test_results_errors_and_callbacks():
    assert told(torch) == told(jtorch)


def test_errors():
    def twice(torch):
        future = torch.futures.Future()
        future.set_result(1)
        future.set_result(2)

    same_error(twice)
    same_error(lambda torch: torch.futures.Future().set_exception(3))
    with pytest.raises(RuntimeError):
        jtorch.futures.Future().value()


def test_waiting_in_another_thread():
    future, got = jtorch.futures.Future(), []
    thread = threading.Thread(target=lambda: got.append(future.wait()))
    thread.start()
    future.set_result("there")
    thread.join(5)
    assert got == ["there"]
