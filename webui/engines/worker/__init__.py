"""An engine in a process of its own, here or on another machine, reached over a socket.

``frames`` is what goes over the wire, ``wire`` the words in it; ``server`` answers, started by
``python -m webui.engines.worker``; ``client`` asks, ``process`` keeps a local worker alive. What the worker's side
imports needs numpy and nothing else, so that an engine may live in an environment that has little in common with ours.
"""
