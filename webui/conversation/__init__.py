"""The turn: sentences, cancellation, latency marks, memory."""
