// What happens when a thread's budget is used up, and for pointers that may be in the table.
#include "slow_paths.h"
#include <errno.h>
#include <string.h>
#include "system_calls.h"

#define FUEL_BEFORE_START 65536ul
#define MAPPED_ALONE 131072ul // glibc maps blocks from about this size alone; those can be sampled where they are

void *oh_counted(struct oh_thread *thread, void *block) {
    if (block == NULL || oh_arena_owns(block) || (!oh_next.is_glibc && !oh_settings.is_counted)) return block;
    thread->to_allocate -= oh_block_bytes(block);
    oh_tell_in_use(thread);
    return block;
}

void oh_uncounted(struct oh_thread *thread, void *block) {
    if (!oh_next.is_glibc && !oh_settings.is_counted) return;
    thread->to_free -= oh_block_bytes(block);
    oh_tell_in_use(thread);
}

void *oh_tell(void *block) {
    oh_tell_in_use(&oh_self);
    return block;
}

// The block is counted already.
void oh_tell_and_free(void *block) {
    oh_tell_in_use(&oh_self);
    oh_next.free(block);
}

// True when a sample falls due within these bytes; spends them otherwise.
bool oh_charge(struct oh_thread *thread, uint64_t bytes) {
    uint32_t phase = atomic_load_explicit(&oh_phase, memory_order_acquire);
    if (OH_UNLIKELY(thread->epoch != atomic_load_explicit(&oh_epoch, memory_order_relaxed))) oh_meet_thread(thread);
    if (OH_UNLIKELY(phase != OH_RUNNING)) {
        if (!oh_is_pinned) thread->fuel = phase == OH_STOPPED ? UINT64_MAX / 2 : FUEL_BEFORE_START;
        return false;
    }
    if (oh_settings.mode == OAKUM_HEAP_EXACT) return oh_is_wanted(thread);
    uint64_t *budget = oh_is_pinned ? &thread->left : &thread->fuel;
    if (bytes < *budget) {
        *budget -= bytes;
        return false;
    }
    // What is beyond the hit is forgotten, which is right: the law has no memory.
    *budget = oh_draw_budget(&thread->random, oh_settings.mean);
    return true;
}

static void *pass_on(struct oh_request *request) {
    void *block = NULL;
    switch (request->kind) {
        case OH_PLAIN: return oh_next.malloc(request->size);
        case OH_ZEROED: return oh_next.calloc(request->count, request->each);
        case OH_ALIGNED: return request->aligned(request->alignment, request->size);
        case OH_PAGE_ALIGNED: return request->pages(request->size);
        case OH_POSIX:
            request->error = oh_next.posix_memalign(&block, request->alignment, request->size);
            return request->error == 0 ? block : NULL;
    }
    return NULL;
}

static void *aligned_block(size_t alignment, size_t size) {
    void *block = NULL;
    return oh_next.posix_memalign(&block, alignment, size) == 0 ? block : NULL;
}

// A block whose pointer is marked, or whatever the allocator gives when that cannot be had.
static void *marked_block(struct oh_request *request) {
    size_t alignment = request->alignment;
    bool is_odd = request->kind >= OH_ALIGNED && (alignment == 0 || (alignment & (alignment - 1)) != 0);
    is_odd |= request->kind == OH_POSIX && alignment % sizeof(void *) != 0;
    if (is_odd || alignment >= OH_PAGE) return pass_on(request); // marked by itself, or an error to be given
    if (request->kind >= OH_ALIGNED || request->size < MAPPED_ALONE) {
        void *block = aligned_block(OH_PAGE, request->size);
        if (block == NULL) return pass_on(request);
        if (request->kind == OH_ZEROED) memset(block, 0, request->size);
        return block;
    }
    // Large: no copy and no page touched when it comes marked.
    void *block = pass_on(request);
    if (block == NULL || oh_is_marked(block)) return block;
    void *marked = aligned_block(OH_PAGE, request->size);
    if (marked == NULL) return block;
    if (request->kind == OH_ZEROED) memset(marked, 0, request->size);
    oh_next.free(block);
    return marked;
}

