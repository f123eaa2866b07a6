"""Fakes on real wires: a pty that can be unplugged, and a TCP server."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

Answer = Callable[[bytes], bytes]


class PtyDevice:
    """A fake behind a stable symbolic link to a pty, as udev makes them for USB converters."""

    def __init__(self, link: Path, answer: Answer) -> None:
        self.link = link
        self.answer = answer
        self.delay_s = 0.0
        self.n_replies = 0
        self.unplug_on_next = False
        self._thread: threading.Thread | None = None
        self._master = self._slave = -1
        self._halt: tuple[int, int] = (-1, -1)

    def plug_in(self) -> None:
        self.unplug()
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self._halt = os.pipe()
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(self._slave))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            os.write(self._halt[1], b"x")
            thread.join()
            for end in self._halt:
                os.close(end)

    def say(self, data: bytes) -> None:
        """Something that nobody asked for."""
        os.write(self._master, data)

    def _serve(self) -> None:
        master, halt = self._master, self._halt[0]
        try:
            while True:
                ready, _, _ = select.select([master, halt], [], [])
                if halt in ready:
                    return
                data = os.read(master, 4096)
                if self.unplug_on_next:
                    self.unplug_on_next = False
                    return
                reply = self.answer(data)
                if self.delay_s:
                    time.sleep(self.delay_s)
                if reply:
                    os.write(master, reply)
                    self.n_replies += 1
        finally:
            self.link.unlink(missing_ok=True)
            os.close(self._slave)
            os.close(master)


@contextlib.contextmanager
def on_pty(directory: Path, answer: Answer) -> Iterator[PtyDevice]:
    device = PtyDevice(directory / "device", answer)
    device.plug_in()
    try:
        yield device
    finally:
        device.unplug()


@contextlib.contextmanager
def on_tcp(answer: Answer, greeting: bytes = b"") -> Iterator[str]:
    """A server for one client after another; `answer` raising ConnectionError hangs up."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError):
                client.sendall(greeting)
                while data := client.recv(4096):
                    client.sendall(answer(data))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"socket://127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(2.0)
