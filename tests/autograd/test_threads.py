"""Several threads run backward into the same leaves: no gradient is lost, and no array that another thread needs."""

import sys
import threading

import pytest

from tests.oracle import same


@pytest.fixture
def restless():
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_gradients_of_all_threads_are_added_up(restless):
    def added(torch):
        weight, bias = torch.ones(3, requires_grad=True), torch.zeros(3, requires_grad=True)
        start, failed = threading.Barrier(3), []

        def work(number):
            try:
                start.wait()
                for _ in range(15):
                    (weight * number + bias).sum().backward()
            except Exception as error:
                failed.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed
        return weight.grad, bias.grad

    for _ in range(3):
        same(added)
