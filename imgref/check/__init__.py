"""Is every image in this repository one that we trust? References are found in files and judged by a policy."""
