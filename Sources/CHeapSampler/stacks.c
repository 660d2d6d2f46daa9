// Stacks, deduplicated by their frames. A hash table of indexes in private memory, without locks, over append-only tables in
// the file. When stacks or frames run out, samples go to the unknown stack, which is counted.
#include "heap_sampler.h"
#include <string.h>
#include <sys/mman.h>
#include "system_calls.h"

#define BEING_WRITTEN UINT32_MAX
#define PLACES_TRIED 32
#define LOOKS 200 // at an entry that another thread is writing; after that a second copy of the stack is made

static _Atomic uint32_t *places; // 0: empty; otherwise the index of a stack (stack 0 is never looked up)
static uint64_t place_mask;

static struct oakum_heap_stack *stack_at(uint64_t index) {
    return (struct oakum_heap_stack *)oh_region.stacks.base + index;
}

static uint64_t *frames_at(uint64_t index) { return (uint64_t *)oh_region.frames.base + index; }

bool oh_prepare_stacks(uint64_t capacity) {
    uint64_t count = 64;
    while (count < capacity * 2) count *= 2;
    long memory = oh_call6(
        SYS_mmap, 0, (long)(count * sizeof *places), PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory < 0 && memory > -4096) return false;
    places = (void *)memory;
    place_mask = count - 1;
    return true;
}

// After a fork: entries that other threads were writing will never be finished here.
void oh_settle_stacks(void) {
    for (uint64_t place = 0; places && place <= place_mask; place++) {
        uint32_t unfinished = BEING_WRITTEN;
        atomic_compare_exchange_strong(&places[place], &unfinished, 0);
    }
}

uint64_t oh_stack_check(const struct oakum_heap_stack *stack) {
    uint64_t sum = oakum_heap_mix(OAKUM_HEAP_CHECK_SEED, stack->hash);
    sum = oakum_heap_mix(sum, stack->first_frame);
    sum = oakum_heap_mix(sum, stack->frame_count | (uint64_t)stack->quality << 32);
    return oakum_heap_mix(sum, stack->first_seen_ns);
}

static uint64_t hash_of(const struct oh_trace *trace) {
    uint64_t sum = OAKUM_HEAP_CHECK_SEED;
    for (uint32_t index = 0; index < trace->count; index++) sum = oakum_heap_mix(sum, trace->frames[index]);
    return sum;
}

static bool is_same(uint32_t index, uint64_t hash, const struct oh_trace *trace) {
    const struct oakum_heap_stack *stack = stack_at(index);
    return stack->hash == hash && stack->frame_count == trace->count && stack->first_seen_ns >= trace->not_before &&
           memcmp(frames_at(stack->first_frame), trace->frames, trace->count * sizeof *trace->frames) == 0;
}

static uint32_t append(uint64_t hash, const struct oh_trace *trace, uint64_t now) {
    struct oakum_heap_counters *counters = &oh_region.header->counters;
    // Lifetimes first: then every stack that exists has its entry there.
    uint64_t index = oh_reserve(&oh_region, &oh_region.lifetimes, 1);
    if (index != UINT64_MAX) index = oh_reserve(&oh_region, &oh_region.stacks, 1);
    uint64_t first = index != UINT64_MAX ? oh_reserve(&oh_region, &oh_region.frames, trace->count) : UINT64_MAX;
    if (first == UINT64_MAX) return OAKUM_HEAP_UNKNOWN_STACK;
    memcpy(frames_at(first), trace->frames, trace->count * sizeof *trace->frames);
    struct oakum_heap_stack *stack = stack_at(index);
    stack->hash = hash;
    stack->first_frame = first;
    stack->frame_count = trace->count;
    stack->quality = trace->quality;
    stack->first_seen_ns = now;
    atomic_store_explicit((_Atomic uint64_t *)&stack->check, oh_stack_check(stack), memory_order_release);
    oh_publish_used(&oh_region.frames);
    oh_publish_used(&oh_region.lifetimes);
    oh_publish_used(&oh_region.stacks);
    if (trace->quality == OAKUM_HEAP_STACK_CUT) oh_count(&counters->stacks_cut);
    if (trace->quality == OAKUM_HEAP_STACK_ENDED_EARLY) oh_count(&counters->stacks_ended_early);
    return (uint32_t)index;
}

// The index of a stack that is known, or UINT32_MAX with the place where it may go (or UINT64_MAX: nowhere).
static uint32_t look_up(uint64_t hash, const struct oh_trace *trace, uint64_t *place) {
    *place = UINT64_MAX;
    for (uint64_t step = 0; step < PLACES_TRIED; step++) {
        uint64_t here = (hash + step) & place_mask;
        uint32_t index = atomic_load_explicit(&places[here], memory_order_acquire);
        for (int look = 0; index == BEING_WRITTEN && look < LOOKS; look++) {
            __builtin_ia32_pause();
            index = atomic_load_explicit(&places[here], memory_order_acquire);
        }
        if (index == 0) {
            *place = here;
            return UINT32_MAX;
        }
        if (index != BEING_WRITTEN && is_same(index, hash, trace)) return index;
    }
    return UINT32_MAX;
}

// Cuts the trace at the first address that is no code: what follows are words that only looked like frames.
static void keep_code(struct oh_thread *thread, struct oh_trace *trace, uint64_t now) {
    if (OH_UNLIKELY(oh_is_scan_wanted())) oh_scan_modules(now);
    trace->not_before = 0;
    for (uint32_t index = 0; index < trace->count; index++) {
        uint64_t gone = oh_unloaded_at(trace->frames[index] - 1);
        if (OH_UNLIKELY(gone > trace->not_before)) trace->not_before = gone;
        if (oh_is_code(trace->frames[index] - 1)) continue;
        if (oh_may_scan(now, true)) {
            oh_scan_modules(now);
            if (oh_is_code(trace->frames[index] - 1)) continue;
        }
        if (index == 0) continue; // somebody called malloc from there, so it is code, only of no file
        trace->count = index;
        trace->quality = oh_is_near_top(thread, trace, index - 1) ? OAKUM_HEAP_STACK_COMPLETE
                                                                  : OAKUM_HEAP_STACK_ENDED_EARLY;
    }
}

uint32_t oh_stack_of(struct oh_thread *thread, struct oh_caller caller, uint64_t now) {
    struct oh_trace trace;
    oh_unwind(thread, caller, &trace);
    keep_code(thread, &trace, now);
    uint64_t hash = hash_of(&trace), place;
    uint32_t index = look_up(hash, &trace, &place);
    if (index != UINT32_MAX) return index;
    if (oh_may_scan(now, false)) oh_scan_modules(now);
    uint32_t empty = 0;
    if (place != UINT64_MAX && atomic_compare_exchange_strong(&places[place], &empty, BEING_WRITTEN)) {
        index = append(hash, &trace, now);
        atomic_store_explicit(&places[place], index, memory_order_release);
    } else if (place != UINT64_MAX) {
        index = look_up(hash, &trace, &place); // another thread was first: perhaps with the same stack
    }
    if (index == UINT32_MAX) index = OAKUM_HEAP_UNKNOWN_STACK;
    if (index == OAKUM_HEAP_UNKNOWN_STACK) oh_count(&oh_region.header->counters.stacks_dropped);
    return index;
}
