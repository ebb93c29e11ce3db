"""Physical constants of nature's side, each with unit and source on its line."""

C_LIGHT = 299_792_458.0  # m s-1, exact (SI)
PLANCK = 6.626_070_15e-34  # J s, exact (SI)
BOLTZMANN = 1.380_649e-23  # J K-1, exact (SI)
AVOGADRO = 6.022_140_76e23  # mol-1, exact (SI)
GAS_CONSTANT = BOLTZMANN * AVOGADRO  # J mol-1 K-1, exact (SI)
SECOND_RADIATION = 100.0 * PLANCK * C_LIGHT / BOLTZMANN  # cm K, exact (SI)
LOSCHMIDT = 101_325.0 / (BOLTZMANN * 273.15)  # m-3 at 1 amagat, exact (SI)
ASTRONOMICAL_UNIT = 149_597_870_700.0  # m, exact (IAU 2012 B2)

MOLAR_MASS_DRY_AIR = 28.9647e-3  # kg mol-1, US Standard Atmosphere composition at 400 ppm CO2
MOLAR_MASS_WATER = 18.015_28e-3  # kg mol-1, IUPAC
MOLAR_MASS_O2 = 31.998_8e-3  # kg mol-1, IUPAC
MOLAR_MASS_CO2 = 44.009_5e-3  # kg mol-1, IUPAC
O2_MOLE_FRACTION = 0.2095  # mol mol-1 of dry air, as the retrievals of this field assume
STANDARD_PRESSURE = 101_325.0  # Pa, standard atmosphere

WGS84_A = 6_378_137.0  # m, WGS-84 semi-major axis
WGS84_F = 1.0 / 298.257_223_563  # 1, WGS-84 flattening
WGS84_GRAVITY_EQUATOR = 9.780_325_335_9  # m s-2, WGS-84 normal gravity (NIMA TR8350.2)
WGS84_SOMIGLIANA_K = 0.001_931_852_652_41  # 1, WGS-84 (NIMA TR8350.2)
WGS84_ECC2 = 0.006_694_379_990_13  # 1, WGS-84 first eccentricity squared
WGS84_M = 0.003_449_786_506_84  # 1, WGS-84 omega2 a2 b / GM
EARTH_MEAN_RADIUS = 6_371_008.8  # m, IUGG mean radius

SECONDS_PER_DAY = 86_400.0  # s
PHOTONS_PER_MEGARAYLEIGH = 1e16 / (4.0 * 3.141_592_653_589_793)  # ph s-1 m-2 sr-1 per MR, definition
BANDS = ("B1", "B2", "B3", "B4")  # O2 A, CO2 1.6 um, CO2 2.0 um, O2 1.27 um; order of every band axis
