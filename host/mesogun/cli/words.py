"""Numbers of things, for the tables of technicians and engineers."""


def count(number: int, what: str) -> str:
    """A number of things, in the singular if it is one."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
