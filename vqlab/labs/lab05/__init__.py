"""Lab 05: VQGAN with an autoencoder warm-up, and when to switch."""
