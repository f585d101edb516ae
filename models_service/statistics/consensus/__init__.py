"""One label from many: votes, models of who errs how, and what a gold set teaches of that.

`votes.gathered` gives what the others take; each gives an `outcome.Consensus`. None depends on the order of the units.
"""
