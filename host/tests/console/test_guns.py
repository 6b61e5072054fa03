"""The guns of the console: one that is served on a pseudo-terminal is a real one to it."""

import asyncio

import pytest

from mesogun.gun import Gun
from mesogun.link import SerialTransport
from mesogun.records import Store
from tests.served_gun import served


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
def test_a_served_gun_is_seen_its_records_are_stored_and_it_is_used(sit, surroundings, size):
    async def day(port: str, board_id: str) -> None:
        async with sit(size, port=port) as person:
            await person.press("g")
            await person.back()
            for told in (port, board_id, "syringe declared, no program", "never", "virtual gun"):
                assert told in person.screen
            assert "records are not stored yet: press s." in person.screen
            await person.press("s")
            await person.back()
            assert "records were new and are stored." in person.screen
            await person.press("r")
            await person.back()
            assert "Ready. Enter uses it." in person.screen
            await person.press("down", "enter")
            assert "virtual gun" in person.screen
            assert person.app.settled.port == "sim"

    with served(surroundings) as (port, _gun):
        with Gun.open(SerialTransport(port)) as client:
            client.load_syringe(41_283, 1_000_000, 300, 1, 110)
            board_id = client.info.board_id
        asyncio.run(day(port, board_id))
    with Store.open() as store:
        assert store.list_sessions() == []


def test_a_port_without_a_gun_says_so_and_cannot_be_used(sit):
    gone = "/dev/mesogun-is-gone"

    async def day() -> None:
        async with sit(port=gone) as person:
            await person.press("g")
            await person.back()
            assert "NOT USABLE" in person.screen
            assert gone in person.screen
            await person.press("enter")
            assert "Guns" in person.screen
            assert person.app.settled.port == gone

    asyncio.run(day())
