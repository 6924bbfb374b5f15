"""How the recorded measurements are made: what an experiment is, when its recording is out of date, how runs are stored."""
