"""The languages among which Whisper is let choose when none is given; it can be told to expect any of its hundred."""

BASE_LANGUAGES = tuple("zh en ja ko es fr de it pt ru nl pl tr uk sv id vi ar hi th".split())
"""What Whisper base writes well enough to read. Cantonese has no token there."""

LANGUAGES = tuple(
    "zh en ja ko es fr de it pt ru nl pl tr uk sv id vi ar hi th af az be bg bs ca cs cy da el et fa fi gl he hr hu hy "
    "is kk kn lt lv mi mk mr ms ne no ro sk sl sr sw ta tl ur".split()
)
"""The 57 in which OpenAI's own measurements of the larger sizes are below 50 % word errors."""
