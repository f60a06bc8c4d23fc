"""Between the engine and the network: archive (outermost), validators, gate."""
