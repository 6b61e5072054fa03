"""The logic of the gun: everything that needs no hardware to be right."""
