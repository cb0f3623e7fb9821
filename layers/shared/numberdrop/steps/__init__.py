"""What the functions do, one module per step."""
