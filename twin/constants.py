"""Hold the constants of the twin side, each with its unit and source on its line."""

C_LIGHT = 299_792_458.0  # m s-1, exact (SI)
PLANCK = 6.626_070_15e-34  # J s, exact (SI)
BOLTZMANN = 1.380_649e-23  # J K-1, exact (SI)
AVOGADRO = 6.022_140_76e23  # mol-1, exact (SI)
AU = 149_597_870_700.0  # m, exact (IAU 2012 B2)
DAY_S = 86_400  # s

WGS84_A = 6_378_137.0  # m, equatorial radius (NIMA TR8350.2)
WGS84_F = 1.0 / 298.257_223_563  # flattening (NIMA TR8350.2)
WGS84_B = WGS84_A * (1.0 - WGS84_F)  # m, polar radius, from the two above
GM_EARTH = 3.986_004_418e14  # m3 s-2 (WGS-84, NIMA TR8350.2)
J2_EARTH = 1.082_629_8e-3  # second zonal harmonic (EGM96: -sqrt(5) * C20 = sqrt(5) * 4.84165e-4)
TROPICAL_YEAR_D = 365.242_19  # d, mean Sun through the equinox of date (IAU, J2000)

TT_MINUS_GPS_S = 51.184  # s, TT - TAI 32.184 and TAI - GPS 19 (IS-GPS-200)

BANDS = ("B1", "B2", "B3", "B4")  # O2 A, CO2 1.6, CO2 2.0, O2 1.27 micrometre
FOVS = 3  # fields of view, numbered 1..3 (CEOS)
SPECTELS = 1024  # per band (MISSION figure, recalled from the literature)
FRAME_US = 1_304_000  # us, one acquisition (8.9 km at 6.828 km/s)
SWEEP_FRAMES = 20  # of one city sweep: 40 km in steps of 2 km, 26 s (assumption, see the scan of 40 x 40 km)
SETTLING_US = 5_000_000  # us, between a slew and the first exposure (assumption)
BOOT_COUNT = 1  # of the on-board computer, in every sounding_id (assumption)
OPERATION_MODES = {"nadir": 0, "glint": 1, "target": 2, "city": 3}  # operation_mode of geometry and packets

ALTITUDE_REFERENCE_M = 648_900.0  # m, mean altitude of the 25 d / 368 revs orbit (J2)
FOV_ACROSS_RAD = 4_500.0 / ALTITUDE_REFERENCE_M  # rad, 4.5 km across track (CEOS)
