"""Which targets a call may go to, and the loop that asks them."""
