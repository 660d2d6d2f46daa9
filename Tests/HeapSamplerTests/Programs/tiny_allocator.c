// An allocator without locks, for a signal handler to use; preloaded after the sampler. It never gives memory back.
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

static _Atomic uintptr_t next_free;

static void *take(size_t alignment, size_t size) {
    uintptr_t base = atomic_load(&next_free);
    if (base == 0) {
        void *memory = mmap(NULL, 64ul << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        uintptr_t none = 0;
        atomic_compare_exchange_strong(&next_free, &none, (uintptr_t)memory);
        base = atomic_load(&next_free);
    }
    if (alignment < 16) alignment = 16;
    uintptr_t block;
    do {
        block = (base + 16 + alignment - 1) & ~(alignment - 1);
    } while (!atomic_compare_exchange_weak(&next_free, &base, block + size));
    ((size_t *)block)[-1] = size;
    return (void *)block;
}

size_t malloc_usable_size(void *block) { return block ? ((size_t *)block)[-1] : 0; }
void *malloc(size_t size) { return take(16, size); }
void *calloc(size_t count, size_t each) { return take(16, count * each); }
void *memalign(size_t alignment, size_t size) { return take(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { return take(alignment, size); }
void free(void *block) { (void)block; }
void *realloc(void *block, size_t size) {
    void *moved = take(16, size);
    size_t old = malloc_usable_size(block);
    if (block) memcpy(moved, block, old < size ? old : size);
    return moved;
}
int posix_memalign(void **out, size_t alignment, size_t size) {
    if (alignment % 8 || alignment & (alignment - 1) || alignment == 0) return EINVAL;
    *out = take(alignment, size);
    return 0;
}
