"""The chapters as plain notebooks, the wheel that goes with them, the setup cell, and the buttons that lead there."""
