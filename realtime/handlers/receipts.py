"""Receipt and typing events."""

from collections.abc import Mapping

from core.ids import RoomId
from realtime.connection import Connection
from realtime.contract.encode import receipt_json
from realtime.contract.receipts import ReceiptMark, TypingSet
from realtime.dispatch import Handler, Reply
from realtime.services import Services


def handlers(services: Services) -> Mapping[str, Handler]:
    """Return the handlers of `receipt:*` and `typing:*`."""

    async def mark(connection: Connection, payload: ReceiptMark) -> Reply:
        receipt = await services.receipts.mark(
            connection.principal,
            RoomId(payload.room_id),
            read_seq=payload.read_seq or 0,
            delivered_seq=payload.delivered_seq or 0,
        )
        return Reply({"receipt": receipt_json(receipt)})

    async def typing(connection: Connection, payload: TypingSet) -> Reply:
        await services.typing.set(connection.principal, RoomId(payload.room_id), on=payload.on)
        return Reply({})

    return {"receipt:mark": mark, "typing:set": typing}
