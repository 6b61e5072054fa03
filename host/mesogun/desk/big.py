"""Words in letters of five lines or more, to be read from two metres; ASCII, for every terminal.

Textual's `Digits` are three lines high at any size of the screen, and have no letters.
"""

import unicodedata
from collections.abc import Sequence
from typing import Final

HEIGHT: Final = 5
_ROWS: Final = {
    "A": ".##. #..# #### #..# #..#",
    "B": "###. #..# ###. #..# ###.",
    "C": ".### #... #... #... .###",
    "D": "###. #..# #..# #..# ###.",
    "E": "#### #... ###. #... ####",
    "F": "#### #... ###. #... #...",
    "G": ".### #... #.## #..# .###",
    "H": "#..# #..# #### #..# #..#",
    "I": "### .#. .#. .#. ###",
    "J": "..## ...# ...# #..# .##.",
    "K": "#..# #.#. ##.. #.#. #..#",
    "L": "#... #... #... #... ####",
    "M": "#...# ##.## #.#.# #...# #...#",
    "N": "#...# ##..# #.#.# #..## #...#",
    "O": ".##. #..# #..# #..# .##.",
    "P": "###. #..# ###. #... #...",
    "Q": ".##. #..# #..# #.#. .#.#",
    "R": "###. #..# ###. #.#. #..#",
    "S": ".### #... .##. ...# ###.",
    "T": "##### ..#.. ..#.. ..#.. ..#..",
    "U": "#..# #..# #..# #..# .##.",
    "V": "#...# #...# #...# .#.#. ..#..",
    "W": "#...# #...# #.#.# ##.## #...#",
    "X": "#...# .#.#. ..#.. .#.#. #...#",
    "Y": "#...# .#.#. ..#.. ..#.. ..#..",
    "Z": "#### ...# .##. #... ####",
    "0": ".##. #..# #..# #..# .##.",
    "1": ".#. ##. .#. .#. ###",
    "2": "###. ...# .##. #... ####",
    "3": "###. ...# .##. ...# ###.",
    "4": "#..# #..# #### ...# ...#",
    "5": "#### #... ###. ...# ###.",
    "6": ".##. #... ###. #..# .##.",
    "7": "#### ...# ..#. .#.. .#..",
    "8": ".##. #..# .##. #..# .##.",
    "9": ".##. #..# .### ...# .##.",
    "/": "....# ...#. ..#.. .#... #....",
    "-": "... ... ### ... ...",
    " ": ".. .. .. .. ..",
}


def big(text: str, scale: int = 1) -> list[str]:
    """The text in five lines; letters lose their accents, and what has no letter is left out.

    Args:
        text: a word or two, or figures.
        scale: so many times as large, in both directions.
    """
    plain = unicodedata.normalize("NFD", text.upper())
    letters = [_ROWS[sign].split(" ") for sign in plain if sign in _ROWS]
    lines = (" ".join(letter[row] for letter in letters) for row in range(HEIGHT))
    wide = ("".join(sign * scale for sign in line.replace(".", " ")) for line in lines)
    return [line for line in wide for _row in range(scale)]


def largest(texts: Sequence[str], columns: int, rows: int) -> int:
    """The largest scale at which all of `texts` fit, one below the other; 1 if none does."""
    widest = max(len(big(text)[0]) for text in texts)
    return max(1, min(columns // widest, rows // (HEIGHT * len(texts))))