// The block is at its final address. False: it could not be recorded.
bool oh_sample_block(struct oh_thread *thread, void *block, uint64_t size, struct oh_caller caller) {
    bool is_exact = oh_settings.mode == OAKUM_HEAP_EXACT;
    struct oh_sample sample = {.size = size, .weight = oh_weight(size, oh_settings.mean)};
    struct oakum_heap_counters *counters = &oh_region.header->counters;
    if (!is_exact && !oh_is_marked(block)) {
        oh_count(&counters->samples_dropped);
        oh_add(&counters->dropped_weight, sample.weight);
        return false;
    }
    sample.birth = oh_now();
    sample.thread = thread->thread_id;
    sample.tag = thread->tag;
    sample.stack = oh_stack_of(thread, caller, sample.birth);
    if (!oh_is_own(sample.stack)) return false;
    bool is_recorded = oh_record(block, &sample);
    oh_note_allocation(&sample);
    if (!is_recorded) return false;
    struct oakum_heap_stack *stack = (struct oakum_heap_stack *)oh_region.stacks.base + sample.stack;
    oh_count(&counters->samples);
    oh_count(&stack->samples);
    oh_add(&stack->weight, sample.weight);
    return true;
}

void *oh_allocate(struct oh_request *request, struct oh_caller caller) {
    struct oh_thread *thread = &oh_self;
    thread->visits++;
    if (!oh_resolve()) {
        void *block = oh_arena_allocate(request->size, request->alignment);
        if (block == NULL) errno = request->error = ENOMEM;
        return block;
    }
    if (thread->inside) {
        oh_hear_lesson(caller);
        if (oh_is_recording() && oh_owns_region()) oh_count(&oh_region.header->counters.passed_unsampled);
        return oh_counted(thread, pass_on(request));
    }
    thread->inside = 1;
    int saved = errno;
    bool is_due = oh_charge(thread, request->size);
    void *block = is_due && oh_settings.mode != OAKUM_HEAP_EXACT ? marked_block(request) : pass_on(request);
    if (block != NULL) {
        if (is_due && oh_ready_to_record()) oh_sample_block(thread, block, request->size, caller);
        oh_counted(thread, block);
        errno = saved;
    }
    thread->inside = 0;
    return block;
}

void oh_slow_free(void *block) {
    if (block == NULL) return;
    struct oh_thread *thread = &oh_self;
    thread->visits++;
    if (oh_arena_owns(block) || !oh_resolve()) return;
    struct oh_sample sample;
    if (oh_may_be_sampled(block) && oh_is_recording() && oh_forget(block, &sample)) {
        oh_count_lifetime(&sample, oh_now());
        oh_wipe(block, &sample);
    }
    oh_uncounted(thread, block);
    oh_next.free(block);
}

// Many blocks have a marked address by chance.
void oh_free_marked(void *block) {
    if (oh_is_special(block)) {
        oh_slow_free(block);
        return;
    }
    struct oh_thread *thread = &oh_self;
    thread->to_free -= oh_chunk(block);
    if ((int64_t)thread->to_free < 0) oh_tell_in_use(thread);
    oh_next.free(block);
}

void *oh_slow_malloc(size_t size) {
    return oh_allocate(&(struct oh_request){.kind = OH_PLAIN, .size = size}, OH_CALLER);
}

void *oh_slow_calloc(size_t count, size_t each) {
    size_t size;
    // An overflow is the next allocator's to refuse, and no bytes to charge.
    if (__builtin_mul_overflow(count, each, &size)) return oh_resolve() ? oh_next.calloc(count, each) : NULL;
    return oh_allocate(&(struct oh_request){.kind = OH_ZEROED, .size = size, .count = count, .each = each}, OH_CALLER);
}

void *oh_slow_memalign(size_t alignment, size_t size) {
    oh_resolve();
    return oh_allocate(
        &(struct oh_request){.kind = OH_ALIGNED, .size = size, .alignment = alignment, .aligned = oh_next.memalign},
        OH_CALLER);
}

void *oh_slow_aligned_alloc(size_t alignment, size_t size) {
    oh_resolve();
    return oh_allocate(
        &(struct oh_request){.kind = OH_ALIGNED, .size = size, .alignment = alignment, .aligned = oh_next.aligned_alloc},
        OH_CALLER);
}

int oh_slow_posix_memalign(void **out, size_t alignment, size_t size) {
    struct oh_request request = {.kind = OH_POSIX, .size = size, .alignment = alignment};
    int saved = errno;
    void *block = oh_allocate(&request, OH_CALLER);
    errno = saved;
    if (block == NULL) return request.error;
    *out = block;
    return 0;
}

void *oh_slow_valloc(size_t size) {
    oh_resolve();
    return oh_allocate(
        &(struct oh_request){.kind = OH_PAGE_ALIGNED, .size = size, .alignment = OH_PAGE, .pages = oh_next.valloc},
        OH_CALLER);
}

void *oh_slow_pvalloc(size_t size) {
    oh_resolve();
    return oh_allocate(
        &(struct oh_request){.kind = OH_PAGE_ALIGNED, .size = size, .alignment = OH_PAGE, .pages = oh_next.pvalloc},
        OH_CALLER);
}
