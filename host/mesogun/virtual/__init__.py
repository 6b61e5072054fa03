"""The virtual gun: the real firmware on a real MicroPython, in a simulated world."""
