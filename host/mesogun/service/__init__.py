"""The technician's acts: build, flash, verify, and the image that it all runs on."""
