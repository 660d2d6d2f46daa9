// The allocator that comes after this library: found by dlsym(RTLD_NEXT), so that jemalloc or tcmalloc, linked or preloaded
// after us, are used when they are there (glibc's __libc_malloc would go past them).
//
// dlsym itself may allocate, before anybody can serve it: those blocks come from a small arena and are never given back.
#include "heap_sampler.h"
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct oh_next oh_next;
static _Atomic uint32_t stage; // 0 not begun, 1 under way, 2 done

// Each block has pages of its own: its pointer is marked then, and so takes the slow path in free and realloc.
#define ARENA_PAGES 64
static struct {
    _Alignas(4096) uint8_t bytes[ARENA_PAGES * OH_PAGE];
} arena;
static _Atomic uint32_t arena_used = 1; // the first page holds the header of the first block

void *oh_arena_allocate(size_t bytes, size_t alignment) {
    uint64_t pages = (bytes + 16 + OH_PAGE - 1) / OH_PAGE; // the header of the next block lies at the end of this one
    if (bytes > sizeof arena || alignment > OH_PAGE) return NULL;
    uint32_t first = atomic_fetch_add(&arena_used, (uint32_t)pages);
    if (first + pages > ARENA_PAGES) return NULL;
    uint8_t *block = arena.bytes + first * OH_PAGE;
    // Looks like a mapped chunk of glibc, for a malloc_usable_size that is asked about it.
    ((uint64_t *)block)[-1] = (bytes + 16 + 15) / 16 * 16 | 2;
    return block;
}

bool oh_arena_owns(const void *block) {
    return (const uint8_t *)block >= arena.bytes && (const uint8_t *)block < arena.bytes + sizeof arena;
}

size_t oh_arena_size(const void *block) { return oh_chunk(block) - 16; }

// glibc keeps the size of a chunk in the word before the block (malloc/malloc.c, the same since ptmalloc2). It is trusted
// only when the next allocator is glibc's own and gives the expected sizes for small, large and mapped blocks.
static bool headers_are_known(void) {
    void *own = dlsym(RTLD_NEXT, "__libc_malloc");
    if (!own || own != (void *)oh_next.malloc || !oh_next.usable_size) return false;
    static const size_t sizes[] = {1, 24, 25, 1000, 5000, 300000};
    for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
        uint64_t *block = oh_next.malloc(sizes[index]);
        if (!block) return false;
        bool is_mapped = block[-1] & 2;
        bool fits = oh_next.usable_size(block) == oh_chunk(block) - (is_mapped ? 16 : 8);
        oh_next.free(block);
        if (!fits) return false;
    }
    return true;
}

static bool brings_own_new(void) {
    Dl_info operator_new, allocator;
    void *new = dlsym(RTLD_DEFAULT, "_Znwm");
    return new && dladdr(new, &operator_new) && dladdr((void *)oh_next.malloc, &allocator) &&
           operator_new.dli_fbase == allocator.dli_fbase;
}

// Asked by calling it: an address says little, since a program may hold an entry of its own that leads here.
bool oh_is_shadowed(void) {
    void *(*seen)(size_t) = dlsym(RTLD_DEFAULT, "malloc");
    void (*give_back)(void *) = dlsym(RTLD_DEFAULT, "free");
    if (!seen || !give_back) return false;
    struct oh_thread *thread = &oh_self;
    uint64_t visits = thread->visits;
    thread->fuel = 0;
    give_back(seen(16));
    return thread->visits == visits;
}

// For an allocator that lacks the old names.
static void *aligned_by_posix(size_t alignment, size_t bytes) {
    void *block = NULL;
    int error = oh_next.posix_memalign(&block, alignment, bytes);
    if (error != 0) errno = error;
    return error == 0 ? block : NULL;
}
static void *page_by_posix(size_t bytes) { return aligned_by_posix(OH_PAGE, bytes); }
static void *pages_by_posix(size_t bytes) { return aligned_by_posix(OH_PAGE, (bytes + OH_PAGE - 1) & ~(OH_PAGE - 1)); }

bool oh_resolve(void) {
    if (OH_LIKELY(atomic_load_explicit(&stage, memory_order_acquire) == 2)) return true;
    uint32_t none = 0;
    if (!atomic_compare_exchange_strong(&stage, &none, 1)) return none == 2;
    oh_next.malloc = dlsym(RTLD_NEXT, "malloc");
    oh_next.calloc = dlsym(RTLD_NEXT, "calloc");
    oh_next.realloc = dlsym(RTLD_NEXT, "realloc");
    oh_next.free = dlsym(RTLD_NEXT, "free");
    oh_next.posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
    oh_next.aligned_alloc = dlsym(RTLD_NEXT, "aligned_alloc");
    oh_next.memalign = dlsym(RTLD_NEXT, "memalign");
    oh_next.valloc = dlsym(RTLD_NEXT, "valloc");
    oh_next.pvalloc = dlsym(RTLD_NEXT, "pvalloc");
    oh_next.usable_size = dlsym(RTLD_NEXT, "malloc_usable_size");
    oh_next.dlclose = dlsym(RTLD_NEXT, "dlclose");
    if (!oh_next.malloc || !oh_next.calloc || !oh_next.realloc || !oh_next.free || !oh_next.posix_memalign) {
        // No allocator behind us: nothing can run, and there is nobody to tell.
        abort();
    }
    if (!oh_next.aligned_alloc) oh_next.aligned_alloc = aligned_by_posix;
    if (!oh_next.memalign) oh_next.memalign = aligned_by_posix;
    if (!oh_next.valloc) oh_next.valloc = page_by_posix;
    if (!oh_next.pvalloc) oh_next.pvalloc = pages_by_posix;
    oh_next.is_glibc = headers_are_known();
    oh_next.has_own_new = brings_own_new();
    // From here the fast path may serve. The null pointer and the blocks of the arena stay special for ever.
    atomic_fetch_add(&oh_filter[oh_filter_place(NULL)], 1);
    for (size_t page = 0; page < ARENA_PAGES; page++)
        atomic_fetch_add(&oh_filter[oh_filter_place(arena.bytes + page * OH_PAGE)], 1);
    oh_is_pinned = !oh_next.is_glibc;
    oh_mask = oh_next.is_glibc ? OH_MARK_MASK : 0;
    atomic_store_explicit(&stage, 2, memory_order_release);
    return true;
}

uint64_t oh_block_bytes(void *block) {
    if (oh_next.is_glibc) return oh_chunk(block);
    return oh_next.usable_size ? oh_next.usable_size(block) : 0;
}
