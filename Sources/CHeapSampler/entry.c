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

// Only reached with glibc behind us: with any other allocator fuel stays 0 and the slow path counts.
static inline void *counted(void *block) {
    if (OH_UNLIKELY(block == NULL)) return NULL;
    uint64_t room = oh_self.room + oh_chunk(block);
    oh_self.room = room;
    if (OH_UNLIKELY(room > 2 * OH_BATCH)) return oh_tell(block);
    return block;
}

EXPORTED void *malloc(size_t size) {
    uint64_t fuel = oh_self.fuel;
    if (OH_UNLIKELY(size >= fuel)) JUMP oh_slow_malloc(size);
    oh_self.fuel = fuel - size;
    return counted(oh_next.malloc(size));
}

EXPORTED void *calloc(size_t count, size_t each) {
    uint64_t fuel = oh_self.fuel;
    size_t size;
    if (OH_UNLIKELY(__builtin_mul_overflow(count, each, &size) || size >= fuel)) JUMP oh_slow_calloc(count, each);
    oh_self.fuel = fuel - size;
    return counted(oh_next.calloc(count, each));
}

EXPORTED void free(void *block) {
    if (OH_UNLIKELY(oh_is_special(block))) JUMP oh_slow_free(block);
    uint64_t room = oh_self.room - oh_chunk(block);
    oh_self.room = room;
    if (OH_UNLIKELY(room > 2 * OH_BATCH)) JUMP oh_tell_and_free(block);
    JUMP oh_next.free(block);
}

// Growth is charged by the block's real bytes, known only afterwards; it is at most the new size and a page of rounding, so
// with twice that in hand no sample can fall due.
#define ROUNDING 16384

EXPORTED void *realloc(void *block, size_t size) {
    uint64_t fuel = oh_self.fuel;
    if (OH_UNLIKELY(oh_is_special(block) || size == 0 || fuel <= ROUNDING || size >= fuel - ROUNDING))
        JUMP oh_slow_realloc(block, size);
    uint64_t before = oh_chunk(block);
    block = oh_next.realloc(block, size);
    if (OH_UNLIKELY(block == NULL)) return NULL;
    uint64_t after = oh_chunk(block), room = oh_self.room + after - before;
    if (after > before) oh_self.fuel -= after - before;
    oh_self.room = room;
    if (OH_UNLIKELY(room > 2 * OH_BATCH)) return oh_tell(block);
    return block;
}

EXPORTED void *reallocarray(void *block, size_t count, size_t each) { JUMP oh_slow_reallocarray(block, count, each); }

EXPORTED void *memalign(size_t alignment, size_t size) {
    uint64_t fuel = oh_self.fuel;
    if (OH_UNLIKELY(size >= fuel)) JUMP oh_slow_memalign(alignment, size);
    oh_self.fuel = fuel - size;
    return counted(oh_next.memalign(alignment, size));
}

EXPORTED void *aligned_alloc(size_t alignment, size_t size) {
    uint64_t fuel = oh_self.fuel;
    if (OH_UNLIKELY(size >= fuel)) JUMP oh_slow_aligned_alloc(alignment, size);
    oh_self.fuel = fuel - size;
    return counted(oh_next.aligned_alloc(alignment, size));
}

EXPORTED int posix_memalign(void **out, size_t alignment, size_t size) {
    uint64_t fuel = oh_self.fuel;
    if (OH_UNLIKELY(size >= fuel)) JUMP oh_slow_posix_memalign(out, alignment, size);
    oh_self.fuel = fuel - size;
    int error = oh_next.posix_memalign(out, alignment, size);
    if (error == 0) counted(*out);
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
