"""How figures and foreign text are written: alike in the terminal and on the page."""


def count(number: int) -> str:
    """Return `12,345`."""
    return f"{number:,}"


def times(number: int) -> str:
    """Return `12 ×`."""
    return f"{number:,} ×"


def number(value: float) -> str:
    """Return about three digits: `0.25`, `3.2`, `1,240`. Never an exponent."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}".rstrip("0").rstrip(".") or "0"


def ms(value: float) -> str:
    """Return milliseconds as `0.42 ms`, `8.4 ms`, `312 ms` or `1.25 s`."""
    if value >= 999.5:
        return f"{value / 1000:,.2f} s" if value < 9_995 else f"{value / 1000:,.1f} s"
    if value >= 9.95:
        return f"{value:.0f} ms"
    return f"{value:.1f} ms" if value >= 0.995 else f"{value:.2f} ms"


def per_second(value: float) -> str:
    """Return `1,240/s`."""
    return f"{number(value)}/s"


def memory(mb: float) -> str:
    """Return megabytes as `512 MB` or `1.25 GB`."""
    return f"{mb / 1024:,.2f} GB" if mb >= 1024 else f"{number(mb)} MB"


def cores(value: float) -> str:
    """Return `0.84 cores`."""
    return f"{value:.2f} cores"


def share(part: float, whole: float) -> str:
    """Return a percentage that says 0 % and 100 % only when it is exactly that."""
    if whole == 0 or part in (0, whole):
        return "100 %" if whole and part == whole else "0 %"
    percent = 100 * part / whole
    return f"{min(max(percent, 0.001), 99.999):.3f}".rstrip("0").rstrip(".") + " %"


def duration(seconds: float) -> str:
    """Return `45 s`, `5 min 30 s` or `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{number(round(seconds, 1))} s" if seconds < 10 else f"{whole} s"
    large, small, units = (whole // 60, whole % 60, ("min", "s"))
    if whole >= 3600:
        large, small, units = (whole // 3600, whole % 3600 // 60, ("h", "min"))
    return f"{large} {units[0]}" + (f" {small} {units[1]}" if small else "")


def clock(seconds: float) -> str:
    """Return `1:05` or `2:00:05`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def clean(text: str, longest: int = 300) -> str:
    """Return text of a server in a form that is safe to show: one line, and nothing that steers a terminal or a reader.

    What is not printable (escape sequences, lone surrogates, changes of direction) is spelled out.
    """
    line = " ".join(text[: 4 * longest].split())
    shown = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in line
    )
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"
