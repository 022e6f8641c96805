"""The names of backends."""

from tests.oracle import same, same_error


def test_names():
    def run(torch):
        made = torch.distributed.Backend
        names = [made(name) for name in ("GLOO", "Nccl", "one of mine", made.MPI)]
        # others in this process may have registered more with torch
        known = [name in made.backend_list for name in ("undefined", "gloo", "nccl", "ucc", "mpi", "none")]
        homes = made.backend_capability["gloo"], made.default_device_backend_map["cuda"]
        return names, [type(name).__name__ for name in names], made.UNDEFINED, made.FAKE, known, homes

    same(run)
    same_error(lambda torch: torch.distributed.Backend(3))
