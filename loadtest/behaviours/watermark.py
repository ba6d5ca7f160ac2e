"""Which numbers of a sequence 1, 2, 3 … are held: almost always all up to one."""


class Watermark:
    """Everything up to `value`, and what came ahead of a hole."""

    __slots__ = ("_ahead", "value")

    def __init__(self, value: int) -> None:
        self.value = value
        self._ahead: set[int] | None = None

    @property
    def has_hole(self) -> bool:
        """Whether something came ahead of a number that did not."""
        return self._ahead is not None

    def add(self, number: int) -> None:
        """Take in one number."""
        if number == self.value + 1:
            self.value = number
            if self._ahead is not None:
                self._close(self._ahead)
        elif number > self.value:
            self._ahead = self._ahead or set()
            self._ahead.add(number)

    def raise_to(self, number: int) -> None:
        """Take in every number up to this one."""
        self.value = max(self.value, number)
        if self._ahead is not None:
            self._close(self._ahead)

    def _close(self, ahead: set[int]) -> None:
        while self.value + 1 in ahead:
            self.value += 1
        self._ahead = {number for number in ahead if number > self.value} or None
