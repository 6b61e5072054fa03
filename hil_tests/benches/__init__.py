"""Where a gun is tested: what a bench can do, and the benches that exist."""
