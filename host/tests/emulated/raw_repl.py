"""MicroPython's raw REPL over an emulated board, in emulated time."""

from mesogun.emulated.pico import Pico

SECOND_NS = 1_000_000_000


class RawRepl:
    """Runs scripts on a board that shows its prompt."""

    def __init__(self, pico: Pico) -> None:
        self._pico = pico
        self._heard = bytearray()
        assert pico.run_until(lambda: pico.connected, 5 * SECOND_NS)
        pico.receive()
        self._ask(b"\r\x03\x03\x01", b"raw REPL; CTRL-B to exit\r\n>", SECOND_NS)

    def start(self, script: str) -> None:
        """Send a script and return when it begins to run."""
        self._ask(script.encode() + b"\x04", b"OK", 30 * SECOND_NS)

    def finish(self, timeout_s: float = 5) -> str:
        """Wait for the end of the script; return what it printed, or raise what it raised."""
        out, error, _ = self._until(b"\x04>", round(timeout_s * SECOND_NS)).split(b"\x04")
        if error:
            raise RuntimeError(error.decode())
        return out.decode()

    def run(self, script: str, timeout_s: float = 5) -> str:
        """Do both."""
        self.start(script)
        return self.finish(timeout_s)

    def _ask(self, data: bytes, end: bytes, timeout_ns: int) -> bytes:
        self._pico.send(data)
        return self._until(end, timeout_ns)

    def _until(self, end: bytes, timeout_ns: int) -> bytes:
        def arrived() -> bool:
            self._heard += self._pico.receive()
            return end in self._heard

        if not self._pico.run_until(arrived, timeout_ns):
            raise TimeoutError(f"no {end!r} after {bytes(self._heard[-200:])!r}")
        at = self._heard.index(end) + len(end)
        said = bytes(self._heard[:at])
        del self._heard[:at]
        return said
