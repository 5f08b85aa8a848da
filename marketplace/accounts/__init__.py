"""Users and their logins; with marketplace.rest the lowest floor, knows no other app."""
