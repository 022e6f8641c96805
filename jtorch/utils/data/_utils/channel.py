"""Channel: messages of bytes, with open files beside them, between two processes over a socket."""

import socket
import struct
from contextlib import suppress

_HEAD = struct.Struct("<QQ")  # length of the body, number of files
_AT_ONCE = 64  # files that go with one packet; systems allow a few hundred
SMALL = 4096  # bytes of a message that goes out in one call


class Channel:
    """One end. Each message is bytes and a list of file descriptors, which the receiver gets as its own."""

    def __init__(self, end):
        self._socket = end

    @classmethod
    def pair(cls):
        """Two ends that are connected."""
        return tuple(map(cls, socket.socketpair()))

    @classmethod
    def of(cls, fd):
        """The end behind a file descriptor, which it takes over."""
        return cls(socket.socket(fileno=fd))

    def fileno(self):
        """The file descriptor, for `selectors`."""
        return self._socket.fileno()

    def send(self, body, files=()):
        """Send a message. Raises EOFError when the other end is gone."""
        head = _HEAD.pack(len(body), len(files))
        whole = len(body) <= SMALL  # such a message goes out in one call, which nothing can come in between
        try:
            socket.send_fds(self._socket, [head, body] if whole else [head], files[:_AT_ONCE])
            for start in range(_AT_ONCE, len(files), _AT_ONCE):
                socket.send_fds(self._socket, [b"f"], files[start : start + _AT_ONCE])
            if not whole:
                self._socket.sendall(body)
        except ConnectionError:
            raise EOFError from None

    def receive(self):
        """(body, files) of the next message. Raises EOFError when the other end is gone."""
        try:
            return self._message()
        except KeyboardInterrupt:
            self._shut()  # amid a message, of which the rest would be taken for the next one
            raise

    def _message(self):
        head, files = self._take(_HEAD.size)
        length, count = _HEAD.unpack(head + self._read(_HEAD.size - len(head)))
        while len(files) < count:
            files += self._take(1)[1]
        return self._read(length), files

    def _take(self, size):
        try:
            got, files, _, _ = socket.recv_fds(self._socket, size, _AT_ONCE)
        except ConnectionError:
            got = b""
        if not got:
            raise EOFError
        return got, files

    def _read(self, size):
        body = bytearray(size)
        rest = memoryview(body)
        while rest:
            try:
                got = self._socket.recv_into(rest)
            except ConnectionError:
                got = 0
            if not got:
                raise EOFError
            rest = rest[got:]
        return body

    def close(self):
        """Close this end in this process."""
        self._socket.close()

    def hang_up(self):
        """Close the channel, even where other processes have come to hold this end."""
        self._shut()
        self._socket.close()

    def _shut(self):
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
