"""Turn layers of isotropic scatterers into the diffuse fluxes of a two-stream solution by adding."""

import numpy as np
from numba import njit

SMALLEST_RATE = 1e-3  # 1, of the slope: keeps layers that absorb nothing regular


@njit(cache=True)
def seen_and_received(extinction, scattering, sunlit, seen, ground_sun, albedo, slope):
    """Give what the sensor sees of the air's diffuse light and what the ground receives of it, (4, point).

    First the light that the air scatters out of the beam, then the light of the sunlit ground.

    extinction, scattering  (layer, point)  vertical depths, top to surface
    sunlit, seen            (layer, point)  mean transmittance from the Sun and to the sensor
    ground_sun              (point,)        flux of the direct beam on the ground
    slope                   diffusivity: path over height of the diffuse light
    """
    layers, points = extinction.shape
    result = np.zeros((4, points))
    reflect, pass_on, emit = np.zeros(layers), np.zeros(layers), np.zeros(layers)
    above, gain, falling = np.zeros(layers + 1), np.zeros(layers), np.zeros(layers + 1)
    for p in range(points):
        for i in range(layers):
            depth = extinction[i, p]
            lost = 1.0 - scattering[i, p] / max(depth, 1e-30)
            rate = slope * max(np.sqrt(max(lost, 0.0)), SMALLEST_RATE)
            turned = slope * 0.5 * (1.0 - lost)
            decay = np.exp(-rate * depth)
            share = rate + slope * 0.5 * (1.0 + lost)
            rest = rate - slope * 0.5 * (1.0 + lost)
            below = share + rest * decay * decay
            reflect[i] = turned * (1.0 - decay * decay) / below
            pass_on[i] = 2.0 * rate * decay / below
            absorbed = slope * depth * lost
            kept = 1.0
            if absorbed > 1e-4:
                kept = (1.0 - reflect[i] - pass_on[i]) / absorbed
            emit[i] = 0.5 * scattering[i, p] * sunlit[i, p] * min(kept, 1.0)
            gain[i] = 1.0 / (1.0 - reflect[i] * above[i])
            falling[i + 1] = emit[i] + pass_on[i] * (falling[i] + above[i] * emit[i]) * gain[i]
            above[i + 1] = reflect[i] + pass_on[i] ** 2 * above[i] * gain[i]
        mirror = albedo / (1.0 - albedo * above[layers])
        for source in range(2):
            air = 1.0 - source
            rising = mirror * (air * falling[layers] + source * ground_sun[p])
            received = air * falling[layers] + above[layers] * rising
            result[2 * source + 1, p] = received
            for j in range(layers):
                i = layers - 1 - j
                inside = received + rising
                up = air * emit[i] + pass_on[i] * rising
                received = (air * falling[i] + above[i] * up) * gain[i]
                rising = up + reflect[i] * received
                inside = 0.5 * (inside + received + rising)
                result[2 * source, p] += scattering[i, p] * seen[i, p] * inside
    return result
