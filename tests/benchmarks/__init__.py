"""The load generator and what else script/bench stands on."""
