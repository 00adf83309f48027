"""The exports of well-known tools, each written from the tool's own documentation."""
