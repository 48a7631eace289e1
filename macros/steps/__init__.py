"""What the steps of a macro do: each kind, a run's compiled plan, and the dry run."""
