"""The application layer: everything that a face may ask of the games."""
