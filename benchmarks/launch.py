"""Run one command and say what it used. Run as ``python -S launch.py COMMAND…``; prints JSON.

A process of its own, and a small one: a child begins with the peak of memory of the process that started it, so
what a large process starts never seems smaller than itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time


def measure(command: list[str]) -> str:
    """Run it to its end; return the exit code, the seconds, those of processors, and the peak in bytes.

    Processes it waited for are included; the peak is that of the largest of them.
    """
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    processor = used.ru_utime + used.ru_stime
    return f'{{"code": {process.returncode}, "seconds": {seconds}, "processor": {processor}, "peak": {peak}}}'


if __name__ == "__main__":
    print(measure(sys.argv[1:]))
