"""What Python applications ask of the gateway engine that hosts them."""
