// The functions that programs call. Everything common stays in these few instructions; the rest is a jump away, as a jump (a
// tail call), so that the slow path finds its caller's frame directly below its own.
//
// malloc_usable_size is not among them: sampled blocks are ordinary blocks of the next allocator, which answers for them.
#include "slow_paths.h"

#define EXPORTED __attribute__((visibility("default")))
#define JUMP __attribute__((musttail)) return

// Zero at first: until the next allocator is known, every pointer is special.
uintptr_t oh_mask = 0;
bool oh_is_pinned;
_Thread_local struct oh_thread oh_self __attribute__((tls_model("initial-exec")));

// What these few instructions are is what the sampler costs, so the words of the thread are reached by hand: compilers load,
// change and store them where one instruction would do, which is also the one that a signal cannot come between.
static inline uint64_t own_words(void) {
    uint64_t offset;
    __asm__("movq oh_self@gottpoff(%%rip), %0" : "=r"(offset));
    return offset;
}

#define FUEL 0
#define TO_ALLOCATE 8
#define TO_FREE 16
_Static_assert(offsetof(struct oh_thread, fuel) == FUEL, "own_words");
_Static_assert(offsetof(struct oh_thread, to_allocate) == TO_ALLOCATE, "own_words");
_Static_assert(offsetof(struct oh_thread, to_free) == TO_FREE, "own_words");

// True when a word is at most this.
#define AT_MOST(words, word, amount) __extension__({ \
    bool is_at_most; \
    __asm__ volatile("cmpq %1, %%fs:%c3(%2)" \
        : "=@ccbe"(is_at_most) : "r"((uint64_t)(amount)), "r"(words), "i"(word) : "memory"); \
    is_at_most; \
})
// Takes from a word; true when there was less.
#define SPENDS_OVER(words, word, amount) __extension__({ \
    bool is_over; \
    __asm__ volatile("subq %1, %%fs:%c3(%2)" \
        : "=@ccb"(is_over) : "r"((uint64_t)(amount)), "r"(words), "i"(word) : "memory"); \
    is_over; \
})

// Only reached with glibc behind us: with any other allocator fuel stays 0 and the slow path counts.
static inline void *counted(uint64_t words, void *block) {
    if (OH_UNLIKELY(block == NULL)) return NULL;
    if (OH_UNLIKELY(SPENDS_OVER(words, TO_ALLOCATE, oh_chunk(block)))) return oh_tell(block);
    return block;
}

// A sanitizer brings an allocator of its own, which is not to be hidden.
#ifndef OAKUM_HEAP_SANITIZED
EXPORTED void *malloc(size_t size) {
    uint64_t words = own_words();
    if (OH_UNLIKELY(AT_MOST(words, FUEL, size))) JUMP oh_slow_malloc(size);
    (void)SPENDS_OVER(words, FUEL, size);
    return counted(words, oh_next.malloc(size));
}

EXPORTED void *calloc(size_t count, size_t each) {
    uint64_t words = own_words();
    size_t size;
    if (OH_UNLIKELY(__builtin_mul_overflow(count, each, &size) || AT_MOST(words, FUEL, size)))
        JUMP oh_slow_calloc(count, each);
    (void)SPENDS_OVER(words, FUEL, size);
    return counted(words, oh_next.calloc(count, each));
}

EXPORTED void free(void *block) {
    if (OH_UNLIKELY(oh_is_marked_or_unknown(block))) JUMP oh_free_marked(block);
    if (OH_UNLIKELY(SPENDS_OVER(own_words(), TO_FREE, oh_chunk(block)))) JUMP oh_tell_and_free(block);
    JUMP oh_next.free(block);
}

// Growth is charged by the block's real bytes, known only afterwards; it is at most the new size and a page of rounding, so
// with twice that in hand no sample can fall due.
#define ROUNDING 16384

EXPORTED void *realloc(void *block, size_t size) {
    uint64_t words = own_words();
    if (OH_UNLIKELY(oh_is_special(block) || size == 0 || size > SIZE_MAX - ROUNDING || AT_MOST(words, FUEL, size + ROUNDING)))
        JUMP oh_slow_realloc(block, size);
    uint64_t before = oh_chunk(block);
    block = oh_next.realloc(block, size);
    if (OH_UNLIKELY(block == NULL)) return NULL;
    uint64_t after = oh_chunk(block);
    if (after > before) (void)SPENDS_OVER(words, FUEL, after - before);
    bool is_due = after > before ? SPENDS_OVER(words, TO_ALLOCATE, after - before) : SPENDS_OVER(words, TO_FREE, before - after);
    return OH_UNLIKELY(is_due) ? oh_tell(block) : block;
}

EXPORTED void *reallocarray(void *block, size_t count, size_t each) { JUMP oh_slow_reallocarray(block, count, each); }

EXPORTED void *memalign(size_t alignment, size_t size) {
    uint64_t words = own_words();
    if (OH_UNLIKELY(AT_MOST(words, FUEL, size))) JUMP oh_slow_memalign(alignment, size);
    (void)SPENDS_OVER(words, FUEL, size);
    return counted(words, oh_next.memalign(alignment, size));
}

EXPORTED void *aligned_alloc(size_t alignment, size_t size) {
    uint64_t words = own_words();
    if (OH_UNLIKELY(AT_MOST(words, FUEL, size))) JUMP oh_slow_aligned_alloc(alignment, size);
    (void)SPENDS_OVER(words, FUEL, size);
    return counted(words, oh_next.aligned_alloc(alignment, size));
}

EXPORTED int posix_memalign(void **out, size_t alignment, size_t size) {
    uint64_t words = own_words();
    if (OH_UNLIKELY(AT_MOST(words, FUEL, size))) JUMP oh_slow_posix_memalign(out, alignment, size);
    (void)SPENDS_OVER(words, FUEL, size);
    int error = oh_next.posix_memalign(out, alignment, size);
    if (error == 0) counted(words, *out);
    return error;
}

EXPORTED void *valloc(size_t size) { JUMP oh_slow_valloc(size); }
EXPORTED void *pvalloc(size_t size) { JUMP oh_slow_pvalloc(size); }

EXPORTED void cfree(void *block) { JUMP free(block); }
// C23: the sizes are promises of the caller that nobody here needs.
EXPORTED void free_sized(void *block, size_t size) {
    (void)size;
    free(block);
}
EXPORTED void free_aligned_sized(void *block, size_t alignment, size_t size) {
    (void)alignment, (void)size;
    free(block);
}

// Only noted: another library may come to lie where this one was. (dlopen must not be wrapped: it looks at who calls it.)
EXPORTED int dlclose(void *library) {
    if (!oh_resolve() || !oh_next.dlclose) return -1;
    int result = oh_next.dlclose(library);
    oh_want_scan();
    return result;
}
#endif
