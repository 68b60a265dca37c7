"""The parts of ``bench.speak``."""
