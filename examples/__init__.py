"""Small servers that show one thing each; see README.md."""
