"""torch.Stream and torch.Event on the CPU beside torch's."""

import torch

import jtorch
from tests.oracle import same_error


def told(torch):
    """What one side's streams and events say of themselves."""
    stream, event = torch.Stream(), torch.Event("cpu", enable_timing=True)
    stream.synchronize(), event.synchronize(), stream.wait_event(event)
    with stream:
        kinds = isinstance(stream, torch.Stream), isinstance(event, torch.Event)
    same = torch.Stream("cpu", priority=1) == stream, hash(stream) == hash(torch.Stream())
    known = stream.query(), str(stream.device), stream.device_index, stream.device_type, stream.stream_id
    return (
        repr(stream),
        repr(event),
        repr(torch.Stream(device="meta")),
        kinds,
        same,
        known,
        event.query(),
        event.event_id,
    )


def test_streams_and_events():
    assert told(torch) == told(jtorch)
    for call in (
        lambda t: t.Stream().record_event(),
        lambda t: t.Stream().wait_stream(t.Stream()),
        lambda t: t.Event().record(),
        lambda t: t.Event("cpu", enable_timing=True).elapsed_time(t.Event()),
    ):
        same_error(call)
    assert issubclass(jtorch.cuda.Stream, jtorch.Stream) and issubclass(jtorch.cuda.Event, jtorch.Event)
