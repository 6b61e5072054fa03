"""Runs tests on MicroPython: `device_runner.py MODULE TEST...` writes one line a test.

A line is the name, a tab and, as JSON, the traceback; the text is empty for a test that passed.
"""

import gc
import io
import json
import sys


def _trouble_of(test):
    try:
        test()
    except Exception as error:  # noqa: BLE001 (whatever it raises is its result)
        text = io.StringIO()
        sys.print_exception(error, text)  # type: ignore[attr-defined]
        return text.getvalue()
    finally:
        gc.enable()
    return ""


_module = __import__(sys.argv[1])
for _name in sys.argv[2:]:
    gc.collect()
    sys.stdout.write(_name + "\t" + json.dumps(_trouble_of(getattr(_module, _name))) + "\n")
