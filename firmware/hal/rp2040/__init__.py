"""The RP2040: the only package that imports `machine` and `rp2`."""
