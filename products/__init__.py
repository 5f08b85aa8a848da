"""What sellers offer: products, their stock, and the facts announced about both."""
