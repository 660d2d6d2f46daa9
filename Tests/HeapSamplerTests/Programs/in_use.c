// bytes_in_use: within its stated error while blocks live, move, change hands, and while thousands of threads come and go.
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "check.h"
#include "heap_reading.h"

static void *blocks[20000];
static long error = 65536; // two threads live at most

static int64_t in_use(void) {
    struct heap heap = heap_read(heap_own_path());
    int64_t bytes = heap.header->bytes_in_use;
    heap_close(&heap);
    return bytes;
}

static void *allocate_one(void *index) {
    blocks[(size_t)index] = kept(malloc(3000));
    return NULL;
}

static void *free_one(void *index) {
    free(blocks[(size_t)index]);
    return NULL;
}

static void in_threads(void *(*work)(void *), size_t count) {
    for (size_t index = 0; index < count; index++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, work, (void *)index) == 0);
        pthread_join(thread, NULL);
    }
}

static int64_t truth(size_t count) {
    int64_t sum = 0;
    for (size_t index = 0; index < count; index++) sum += (int64_t)malloc_usable_size(blocks[index]) + 8;
    return sum;
}

static void expect(const char *what, int64_t base, int64_t wanted) {
    int64_t got = in_use() - base;
    // A block that is mapped alone is rounded up to a page, its header included.
    CHECK(labs(got - wanted) <= 2 * error + 8192, "%s: %ld instead of %ld", what, got, wanted);
}

int main(void) {
    const char *promised = getenv("OAKUM_HEAP_ERROR_BYTES");
    if (promised) error = atol(promised);
    int64_t base = in_use();
    CHECK(labs(base) < 2 * 65536, "%ld at the start", base);
    for (size_t index = 0; index < 20000; index++) blocks[index] = kept(malloc(1 + index));
    expect("allocated", base, truth(20000));
    for (size_t index = 0; index < 20000; index++) blocks[index] = kept(realloc(blocks[index], 1 + (index * 7919) % 30000));
    expect("resized", base, truth(20000));
    for (size_t index = 0; index < 20000; index++) free(blocks[index]);
    expect("freed", base, 0);
    in_threads(allocate_one, 3000);
    expect("allocated by 3000 threads that are gone", base, truth(3000));
    in_threads(free_one, 3000);
    expect("freed by 3000 other threads", base, 0);
    void *large = kept(malloc(100 << 20));
    expect("one mapped alone", base, 100 << 20);
    large = kept(realloc(large, 300 << 20));
    expect("and grown", base, 300 << 20);
    free(large);
    expect("and freed", base, 0);
    return 0;
}
