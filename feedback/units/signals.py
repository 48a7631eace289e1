"""What tickets and testers announce, in the transaction of the write.

Each is sent once for all that is written together, with the model as its sender.
"""

from __future__ import annotations

from django.dispatch import Signal

# With `pks`, before the rows are written, while they are locked and as they were: each
# row once in a unit of work. Not of new rows.
changing = Signal()
# With `changes`, a list of Changed, and `origin`, an Origin, after they were written.
changed = Signal()
