// Every entry point keeps its contract, and (with `exact`) is told in the heap file. Arguments: exact | sampled | none.
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>
#include "check.h"
#include "heap_reading.h"

static bool is_exact;

static void recorded(void *block, size_t size) {
    if (!is_exact) return;
    struct heap heap = heap_read(heap_own_path());
    const struct oakum_heap_record *record = heap_find(&heap, block);
    CHECK(record != NULL, "block of %zu bytes", size);
    CHECK(record->size == size && record->weight == size, "%lu instead of %zu", record->size, size);
    heap_close(&heap);
}

static void forgotten(uintptr_t address) {
    if (!is_exact) return;
    struct heap heap = heap_read(heap_own_path());
    CHECK(heap_find(&heap, (void *)address) == NULL, "");
    heap_close(&heap);
}

static void holds(void *block, size_t size) {
    CHECK(block != NULL);
    CHECK((uintptr_t)block % 16 == 0);
    CHECK(malloc_usable_size(block) >= size, "%zu < %zu", malloc_usable_size(block), size);
    memset(block, 0x5A, malloc_usable_size(block));
    recorded(block, size);
}

static void plain(size_t size) {
    void *block = kept(malloc(size));
    holds(block, size);
    errno = 77;
    free(block);
    CHECK(errno == 77);
    forgotten((uintptr_t)block);

    uint8_t *zeroed = kept(calloc(size / 4 + 1, 4));
    for (size_t at = 0; at < (size / 4 + 1) * 4; at++) CHECK(zeroed[at] == 0, "size %zu at %zu", size, at);
    holds(zeroed, (size / 4 + 1) * 4);
    free(zeroed);
}

static void aligned(size_t alignment, size_t size) {
    void *block = kept(memalign(alignment, size));
    CHECK((uintptr_t)block % alignment == 0);
    holds(block, size);
    free(block);
    size_t multiple = (size + alignment - 1) / alignment * alignment;
    block = kept(aligned_alloc(alignment, multiple));
    CHECK((uintptr_t)block % alignment == 0);
    holds(block, multiple);
    free(block);
    block = NULL;
    CHECK(posix_memalign(&block, alignment < 8 ? 8 : alignment, size) == 0);
    CHECK((uintptr_t)block % alignment == 0);
    holds(block, size);
    free(block);
}

static void resized(size_t from, size_t to) {
    uint8_t *block = kept(realloc(NULL, from));
    holds(block, from);
    for (size_t at = 0; at < from; at++) block[at] = (uint8_t)(at * 7 + 1);
    uint8_t *moved = kept(realloc(block, to));
    CHECK(moved != NULL && malloc_usable_size(moved) >= to);
    for (size_t at = 0; at < (from < to ? from : to); at++) CHECK(moved[at] == (uint8_t)(at * 7 + 1), "%zu %zu", from, to);
    recorded(moved, to);
    if (moved != block) forgotten((uintptr_t)block);
    moved = kept(reallocarray(moved, to + 1, 3));
    recorded(moved, (to + 1) * 3);
    CHECK(kept(realloc(moved, 0)) == NULL); // glibc frees
    forgotten((uintptr_t)moved);
}

static void refused(void) {
    volatile size_t huge = SIZE_MAX / 2;
    errno = 0;
    CHECK(kept(malloc(huge * 2)) == NULL && errno == ENOMEM);
    errno = 0;
    CHECK(kept(malloc(huge)) == NULL && errno == ENOMEM);
    errno = 0;
    CHECK(kept(calloc(huge, 4)) == NULL && errno == ENOMEM);
    uint8_t *block = kept(malloc(100));
    memset(block, 9, 100);
    errno = 0;
    CHECK(kept(reallocarray(block, huge, 3)) == NULL && errno == ENOMEM);
    errno = 0;
    CHECK(kept(realloc(block, huge)) == NULL && errno == ENOMEM);
    recorded(block, 100);
    CHECK(block[99] == 9);
    errno = 0;
    CHECK(kept(memalign(64, huge)) == NULL && errno == ENOMEM);
    CHECK(kept(valloc(huge)) == NULL);
    void *out = block;
    errno = 5;
    CHECK(posix_memalign(&out, 24, 100) == EINVAL && out == block && errno == 5);
    CHECK(posix_memalign(&out, 0, 100) == EINVAL && posix_memalign(&out, 4, 5000) == EINVAL && out == block);
    CHECK(posix_memalign(&out, 64, huge) == ENOMEM && out == block);
    free(block);
    free(NULL);
    free(kept(malloc(0)));
    free(kept(calloc(0, 9)));
}

extern void cfree(void *) __attribute__((weak));
extern void free_sized(void *, size_t) __attribute__((weak));
extern void free_aligned_sized(void *, size_t, size_t) __attribute__((weak));

static void other_names(void) {
    void *block = kept(valloc(100));
    CHECK((uintptr_t)block % 4096 == 0);
    holds(block, 100);
    free(block);
    block = kept(pvalloc(4097));
    CHECK((uintptr_t)block % 4096 == 0 && malloc_usable_size(block) >= 8192);
    recorded(block, 4097);
    free(block);
    if (cfree) cfree(kept(malloc(9)));
    if (free_sized) free_sized(kept(malloc(9)), 9);
    if (free_aligned_sized) free_aligned_sized(kept(memalign(64, 9)), 64, 9);
    char *copy = kept(strdup("a block of libc's own making"));
    recorded(copy, 29);
    free(copy);
}

int main(int count, char **arguments) {
    is_exact = count > 1 && strcmp(arguments[1], "exact") == 0;
    const size_t sizes[] = {0, 1, 8, 24, 25, 100, 1000, 4080, 4096, 5000, 70000, 131072, 200000, 3000000};
    const size_t number = sizeof sizes / sizeof *sizes;
    for (int round = 0; round < (is_exact ? 1 : 50); round++) {
        for (size_t index = 0; index < number; index++) plain(sizes[index]);
        for (size_t alignment = 1; alignment <= 1 << 16; alignment *= 2) aligned(alignment, 5 + alignment / 3);
        for (size_t from = 1; from < number; from++) {
            for (size_t to = 1; to < number; to++) resized(sizes[from], sizes[to]);
        }
        refused();
        other_names();
    }
    if (count > 1 && strcmp(arguments[1], "none") != 0) {
        struct heap heap = heap_read(heap_own_path());
        struct heap_sum sum = heap_total(&heap, 0, 0);
        CHECK(sum.odd_records == 0 && sum.odd_stacks == 0 && sum.odd_modules == 0);
        CHECK(heap.header->counters.samples > 100 && sum.freed > 100, "%lu %lu", heap.header->counters.samples, sum.freed);
        CHECK(labs(heap.header->bytes_in_use) < 2 * 65536, "%ld in use", heap.header->bytes_in_use);
    }
    puts("all entry points keep their contracts");
    return 0;
}
