"""Carries facts to people and knows no domain. Its one door for the other apps is realtime.api."""
