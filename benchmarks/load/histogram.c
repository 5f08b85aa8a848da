/* Latencies, counted. */
#include "load.h"

void histogram_add(struct histogram *histogram, int64_t nanoseconds)
{
    uint64_t value = nanoseconds < 0 ? 0 : nanoseconds;
    int shift = value < STEPS ? 0 : 63 - __builtin_clzll(value) - 6;
    histogram->counts[shift * STEPS + (value >> shift)]++;
    histogram->total++;
    if ((int64_t)value > histogram->longest) histogram->longest = value;
}

/* The milliseconds within which that share (0 to 1) of all lies. */
double histogram_ms(const struct histogram *histogram, double share)
{
    uint64_t wanted = share * histogram->total, seen = 0;
    if (!histogram->total) return 0;
    for (int bucket = 0; bucket < 58 * STEPS; bucket++) {
        seen += histogram->counts[bucket];
        if (seen > wanted) {
            int shift = bucket < 2 * STEPS ? 0 : bucket / STEPS - 1;
            double width = (double)(1ULL << shift);
            return ((bucket - shift * STEPS) + 0.5) * width / 1e6;
        }
    }
    return histogram->longest / 1e6;
}
