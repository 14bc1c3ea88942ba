"""What the machine does to a gateway: no room, no files, no threads, nobody who reads its log."""
