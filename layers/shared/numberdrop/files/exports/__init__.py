"""Reading what the vendor hands out."""
