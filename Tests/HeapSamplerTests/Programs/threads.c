// Many threads allocate, resize and free each other's blocks; every block carries a pattern that is checked. At the end all
// is freed: no record may be left and the counter must be back. Arguments: seconds, threads.
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include "check.h"
#include "heap_reading.h"

#define SLOTS 4096
struct block {
    uint64_t size, canary;
    uint8_t bytes[];
};
static _Atomic(struct block *) slots[SLOTS];
static _Atomic bool is_over;
static _Atomic uint64_t operations;

static uint64_t canary(const struct block *block, uint64_t size) { return (uint64_t)block * 31 ^ size ^ 0xCAFE; }

static struct block *filled(struct block *block, uint64_t size) {
    CHECK(block != NULL);
    block->size = size;
    block->canary = canary(block, size);
    memset(block->bytes, (int)(size & 0xFF), size);
    return block;
}

static void examine(struct block *block) {
    CHECK(block->canary == canary(block, block->size), "size %lu", block->size);
    for (uint64_t at = 0; at < block->size; at += 1 + block->size / 16)
        CHECK(block->bytes[at] == (uint8_t)block->size, "size %lu at %lu", block->size, at);
    if (block->size) CHECK(block->bytes[block->size - 1] == (uint8_t)block->size);
}

static NOINLINE struct block *make(uint64_t random) {
    uint64_t size = random % 100 < 90 ? random / 100 % 600 : random % 100 < 99 ? random / 100 % 20000 : random / 100 % 300000;
    size_t bytes = size + sizeof(struct block);
    void *block = NULL;
    switch (random / 7 % 4) {
        case 0: block = calloc(1, bytes); break;
        case 1: block = memalign(16u << random % 10, bytes); break;
        default: block = malloc(bytes);
    }
    return filled(kept(block), size);
}

static void *work(void *seed_) {
    uint64_t seed = (uint64_t)seed_ * 7919 + 3, done = 0;
    while (!atomic_load(&is_over)) {
        for (int step = 0; step < 1000; step++, done++) {
            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            uint64_t random = seed >> 20;
            struct block *mine = random % 5 < 3 ? make(random) : NULL;
            struct block *old = atomic_exchange(&slots[random / 11 % SLOTS], mine);
            if (!old) continue;
            examine(old);
            if (random % 13 == 0) {
                uint64_t size = random % 3000;
                uint64_t was = old->size;
                struct block *moved = kept(realloc(old, size + sizeof *old));
                CHECK(moved && moved->size == was);
                filled(moved, size);
                examine(moved);
                old = moved;
            }
            free(old);
        }
    }
    atomic_fetch_add(&operations, done);
    return NULL;
}

int main(int count, char **arguments) {
    int seconds = count > 1 ? atoi(arguments[1]) : 3, threads = count > 2 ? atoi(arguments[2]) : 8;
    pthread_t ids[64];
    for (long index = 0; index < threads; index++) pthread_create(&ids[index], NULL, work, (void *)index);
    struct timespec pause = {seconds, 0};
    nanosleep(&pause, NULL);
    atomic_store(&is_over, true);
    for (int index = 0; index < threads; index++) pthread_join(ids[index], NULL);
    for (int index = 0; index < SLOTS; index++) {
        struct block *block = atomic_exchange(&slots[index], NULL);
        if (block) examine(block);
        free(block);
    }
    if (*heap_own_path() != 0) {
        struct heap heap = heap_read(heap_own_path());
        struct heap_sum sum = heap_total(&heap, (uint64_t)&work & ~0xFFFul, ((uint64_t)&main & ~0xFFFul) + 8192);
        CHECK(sum.records == 0, "%lu records are left of blocks that were freed", sum.records);
        sum = heap_total(&heap, 0, 0);
        CHECK(sum.odd_records + sum.odd_stacks == 0, "%lu odd records, %lu odd stacks", sum.odd_records, sum.odd_stacks);
        CHECK(labs(heap.header->bytes_in_use) < 3 * 65536, "%ld bytes in use", heap.header->bytes_in_use);
        CHECK(heap.header->counters.samples > 0);
        printf("samples %lu dropped %lu freed %lu ", heap.header->counters.samples, heap.header->counters.samples_dropped, sum.freed);
    }
    printf("operations %lu\n", operations);
    return 0;
}
