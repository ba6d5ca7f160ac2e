"""What becomes of good bytes on a bad day: pieces go missing, come twice, change places, or are of something else."""

from hypothesis import strategies as st

_STRANGE = (
    b"", b"\x00", b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\r\n", b"\r\n\r\n", b"\x1e", b"[", b"]", b"{", b'"', b"\\",
    b"-", b",", b"/", b"9" * 20, b"1e999", b"null", b'{"_placeholder":true,"num":0}', b'\\ud800', b"[" * 300,
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, data: bytes, most: int = 4) -> bytes:
    """Good bytes after one to `most` accidents."""
    for _ in range(draw(st.integers(1, most))):
        at = draw(st.integers(0, len(data)))
        end = draw(st.integers(at, min(len(data), at + 12)))
        piece = draw(st.sampled_from(_STRANGE) | st.binary(max_size=4) | st.just(data[at:end] * 2))
        data = data[:at] + piece + data[end:]
    return data
