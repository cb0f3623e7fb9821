"""File formats that uploads, exports and results share."""
