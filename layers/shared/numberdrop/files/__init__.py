"""Files that people and the vendor write: read with suspicion, and written so that both can be compared."""
