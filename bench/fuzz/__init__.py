"""Fuzzing every reader with atheris, which is not among the requirements: `pip install atheris==3.0.0` (Python 3.11).

Run: python -m bench.fuzz --seconds 3600 [--format NAME …] [--seeds FILES] [--home FOLDER]

Each format has its share of the time, and so has opening (detection and archives). What a find is, `reading` says. The
inputs of finds and their stories lie in FOLDER/finds afterwards, what was interesting in FOLDER/corpus for next time.
"""
