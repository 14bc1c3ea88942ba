"""What would become of a call: which targets it would be sent to, in which order, and why not to others."""
