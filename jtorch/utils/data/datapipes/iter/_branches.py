"""The streams that a fork or a demultiplexer makes of one, and the container that they share."""

import copy
import warnings
from collections import deque

from jtorch.utils.data.datapipes.datapipe import IterDataPipe
from jtorch.utils.data.datapipes.utils.common import StreamWrapper


def _no_op(x):
    return x


_COPIES = {None: _no_op, "shallow": copy.copy, "deep": copy.deepcopy}


class _Container(IterDataPipe):
    """What the streams of one pipe share: an iterator over it, and what some of them have still to take."""

    name: str
    kept: tuple[str, ...]  # the attributes that are pickled

    def __init__(self, datapipe, num_instances, buffer_size):
        self.main_datapipe = datapipe
        self.num_instances = num_instances
        self.buffer_size = buffer_size
        if buffer_size < 0:
            warnings.warn(
                f"Unlimited buffer size is set for `{self.name}`, please be aware of OOM at random places",
                UserWarning,
                stacklevel=4,
            )
        self._clear()

    def _clear(self):
        self._datapipe_iterator = None
        self._child_stop = [True] * self.num_instances

    def reset(self):
        """Begin anew for all streams."""
        self._clear()

    def _samples(self, instance_id):
        raise NotImplementedError

    def _cleanup(self, instance_id):
        raise NotImplementedError

    def get_next_element_by_instance(self, instance_id: int):
        """The samples of one of the streams. The first one that asks begins a pass for all."""
        if self._datapipe_iterator is None and self._child_stop[instance_id]:
            self._datapipe_iterator = iter(self.main_datapipe)
            self._began()
            self._child_stop = [False] * self.num_instances
        try:
            yield from self._samples(instance_id)
        finally:
            self._child_stop[instance_id] = True
            if all(self._child_stop):
                self._datapipe_iterator = None
            self._cleanup(instance_id)

    def _began(self):
        """What is set when a pass begins."""

    def __getstate__(self):
        state = tuple(getattr(self, name) for name in (*self.kept, "_valid_iterator_id", "_number_of_samples_yielded"))
        hook = IterDataPipe.getstate_hook
        return state if hook is None else hook(state)

    def __setstate__(self, state):
        for name, value in zip((*self.kept, "_valid_iterator_id", "_number_of_samples_yielded"), state, strict=True):
            setattr(self, name, value)
        self._clear()


class _ForkerIterDataPipe(_Container):
    name = "fork"
    kept = ("main_datapipe", "num_instances", "buffer_size", "copy_fn")

    def __init__(self, datapipe, num_instances, buffer_size=1000, copy=None):
        super().__init__(datapipe, num_instances, buffer_size)
        if copy not in _COPIES:
            raise ValueError(f"Unknown copy method `{copy}` requested, choose one of None, `shallow` or `deep`.")
        self.copy_fn = _COPIES[copy]

    def _clear(self):
        super()._clear()
        self.buffer = deque()  # what the leading stream has taken and the slowest has not
        self.child_pointers = [0] * self.num_instances
        self.slowest_ptr = 0
        self.leading_ptr = 0
        self.end_ptr = None  # the number of samples + 1, once it is known

    def __len__(self):
        return len(self.main_datapipe)

    def _samples(self, instance_id):
        at = self.child_pointers
        while not self._child_stop[instance_id]:
            at[instance_id] += 1
            if at[instance_id] == self.end_ptr:
                return
            if self.buffer and at[instance_id] <= self.leading_ptr:
                sample = self.buffer[at[instance_id] - self.slowest_ptr - 1]
            else:
                self.leading_ptr = at[instance_id]
                try:
                    sample = next(self._datapipe_iterator)
                except StopIteration:
                    self._datapipe_iterator = None
                    self.end_ptr = self.leading_ptr
                    return
                self.buffer.append(sample)
            if at[instance_id] == self.slowest_ptr + 1 and self.slowest_ptr < min(at):
                self.slowest_ptr = min(at)
                self.buffer.popleft()
            if 0 <= self.buffer_size < self.leading_ptr - self.slowest_ptr:
                # torch: without the space.
                raise BufferError(f"ForkerIterDataPipe buffer overflow,buffer size {self.buffer_size} is insufficient.")
            yield self.copy_fn(sample)

    def _cleanup(self, instance_id):
        if all(self._child_stop):
            while self.buffer:
                StreamWrapper.close_streams(self.buffer.popleft())

    def is_every_instance_exhausted(self):
        """Whether all streams have come to their end."""
        return self.end_ptr is not None and all(self._child_stop)

    def get_length_by_instance(self, instance_id: int) -> int:
        """The length of a stream: that of the pipe."""
        return len(self.main_datapipe)


