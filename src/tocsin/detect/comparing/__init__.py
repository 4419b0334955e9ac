"""Two sets of rows side by side: how much each column, rate and group differs, and how sure that is."""
