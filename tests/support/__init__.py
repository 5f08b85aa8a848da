"""What the tests stand on: throw-away servers, and the run that script/test makes of it all."""
