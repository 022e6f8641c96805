"""The event file of a folder: written by a thread, so that the disk stops nobody."""

import os
import queue
import threading
import time

from tensorboardX.event_file_writer import EventsWriter


class EventFile:
    """Events on their way into a file. They come to the disk every flush_secs seconds, at `flush` and at `close`."""

    def __init__(self, log_dir, max_queue, flush_secs, suffix):
        self._log_dir = log_dir
        self._flush_secs = flush_secs
        self._suffix = suffix
        os.makedirs(log_dir, exist_ok=True)
        self._events = queue.Queue(max_queue)
        self._open()

    def _open(self):
        self._file = EventsWriter(os.path.join(self._log_dir, "events"), self._suffix)
        self._thread = threading.Thread(target=self._run, name="jtorch events", daemon=True)
        self._thread.start()

    def get_logdir(self):
        """The folder."""
        return self._log_dir

    def add_event(self, event):
        """Have an event written; waits when max_queue of them are on the way. After `close` it is dropped."""
        if self._thread is not None:
            self._events.put(event)

    def flush(self):
        """Wait until all events are on the disk."""
        if self._thread is not None:
            self._events.join()
            self._file.flush()

    def close(self):
        """Flush, and close the file."""
        if self._thread is not None:
            self._events.put(None)
            self._thread.join()
            self._thread = None
            self._file.close()

    def reopen(self):
        """Begin a new file after `close`."""
        if self._thread is None:
            self._open()

    def _run(self):
        due = time.monotonic()  # the first event is flushed at once
        written = False
        while True:
            try:
                event = self._events.get(timeout=max(0, due - time.monotonic()) if written else None)
            except queue.Empty:
                event = False
            if event is None:
                self._events.task_done()
                return
            if event:
                self._file.write_event(event)
                written = True
                self._events.task_done()
            if written and time.monotonic() >= due:
                self._file.flush()
                written, due = False, time.monotonic() + self._flush_secs
