"""The image of MicroPython that the tests of the emulated board run on."""

from pathlib import Path

import pytest

from mesogun.emulated.image import NoImage, find_image


def found_image() -> Path:
    """Return it, or skip the test and say how to get one."""
    try:
        return find_image()
    except NoImage as error:
        pytest.skip(str(error))
