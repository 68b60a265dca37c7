"""The parts of ``bench.realtime``: a scripted model server, questions, a caller, and other pipelines."""
