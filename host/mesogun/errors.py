"""The exceptions that a user of mesogun can meet, as one tree.

MesogunError
    UsageError        the call or the command line is wrong; nothing was sent
        ProgramError  a program file or plan is wrong; nothing was sent
    PortError         no gun was found, or more than one, or the port cannot be opened
    VersionMismatch   firmware and host were built from different protocol definitions
    LinkError         the gun stopped answering
    GunRefused        the gun refused a request and did nothing
    GunFault          the gun stopped with a fault
    RecordError       the store cannot be read, written or trusted

Each text says what is wrong, which bound it broke and what to do next. The command line maps the
classes to exit codes in one table (`mesogun.cli.exit_codes`).
"""


class MesogunError(Exception):
    """Root of every error that mesogun raises on purpose."""


class UsageError(MesogunError):
    """The caller asked for something that cannot be done; nothing was sent to a gun."""


class ProgramError(UsageError):
    """A program is invalid; nothing was sent to a gun."""


class PortError(MesogunError):
    """No gun, more than one gun, or a port that cannot be used."""


class VersionMismatch(MesogunError):
    """Host and firmware do not share one protocol definition; the gun will not move."""


class LinkError(MesogunError):
    """The gun stopped answering; the text says whether a dose may be in doubt."""


class GunRefused(MesogunError):
    """The gun checked a request, refused it and did nothing."""


class GunFault(MesogunError):
    """The gun stopped with its driver off and waits for the fault to be cleared."""


class RecordError(MesogunError):
    """The record store cannot be opened, read, written or trusted."""
