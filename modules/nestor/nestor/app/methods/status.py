"""`getStatus`: what reported properties tell, at this moment and uncut."""

from nestor.app.methods.form import Nothing, Office
from nestor.app.status import Status


async def get_status(office: Office, _: Nothing) -> Status:
    """Tell what the reported properties tell, as it is at this moment, and without cuts."""
    return await office.read_status()
