"""What benchmarks compute is tested where a mistake would flatter: scores, not seconds."""
