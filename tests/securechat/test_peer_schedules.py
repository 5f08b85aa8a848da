"""The Python peer of the secure chat with itself, over a network that does what it likes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.securechat.conversations import agreed
from tests.securechat.network import ACTIONS, Network

STEPS = st.lists(
    st.tuples(st.sampled_from(ACTIONS), st.integers(min_value=0, max_value=5000)), max_size=60
)


@settings(max_examples=400, deadline=None)
@given(STEPS)
def test_it_opens_each_message_once_whatever_the_network_does(
    steps: list[tuple[str, int]],
) -> None:
    network = Network(*agreed())
    for action, place in steps:
        network.act(action, place)


def test_it_holds_for_four_hundred_messages() -> None:
    network = Network(*agreed())
    network.run(messages=400, seed=20)
    print(f"\n{network}")
    assert network.opened > 250
