"""HTTP and WebSocket routes: thin faces over the features."""
