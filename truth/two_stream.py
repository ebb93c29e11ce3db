"""Turn layers of isotropic scatterers into the diffuse light of a two-stream solution by adding."""

import numpy as np
from numba import njit

SMALLEST_RATE = 1e-3  # 1, of the slope: keeps layers that absorb nothing regular
THIN = 1e-4  # 1, absorption below which a layer gives off all that it scatters
TERMS = 9


@njit(cache=True)
def layer(depth, scattered, slope):
    """Give reflection, transmission and the part of its own light that leaves a layer."""
    lost = max(1.0 - scattered / max(depth, 1e-30), 0.0)
    rate = slope * max(np.sqrt(lost), SMALLEST_RATE)
    turned, removed = slope * 0.5 * (1.0 - lost), slope * 0.5 * (1.0 + lost)
    decay = np.exp(-rate * depth)
    below = rate + removed + (rate - removed) * decay * decay
    reflected = turned * (1.0 - decay * decay) / below
    passed = 2.0 * rate * decay / below
    absorbed = slope * depth * lost
    kept = (1.0 - reflected - passed) / absorbed if absorbed > THIN else 1.0
    return reflected, passed, min(kept, 1.0)


@njit(cache=True)
def two_stream_light(extinction, air, particles, seen, sunlit, ground_sun, albedo, slope):
    """Give the parts of the diffuse light that the sensor sees, without factors, (TERMS, point).

    Light that the atmosphere scatters out of the beam, rising and falling, seen by its scattering on air
    (rows 0, 1) and on particles (2, 3), and received by the ground (4); light of the sunlit ground seen by
    its scattering on both (5), rising and falling on particles (6, 7), and received by the ground again (8).

    extinction, air, particles  (layer, point), the same, (layer,)  vertical depths, top to surface; the
                                latter two of isotropic scattering
    sunlit, seen                (layer, point)  mean transmittance from the Sun and to the sensor
    ground_sun                  (point,)        flux of the direct beam on the ground
    slope                       diffusivity: path over height of the diffuse light
    """
    layers, points = extinction.shape
    result = np.zeros((TERMS, points))
    reflect, pass_on, emit = np.zeros(layers), np.zeros(layers), np.zeros(layers)
    above, gain, falling = np.zeros(layers + 1), np.zeros(layers), np.zeros(layers + 1)
    for p in range(points):
        for i in range(layers):
            scattered = air[i, p] + particles[i]
            reflect[i], pass_on[i], kept = layer(extinction[i, p], scattered, slope)
            emit[i] = 0.5 * scattered * sunlit[i, p] * kept
            gain[i] = 1.0 / (1.0 - reflect[i] * above[i])
            falling[i + 1] = emit[i] + pass_on[i] * (falling[i] + above[i] * emit[i]) * gain[i]
            above[i + 1] = reflect[i] + pass_on[i] ** 2 * above[i] * gain[i]
        mirror = albedo / (1.0 - albedo * above[layers])
        for of_ground in range(2):
            of_air = 1 - of_ground
            up = mirror * (of_air * falling[layers] + of_ground * ground_sun[p])
            down = of_air * falling[layers] + above[layers] * up
            result[4 + 4 * of_ground, p] = down
            for i in range(layers - 1, -1, -1):
                up_below, down_below = up, down
                given = of_air * emit[i] + pass_on[i] * up
                down = (of_air * falling[i] + above[i] * given) * gain[i]
                up = given + reflect[i] * down
                risen, fallen = 0.5 * seen[i, p] * (up + up_below), 0.5 * seen[i, p] * (down + down_below)
                if of_ground:
                    result[5, p] += (air[i, p] + particles[i]) * (risen + fallen)
                    result[6, p] += particles[i] * risen
                    result[7, p] += particles[i] * fallen
                else:
                    result[0, p] += air[i, p] * risen
                    result[1, p] += air[i, p] * fallen
                    result[2, p] += particles[i] * risen
                    result[3, p] += particles[i] * fallen
    return result
