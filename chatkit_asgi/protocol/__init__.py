"""The protocol without I/O: values in, values out. Nothing here awaits, sleeps, reads a clock or makes an id."""
