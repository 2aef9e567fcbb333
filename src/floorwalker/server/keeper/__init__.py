"""What decisions do not wait for, in a process of its own: the ledger's rows and the vault's values.

In a thread of the server this work would take the interpreter from the decisions again and again, half a millisecond
each time; at 1,000 decisions a second half of them took 5 ms so.
"""

from floorwalker.server.keeper.process import Keeper

__all__ = ["Keeper"]
