// When to sample, and what a sample stands for. Poisson sampling by bytes: each byte allocated is hit with the same small
// probability, independent of all others, so the distance between hits is exponential with the chosen mean, and a block of
// s bytes is sampled with probability 1 - exp(-s / mean). Dividing by that probability makes sums unbiased.
//
// libm would be a second library to need, so the two functions of it are written here; 1e-12 is far more than it takes.
#include "heap_sampler.h"

// SplitMix64 (Steele, Lea, Flood 2014): 64 bits of state, which is what a thread-local needs.
uint64_t oh_random(uint64_t *state) {
    uint64_t z = *state += 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

double oh_uniform(uint64_t *state) { return (double)((oh_random(state) >> 11) + 1) * 0x1p-53; }

double oh_natural_log(double value) {
    union {
        double number;
        uint64_t bits;
    } split = {value};
    int exponent = (int)((split.bits >> 52) & 0x7FF) - 1023;
    split.bits = (split.bits & 0xFFFFFFFFFFFFFull) | 0x3FF0000000000000ull;
    double mantissa = split.number; // in [1, 2)
    if (mantissa > 1.4142135623730951) {
        mantissa *= 0.5;
        exponent += 1;
    }
    // ln m = 2 artanh((m - 1) / (m + 1)), where the argument is at most 0.172.
    double t = (mantissa - 1) / (mantissa + 1), square = t * t, sum = 0;
    for (int k = 17; k >= 1; k -= 2) sum = sum * square + 1.0 / k;
    return exponent * 0.6931471805599453 + 2 * t * sum;
}

// 1 - exp(-x) = q, built up by 1 - exp(-2y) = q(y) (2 - q(y)) from a small argument: no cancellation anywhere.
double oh_hit_probability(double size, double mean) {
    double x = size / mean;
    if (!(x > 0)) return 0;
    if (x > 40) return 1;
    int doublings = 0;
    for (; x > 0.25; x *= 0.5) doublings++;
    double term = 1, sum = 0;
    for (int k = 1; k <= 12; k++) {
        term *= x / k;
        sum += k % 2 ? term : -term;
    }
    while (doublings-- > 0) sum *= 2 - sum;
    return sum;
}

uint64_t oh_draw_budget(uint64_t *state, uint64_t mean) {
    return 1 + (uint64_t)(-oh_natural_log(oh_uniform(state)) * (double)mean);
}

uint64_t oh_weight(uint64_t size, uint64_t mean) {
    if (mean == 0) return size;
    double probability = oh_hit_probability((double)size, (double)mean);
    return probability > 0 ? (uint64_t)((double)size / probability + 0.5) : mean;
}
