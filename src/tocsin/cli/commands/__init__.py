"""One module a command, imported only when it is called; the table of them is `tocsin.cli.app.COMMANDS`."""
