"""Parts of deploy/local/stack."""
