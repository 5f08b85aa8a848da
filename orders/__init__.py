"""What buyers ordered of sellers: orders, their steps, and the facts announced about them."""
