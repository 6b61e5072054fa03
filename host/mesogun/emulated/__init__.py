"""A gun on an emulated RP2040: the real image and firmware, the plant on its pins."""
