"""From syntax trees to specialised blocks; `compile` is the door, `expressions` the heart."""
