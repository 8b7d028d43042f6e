"""How records are written as bytes."""

