"""The small ones do what asyncio's do."""

import asyncio

from realtime.lean import Flag, Mailbox


async def test_a_flag_lets_everybody_go_on() -> None:
    flag = Flag()
    waiting = [asyncio.create_task(flag.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    flag.set()
    assert await asyncio.gather(*waiting) == [True] * 3
    assert flag.is_set()
    assert await flag.wait()


async def test_a_flag_that_was_cleared_has_those_wait_who_come_then() -> None:
    flag = Flag()
    flag.set()
    flag.clear()
    task = asyncio.create_task(flag.wait())
    await asyncio.sleep(0)
    assert not task.done()
    flag.set()
    flag.clear()
    assert await task


async def test_of_those_who_wait_for_a_flag_one_may_give_up() -> None:
    flag = Flag()
    gives_up, stays = asyncio.create_task(flag.wait()), asyncio.create_task(flag.wait())
    await asyncio.sleep(0)
    gives_up.cancel()
    await asyncio.wait([gives_up])
    assert not stays.done()
    flag.set()
    assert await stays
    assert gives_up.cancelled()


async def test_a_flag_may_be_set_when_somebody_has_just_given_up() -> None:
    flag = Flag()
    task = asyncio.create_task(flag.wait())
    await asyncio.sleep(0)
    task.cancel()
    flag.set()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_a_mailbox_keeps_the_order() -> None:
    box: Mailbox[int] = Mailbox()
    assert box.empty()
    for number in range(3):
        box.put_nowait(number)
    assert not box.empty()
    assert [await box.get() for _ in range(3)] == [0, 1, 2]
    assert box.empty()


async def test_a_mailbox_wakes_its_reader() -> None:
    box: Mailbox[str] = Mailbox()
    reader = asyncio.create_task(box.get())
    await asyncio.sleep(0)
    box.put_nowait("one")
    box.put_nowait("two")
    assert await reader == "one"
    assert await box.get() == "two"


async def test_a_mailbox_loses_nothing_when_its_reader_gives_up() -> None:
    box: Mailbox[str] = Mailbox()
    reader = asyncio.create_task(box.get())
    await asyncio.sleep(0)
    box.put_nowait("one")
    reader.cancel()
    await asyncio.wait([reader])
    assert await box.get() == "one"
