"""A program of its own: loads MicroPython once, then forks for each start that is asked for.

Run by `forked` with the folder of the module `micropython_run` and an inherited socket. It stays as
small as it can be, for a fork costs as much as what it copies: the standard library alone.
"""

import os
import resource
import socket
import sys
from collections.abc import Callable
from importlib import import_module

_CPU_LIMIT_S = 20
"""Of one run, which takes a second at most. Simulated time stands still while the firmware
computes, so nothing else would end one that loops for ever."""


def main() -> None:
    """Serve until the socket's other end is closed.

    `start` with the descriptors of standard input, output and error, a folder and the arguments is
    answered by the child's number; `wait` with that number by its exit code.
    """
    place, descriptor = sys.argv[1:]
    sys.path.append(place)
    run: Callable[[list[str]], int] = import_module("micropython_run").run_main
    with socket.socket(fileno=int(descriptor)) as master:
        while True:
            message, descriptors, _, _ = socket.recv_fds(master, 1 << 16, 3)
            if not message:
                return
            what, *words = message.decode().split("\0")
            if what == "wait":
                status = os.waitpid(int(words[0]), 0)[1]
                master.sendall(str(os.waitstatus_to_exitcode(status)).encode())
                continue
            child = os.fork()
            if not child:
                _become(run, words, descriptors)
            for each in descriptors:
                os.close(each)
            master.sendall(str(child).encode())


def _become(run: Callable[[list[str]], int], words: list[str], descriptors: list[int]) -> None:
    """Turn this fork into MicroPython; never returns."""
    code = 1
    try:
        for standard, descriptor in enumerate(descriptors):
            os.dup2(descriptor, standard)
        os.closerange(3, 64)
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_LIMIT_S, _CPU_LIMIT_S))
        folder, *arguments = words
        os.environ["MICROPYPATH"] = f"{folder}:.frozen"
        os.chdir(folder)
        code = run(["micropython", *arguments])
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
