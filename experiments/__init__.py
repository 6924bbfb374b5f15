"""The experiments behind the recorded measurements, one module a chapter; ``python -m experiments.bench`` runs them."""
