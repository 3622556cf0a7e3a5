"""Find the face and hold it still."""
