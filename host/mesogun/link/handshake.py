"""The first request of a conversation: is this a mesogun, and does it speak the same protocol?"""

from mesogun.errors import PortError, VersionMismatch
from mesogun.link.session import Exchange, Link, NoAnswer
from mesogun.words import _
from mesogun_protocol.fields import Message, MessageError, layout
from mesogun_protocol.limits import PROTOCOL_VERSION
from mesogun_protocol.messages import HELLO, HELLO_REPLY
from mesogun_protocol.schema import SCHEMA_HASH

_HEAD = Message(
    "hello_reply",
    HELLO_REPLY.id,
    layout(*HELLO_REPLY.body.subcons[:5]),
    "What stays in its place in every version, so that any two can at least name their difference.",
)


def handshake(link: Link, schema_hash: int = SCHEMA_HASH) -> Exchange:
    """Send HELLO, compare versions, and return the exchange with the fields of HELLO_REPLY.

    Moves nothing. The gun forgets the replies of earlier conversations and takes requests from now
    on.

    Args:
        link: a new conversation.
        schema_hash: the definition that this host was built from.

    Raises:
        PortError: if the port does not answer as a mesogun.
        VersionMismatch: if the gun's firmware was built from another definition; it will not move.
        LinkError: if the port is gone.
    """
    link.listen(0)  # what an earlier conversation left in the port's buffer
    heard_bytes = link.received_bytes
    try:
        exchange = link.exchange(HELLO, protocol_version=PROTOCOL_VERSION, schema_hash=schema_hash)
    except NoAnswer as error:
        heard = link.received_bytes - heard_bytes
        what = (
            _("sent {heard} bytes that are no answer").format(heard=heard)
            if heard
            else _("sent nothing")
        )
        raise PortError(
            _(
                "{name} is not a mesogun, or its firmware does not run: asked who it is, it "
                "{what}. Choose another port (`mesogun devices` lists them), or install the "
                "firmware with `mesogun firmware flash`."
            ).format(name=link.transport.name, what=what)
        ) from error
    _compare(link.transport.name, exchange.body, schema_hash)
    return exchange


def _compare(port: str, body: bytes, schema_hash: int) -> None:
    try:
        head = _HEAD.parse(body[: _HEAD.body.sizeof()])
    except MessageError as error:
        raise PortError(
            _("{port} is not a mesogun: its answer cannot be read ({error}).").format(
                port=port, error=error
            )
        ) from None
    if (head["protocol_version"], head["schema_hash"]) == (PROTOCOL_VERSION, schema_hash):
        return
    firmware = f"{head['firmware_major']}.{head['firmware_minor']}.{head['firmware_patch']}"
    raise VersionMismatch(
        _(
            "The gun on {port} runs firmware {firmware} with protocol {protocol}, schema "
            "{schema}; this host speaks protocol {host_protocol}, schema "
            "{host_schema}. The gun will not move until they match: run `mesogun firmware "
            "flash`."
        ).format(
            port=port,
            firmware=firmware,
            protocol=head["protocol_version"],
            schema=f"{head['schema_hash']:08x}",
            host_protocol=PROTOCOL_VERSION,
            host_schema=f"{schema_hash:08x}",
        )
    )
