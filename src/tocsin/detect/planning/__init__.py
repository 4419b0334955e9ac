"""Planning: how soon a detector would find a change of what size, by simulation of its own sequence, before it is deployed."""
