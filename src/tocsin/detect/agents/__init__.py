"""What agents do: sessions as trails of cells, and the limits, flows and identities that are judged on them."""
