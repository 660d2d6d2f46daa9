// realloc. A block's place in the sample follows its size: new bytes may be hit like any others, a sampled block stays sampled
// as it grows, and stays with the ratio of the probabilities as it shrinks. So a block of size s is sampled with probability
// 1 - exp(-s / mean) whatever its past, and a buffer that grows by small steps is not copied at every step.
#include "slow_paths.h"
#include <errno.h>
#include <string.h>
#include "system_calls.h"

// Moves a block to a marked address. When that cannot be had, the block stays where it is.
void *oh_marked_copy(void *block, size_t size) {
    if (oh_is_marked(block)) return block;
    void *marked = NULL;
    if (oh_next.posix_memalign(&marked, OH_PAGE, size) != 0) return block;
    memcpy(marked, block, size);
    oh_next.free(block);
    return marked;
}

static bool stays_sampled(struct oh_thread *thread, uint64_t before, uint64_t after) {
    if (after >= before || oh_settings.mode == OAKUM_HEAP_EXACT) return true;
    double mean = (double)oh_settings.mean;
    return oh_uniform(&thread->random) * oh_hit_probability((double)before, mean) <
           oh_hit_probability((double)after, mean);
}

// The record of a block that was sampled before it was resized. A buffer that grows keeps its birth, and belongs to who grows it.
static void *carry_on(
    struct oh_thread *thread, void *block, size_t size, struct oh_sample *sample, struct oh_caller caller) {
    if (!stays_sampled(thread, sample->size, size)) return block;
    bool is_exact = oh_settings.mode == OAKUM_HEAP_EXACT;
    if (!is_exact) block = oh_marked_copy(block, size);
    bool has_grown = size > sample->size;
    sample->size = size;
    sample->weight = oh_weight(size, oh_settings.mean);
    if (!is_exact && !oh_is_marked(block)) {
        oh_count(&oh_region.header->counters.samples_dropped);
        oh_add(&oh_region.header->counters.dropped_weight, sample->weight);
        return block;
    }
    if (has_grown && !thread->inside) {
        thread->inside = 1;
        sample->stack = oh_stack_of(thread, caller, oh_now());
        struct oakum_heap_stack *stack = (struct oakum_heap_stack *)oh_region.stacks.base + sample->stack;
        oh_count(&stack->samples);
        oh_add(&stack->weight, sample->weight);
        thread->inside = 0;
    }
    oh_record(block, sample);
    return block;
}

static void *start_anew(
    struct oh_thread *thread, void *block, size_t size, uint64_t growth, struct oh_caller caller) {
    bool is_exact = oh_settings.mode == OAKUM_HEAP_EXACT;
    if (thread->inside || (growth == 0 && !is_exact)) return block;
    thread->inside = 1;
    if (oh_charge(thread, growth) && oh_ready_to_record()) {
        if (!is_exact) block = oh_marked_copy(block, size);
        oh_sample_block(thread, block, size, caller);
    }
    thread->inside = 0;
    return block;
}

static void *resize(void *block, size_t size, struct oh_caller caller) {
    struct oh_thread *thread = &oh_self;
    struct oh_sample sample;
    thread->visits++;
    // Out of the table first: once the allocator has the block back, its address may be anybody's.
    bool was_sampled = oh_is_recording() && oh_forget(block, &sample);
    uint64_t before = oh_block_bytes(block);
    bool is_counted = oh_next.is_glibc || oh_settings.is_counted;
    void *moved = oh_next.realloc(block, size);
    if (moved == NULL) {
        bool is_freed = size == 0;
        if (is_freed && is_counted) thread->to_free -= before;
        if (was_sampled && is_freed) oh_count_lifetime(&sample, oh_now());
        if (was_sampled && !is_freed) oh_record(block, &sample);
        oh_tell_in_use(thread);
        return NULL;
    }
    int saved = errno;
    uint64_t after = oh_block_bytes(moved);
    if (was_sampled && size == 0) {
        oh_count_lifetime(&sample, oh_now());
    } else if (was_sampled) {
        moved = carry_on(thread, moved, size, &sample, caller);
    } else {
        moved = start_anew(thread, moved, size, after > before ? after - before : 0, caller);
    }
    if (is_counted) thread->to_allocate -= oh_block_bytes(moved) - before;
    oh_tell_in_use(thread);
    errno = saved;
    return moved;
}

static void *reallocate(void *block, size_t size, struct oh_caller caller) {
    if (block == NULL) return oh_allocate(&(struct oh_request){.kind = OH_PLAIN, .size = size}, caller);
    if (oh_arena_owns(block)) {
        void *moved = oh_allocate(&(struct oh_request){.kind = OH_PLAIN, .size = size}, caller);
        size_t old = oh_arena_size(block);
        if (moved != NULL) memcpy(moved, block, old < size ? old : size);
        return moved;
    }
    oh_resolve();
    return resize(block, size, caller);
}

void *oh_slow_realloc(void *block, size_t size) { return reallocate(block, size, OH_CALLER); }

void *oh_slow_reallocarray(void *block, size_t count, size_t each) {
    size_t size;
    if (__builtin_mul_overflow(count, each, &size)) {
        errno = ENOMEM;
        return NULL;
    }
    return reallocate(block, size, OH_CALLER);
}
