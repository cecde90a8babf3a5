"""The exercises of each lab: what is tested, and which tempting mistakes are recognised."""
