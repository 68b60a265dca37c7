"""Our program with a language model that always takes the likeliest word: asked the same, it answers the same.

What is measured is then not the luck of whose answer happened to be short. Takes the flags of ``webui.py``.
"""

from __future__ import annotations

from webui.features import chat
from webui.main import main

if __name__ == "__main__":
    chat.TEMPERATURE = 0.0
    main()
