import asyncio

import pytest

from judgeharness.backends.openai.throttle import Concurrency, Throttle


def settle(slots: int, batching: float, most: int = 64, answers: int = 3000) -> Concurrency:
    """A server with `slots` places; an answer takes 0.1 s, and `batching` more of that for each other one."""
    now = [0.0]
    concurrency = Concurrency(most, clock=lambda: now[0])
    for _ in range(answers):
        together = min(concurrency.limit, slots)
        now[0] += 0.1 * (1 + batching * (together - 1)) / together
        concurrency.answered()
    return concurrency


def test_one_place_is_asked_one_at_a_time():
    assert settle(slots=1, batching=0).limit == 1


@pytest.mark.parametrize("slots", [2, 8, 32])
def test_it_grows_to_what_the_server_can_use(slots):
    assert slots <= settle(slots, batching=0).limit <= 2 * slots


def test_batching_that_pays_is_used():
    assert settle(slots=64, batching=0.01).limit >= 32
    assert settle(slots=64, batching=0.9).limit <= 4


def test_it_stays_within_the_most():
    assert settle(slots=500, batching=0, most=10).limit == 10
    assert settle(slots=500, batching=0, most=1).limit == 1


def test_complaints_halve_it_once_and_it_recovers():
    concurrency = settle(slots=32, batching=0)
    before = concurrency.limit
    concurrency.answered()
    for _ in range(before):
        concurrency.overloaded()
    assert concurrency.limit == before // 2
    for _ in range(5000):
        concurrency.answered()
    assert concurrency.limit == before
    for _ in range(200):
        concurrency.answered()
        concurrency.overloaded()
    assert concurrency.limit == 1


def fixed(limit: int) -> Throttle:
    concurrency = Concurrency(limit)
    concurrency.limit = limit
    return Throttle(concurrency)


def test_no_more_than_the_limit_and_earlier_groups_first():
    async def run():
        throttle, out, most, order = fixed(2), 0, 0, []

        async def work(priority):
            nonlocal out, most
            async with throttle.turn(priority):
                out += 1
                most = max(most, out)
                order.append(priority)
                await asyncio.sleep(0.001)
                out -= 1

        await asyncio.gather(*(work((group, place)) for group in (2, 0, 1) for place in (1, 0)))
        return most, order

    most, order = asyncio.run(run())
    assert most == 2
    assert order[2:] == sorted(order[2:])


def test_a_pause_holds_everything_back():
    async def run():
        throttle = fixed(4)
        loop = asyncio.get_running_loop()
        throttle.pause(0.1)
        begun = loop.time()
        async with throttle.turn((0, 0)):
            return loop.time() - begun

    assert asyncio.run(run()) >= 0.09


def test_turns_that_are_given_up_come_back():
    async def run():
        throttle = fixed(1)
        async with throttle.turn((0, 0)):
            waiting = [asyncio.create_task(throttle.turn((1, place)).__aenter__()) for place in range(3)]
            await asyncio.sleep(0)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        with pytest.raises(RuntimeError):
            async with throttle.turn((2, 0)):
                raise RuntimeError
        await asyncio.wait_for(throttle.room(), 1)

    asyncio.run(run())
