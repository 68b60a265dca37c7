"""The page: Gradio tabs, one file each, around front-end modules of our own in ``assets/``."""
