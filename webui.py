"""``python webui.py``: open the page. ``--help`` lists the settings."""

from webui.main import main

if __name__ == "__main__":
    main()
