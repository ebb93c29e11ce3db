"""Constants of the ground, each with unit and source; nature and the machine keep their own."""

import math

# SI defining constants (BIPM, SI brochure 9th edition) and what follows from them
C_LIGHT = 299_792_458.0  # m s-1, exact
PLANCK = 6.626_070_15e-34  # J s, exact
BOLTZMANN = 1.380_649e-23  # J K-1, exact
AVOGADRO = 6.022_140_76e23  # mol-1, exact
C2 = 100.0 * PLANCK * C_LIGHT / BOLTZMANN  # cm K, second radiation constant, 1.438776877

# gas at standard conditions
LOSCHMIDT = 101_325.0 / (BOLTZMANN * 273.15)  # m-3, one amagat, 2.686780e25
ATMOSPHERE = 101_325.0  # Pa, exact

# composition of air
M_DRY = 28.9644e-3  # kg mol-1, U.S. Standard Atmosphere 1976
M_H2O = 18.015_28e-3  # kg mol-1, NIST atomic weights
O2_FRACTION = 0.2095  # mol mol-1 of dry air, U.S. Standard Atmosphere 1976 (0.209476, rounded)

# Earth: WGS-84 (NIMA TR8350.2)
WGS84_A = 6_378_137.0  # m, semi-major axis, exact
WGS84_F = 1.0 / 298.257_223_563  # flattening, exact
WGS84_GM = 3.986_004_418e14  # m3 s-2
WGS84_OMEGA = 7.292_115e-5  # rad s-1, rotation rate
GRAVITY_EQUATOR = 9.780_325_335_9  # m s-2, normal gravity at the equator
GRAVITY_K = 1.931_852_652_41e-3  # Somigliana's constant

# Sun
AU = 149_597_870_700.0  # m, exact, IAU 2012 resolution B2

# emission: 1 rayleigh = 1e10 photons m-2 s-1 over a column, seen as 1/(4 pi) of it per steradian
MEGARAYLEIGH = 1e16 / (4.0 * math.pi)  # ph s-1 m-2 sr-1, 7.96e14
