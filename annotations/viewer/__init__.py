"""One file of trajectories, opened in the browser without a project and without a database."""
