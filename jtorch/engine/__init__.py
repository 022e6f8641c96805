"""The engine: ops are recorded into a trace, traces run as compiled programs. Nothing here knows torch."""
