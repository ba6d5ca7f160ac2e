"""The numbering of appends, as pure data."""

from hypothesis import given
from hypothesis import strategies as st

from core.ids import RoomId, UserId
from rooms.types import Draft
from storage.sqlite.append import Found, Numbering
from tests.contract.samples import draft

DRAFTS = st.lists(
    st.builds(
        lambda room, sender, client: draft(RoomId(room), UserId(sender), client_id=client),
        st.sampled_from("ab"),
        st.sampled_from("xyz"),
        st.sampled_from("123456"),
    ),
    max_size=30,
)
FOUND = {"a": Found(0, 0, 0, None), "b": Found(7, 12, 3, None)}


@given(drafts=DRAFTS)
def test_a_batch_is_numbered_as_if_one_came_after_the_other(drafts: list[Draft]) -> None:
    """seq and rev have no hole in any room, repeats get their original, and each new message is there once."""
    numbering = Numbering()
    appended = [numbering.add(each, FOUND[each.room_id]) for each in drafts]
    for room_id, found in FOUND.items():
        new = [each.message for each in appended if each.created and each.message.room_id == room_id]
        steps = range(1, len(new) + 1)
        assert [(found.last_seq + step, found.rev + step) for step in steps] == [(m.seq, m.rev) for m in new]
    keys = [(each.room_id, each.sender_id, each.client_id) for each in drafts]
    assert len(set(keys)) == sum(each.created for each in appended)
    assert keys == [(each.message.room_id, each.message.sender_id, each.message.client_id) for each in appended]
    assert list(numbering.messages.values()) == [each.message for each in appended if each.created]


@given(drafts=DRAFTS)
def test_a_sender_is_caught_up_when_others_wrote_in_between(drafts: list[Draft]) -> None:
    """A receipt comes with a message exactly when its sender's watermark was not at the message before it."""
    numbering = Numbering()
    read = {(room_id, user_id): FOUND[room_id].read_seq for room_id in "ab" for user_id in "xyz"}
    for each in drafts:
        appended = numbering.add(each, FOUND[each.room_id])
        if not appended.created:
            assert None is appended.caught_up
            continue
        place, seq = (each.room_id, each.sender_id), appended.message.seq
        assert (read[place] != seq - 1) == (appended.caught_up is not None)
        read[place] = seq
