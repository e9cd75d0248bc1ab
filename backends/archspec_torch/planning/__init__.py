"""What is known of each unit before its code is written: how ops are lowered, what is passed."""
