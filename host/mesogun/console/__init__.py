"""`mesogun console`: the screen for the whole day, with the keyboard alone."""
