"""The same page for Hugging Face and ModelScope Spaces, which start this file and expect port 7860 on all addresses."""

from webui.main import main

if __name__ == "__main__":
    main(["--host", "0.0.0.0", "--port", "7860"])  # noqa: S104  (a Space is reached from outside its container)
