"""The dashboard: pages that show runs and start them, over a server's API and nothing else."""
