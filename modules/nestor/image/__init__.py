"""What is run while the image is built, and is not in it."""
