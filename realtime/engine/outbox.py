"""What waits to be sent to one client."""

from collections import deque

from realtime.engine.frames import Frame


class Outbox:
    """Frames in order, and how many bytes they are. The frames are shared with everybody else they go to."""

    __slots__ = ("_frames", "size")

    def __init__(self) -> None:
        self._frames: deque[Frame] = deque()
        self.size = 0

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, frame: Frame) -> None:
        """Put a frame behind the others."""
        self._frames.append(frame)
        self.size += len(frame.data)

    def take(self) -> Frame:
        """Return the first frame, and forget it. Raises IndexError."""
        frame = self._frames.popleft()
        self.size -= len(frame.data)
        return frame

    def take_all(self) -> list[Frame]:
        """Return all frames, and forget them."""
        frames = list(self._frames)
        self._frames.clear()
        self.size = 0
        return frames
