"""One module a detector; being here is the registration. Each declares `DETECTOR`."""
