"""What the functions do, one module for each step."""
