"""Kills and cuts: real servers, a real PostgreSQL and Redis, and clients that hear everything."""
