"""Read exports, the files that the vendor returns."""
