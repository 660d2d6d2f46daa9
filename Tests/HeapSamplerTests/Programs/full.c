// Tables that are full: samples beyond are counted, the others go on, and room that comes back is used again.
#include "check.h"
#include "heap_reading.h"

static void *blocks[1000];

// 64 stacks of one depth: each step goes one of two ways.
static void *deep(int depth, int path);

static NOINLINE void *left(int depth, int path) {
    void *block = kept(deep(depth, path));
    __asm__ volatile("nop");
    return block;
}

static NOINLINE void *right(int depth, int path) {
    void *block = kept(deep(depth, path));
    __asm__ volatile("nop; nop");
    return block;
}

static NOINLINE void *deep(int depth, int path) {
    void *block = depth == 0 ? malloc(100) : path & 1 ? left(depth - 1, path >> 1) : right(depth - 1, path >> 1);
    return kept(block);
}

int main(void) {
    for (int round = 0; round < 3; round++) {
        for (int index = 0; index < 1000; index++) blocks[index] = kept(malloc(100));
        struct heap heap = heap_read(heap_own_path());
        struct heap_sum sum = heap_total(&heap, 0, 0);
        const struct oakum_heap_counters *counters = &heap.header->counters;
        CHECK(sum.records == 256 && heap.header->records.capacity == 256, "%lu", sum.records);
        CHECK(sum.odd_records == 0);
        CHECK(counters->samples_dropped >= (uint64_t)(round + 1) * 744 && counters->dropped_weight >= counters->samples_dropped * 100,
            "%lu %lu", counters->samples_dropped, counters->dropped_weight);
        heap_close(&heap);
        for (int index = 0; index < 1000; index++) free(blocks[index]);
        heap = heap_read(heap_own_path());
        sum = heap_total(&heap, 0, 0);
        CHECK(sum.records < 10, "%lu", sum.records);
        heap_close(&heap);
    }
    for (int path = 0; path < 64; path++) free(deep(6, path));
    struct heap heap = heap_read(heap_own_path());
    CHECK(heap.stack_count <= 16 && heap.header->counters.stacks_dropped > 30, "%lu", heap.header->counters.stacks_dropped);
    CHECK(heap.lifetimes[OAKUM_HEAP_UNKNOWN_STACK].count > 30);
    return 0;
}
