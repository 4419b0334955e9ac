"""Is something wrong in this telemetry? Window states that merge, sequential evaluation, text scanning."""
