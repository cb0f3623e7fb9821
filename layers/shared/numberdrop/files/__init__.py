"""Reading uploads and exports, and writing results. Touches files only: no AWS, no vendor."""
