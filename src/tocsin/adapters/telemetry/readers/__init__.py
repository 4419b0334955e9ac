"""One module a format; being here is the registration. Each declares `READER`."""
