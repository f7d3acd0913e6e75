"""How the practice runs: settings, addresses, workers and the embedded servers."""
