// Known amounts of live memory, estimated from samples: for each way of allocating, the error of the mean of many trials and
// the share of trials whose 95 % interval covers the truth. Prints `way truth mean_error_percent coverage_percent trials`.
#include <malloc.h>
#include <math.h>
#include <time.h>
#include <stdint.h>
#include "check.h"
#include "heap_reading.h"

#define BLOCKS 12000
static void *blocks[BLOCKS];
static uint64_t seed = 1;

static uint64_t next_random(void) {
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return seed >> 33;
}

// Sizes as programs have them: mostly small, some large, a few beyond the mean.
static size_t some_size(void) {
    uint64_t kind = next_random() % 100;
    if (kind < 70) return 16 + next_random() % 240;
    if (kind < 97) return 256 + next_random() % 8000;
    return 8192 + next_random() % 200000;
}

static NOINLINE void *by_malloc(size_t size) { return kept(malloc(size)); }
static NOINLINE void *by_calloc(size_t size) { return kept(calloc(1, size)); }
static NOINLINE void *by_memalign(size_t size) { return kept(memalign(64, size)); }
static NOINLINE void *by_growing(size_t size) {
    void *block = NULL;
    for (size_t part = 1; part <= 8; part++) block = kept(realloc(block, (size * part + 7) / 8));
    return block;
}
static NOINLINE void *by_shrinking(size_t size) {
    void *block = kept(malloc(size * 5));
    block = kept(realloc(block, size * 2));
    return kept(realloc(block, size));
}

struct estimate {
    double bytes, variance;
};

// Horvitz–Thompson: each sample stands for its weight; a block of size s is in the sample with probability s / weight.
static struct estimate estimate_now(uint64_t since) {
    struct heap heap = heap_read(heap_own_path());
    struct estimate estimate = {0, 0};
    for (uint64_t index = 0; index < heap.record_count; index++) {
        const struct oakum_heap_record *record = &heap.records[index];
        if (!heap_is_live(record) || record->birth_ns < since) continue;
        double probability = (double)record->size / (double)record->weight;
        estimate.bytes += (double)record->weight;
        estimate.variance += (double)record->weight * (double)record->weight * (1 - probability);
    }
    CHECK(heap.header->counters.samples_dropped == 0);
    heap_close(&heap);
    return estimate;
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_BOOTTIME, &time);
    return (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

static void measure(const char *name, void *(*way)(size_t), int trials) {
    double sum_of_errors = 0, worst = 0, sum_of_truths = 0;
    int covered = 0;
    for (int trial = 0; trial < trials; trial++) {
        uint64_t since = now();
        double truth = 0;
        for (int index = 0; index < BLOCKS; index++) {
            size_t size = some_size();
            blocks[index] = way(size);
            truth += (double)size;
        }
        struct estimate estimate = estimate_now(since);
        double error = (estimate.bytes - truth) / truth;
        sum_of_errors += error;
        sum_of_truths += truth;
        if (fabs(error) > worst) worst = fabs(error);
        covered += fabs(estimate.bytes - truth) <= 1.96 * sqrt(estimate.variance);
        for (int index = 0; index < BLOCKS; index++) free(blocks[index]);
    }
    printf("%s %.0f %.3f %.1f %d %.1f\n", name, sum_of_truths / trials, 100 * sum_of_errors / trials,
        100.0 * covered / trials, trials, 100 * worst);
}

int main(int count, char **arguments) {
    int trials = count > 1 ? atoi(arguments[1]) : 100;
    seed = count > 2 ? strtoull(arguments[2], NULL, 10) : 1;
    measure("malloc", by_malloc, trials);
    measure("calloc", by_calloc, trials);
    measure("memalign", by_memalign, trials);
    measure("growing", by_growing, trials);
    measure("shrinking", by_shrinking, trials);
    return 0;
}
