"""L1A counts to radiances with noise and wavelength."""
