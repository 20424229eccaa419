"""The only room that knows every room: settings become a House, the House is served, swapped whole, and drained."""
