"""The command `bbipc`: one module per subcommand, imported when it is used."""
