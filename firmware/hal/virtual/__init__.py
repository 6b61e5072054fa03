"""The virtual machine: every port is a message to the world that simulates the gun."""