class _DemultiplexerIterDataPipe(_Container):
    name = "demux"
    kept = ("main_datapipe", "num_instances", "buffer_size", "classifier_fn", "drop_none")

    def __init__(self, datapipe, num_instances, classifier_fn, drop_none, buffer_size):
        super().__init__(datapipe, num_instances, buffer_size)
        self.classifier_fn = classifier_fn
        self.drop_none = drop_none

    def _clear(self):
        super()._clear()
        self.current_buffer_usage = 0
        self.child_buffers = [deque() for _ in range(self.num_instances)]
        self.main_datapipe_exhausted = False

    def _began(self):
        self.main_datapipe_exhausted = False

    def _samples(self, instance_id):
        waiting = self.child_buffers[instance_id]
        while not self._child_stop[instance_id]:
            if waiting:
                self.current_buffer_usage -= 1
                yield waiting.popleft()
            elif self.main_datapipe_exhausted:
                return
            else:
                yield from self._next(instance_id)

    def _next(self, instance_id):
        """The next sample for one of the streams, if there is one; those for others wait for them."""
        for value in self._datapipe_iterator:
            chosen = self.classifier_fn(value)
            if chosen is None and self.drop_none:
                StreamWrapper.close_streams(value)
                continue
            if chosen is None or not 0 <= chosen < self.num_instances:
                raise ValueError(
                    f"Output of the classification fn should be between 0 and {self.num_instances - 1}. "
                    f"{chosen} is returned."
                )
            if chosen == instance_id:
                yield value
                return
            self.child_buffers[chosen].append(value)
            self.current_buffer_usage += 1
            if 0 <= self.buffer_size < self.current_buffer_usage:
                raise BufferError(
                    f"DemultiplexerIterDataPipe buffer overflow, buffer size {self.buffer_size} is insufficient."
                )
        self.main_datapipe_exhausted = True
        self._datapipe_iterator = None

    def _cleanup(self, instance_id):
        waiting = self.child_buffers[instance_id]
        while waiting:
            StreamWrapper.close_streams(waiting.popleft())

    def is_every_instance_exhausted(self):
        """Whether all streams have come to their end."""
        return self.main_datapipe_exhausted and all(self._child_stop)

    def get_length_by_instance(self, instance_id: int) -> int:
        """Not known before all samples are. Raises: TypeError."""
        raise TypeError


class _ChildDataPipe(IterDataPipe):
    """One of the streams. A new iterator of one ends those of all, unless it only catches up with the others."""

    _is_child_datapipe: bool = True

    def __init__(self, main_datapipe, instance_id: int):
        if not isinstance(main_datapipe, _Container):
            raise AssertionError("main_datapipe must implement _ContainerTemplate")
        self.main_datapipe = main_datapipe
        self.instance_id = instance_id

    def __iter__(self):
        return self.main_datapipe.get_next_element_by_instance(self.instance_id)

    def __len__(self):
        return self.main_datapipe.get_length_by_instance(self.instance_id)

    def _set_main_datapipe_valid_iterator_id(self):
        main = self.main_datapipe
        if main._valid_iterator_id is None:
            main._valid_iterator_id = 0
        elif main._valid_iterator_id == self._valid_iterator_id:
            main._valid_iterator_id += 1
            if not main.is_every_instance_exhausted():
                warnings.warn(
                    "Some child DataPipes are not exhausted when __iter__ is called. We are resetting "
                    "the buffer and each child DataPipe will read from the start again.",
                    UserWarning,
                    stacklevel=2,
                )
            main.reset()
        self._valid_iterator_id = main._valid_iterator_id
        return self._valid_iterator_id

    def _check_valid_iterator_id(self, iterator_id):
        return iterator_id == self._valid_iterator_id == self.main_datapipe._valid_iterator_id
