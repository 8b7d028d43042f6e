"""How a task runs inside of its guest."""
