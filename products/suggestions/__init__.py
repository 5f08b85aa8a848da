"""What people suggest, to the shop or to the seller of one product, and who else wants it."""
