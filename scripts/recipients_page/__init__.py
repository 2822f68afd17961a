"""What makes docs/recipients.md: pictures from the simulators, and what is written beside them."""
