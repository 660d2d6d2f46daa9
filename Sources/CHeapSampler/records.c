// Records of live sampled blocks, and the histogram of lifetimes of freed ones.
#include "heap_sampler.h"

static struct oakum_heap_record *record_at(uint32_t slot) {
    return (struct oakum_heap_record *)oh_region.records.base + slot;
}

uint64_t oh_record_check(const struct oakum_heap_record *record, uint64_t state) {
    uint64_t sum = oakum_heap_mix(OAKUM_HEAP_CHECK_SEED, state);
    sum = oakum_heap_mix(sum, record->address);
    sum = oakum_heap_mix(sum, record->size);
    sum = oakum_heap_mix(sum, record->weight);
    sum = oakum_heap_mix(sum, record->birth_ns);
    return oakum_heap_mix(sum, record->thread | (uint64_t)record->stack << 32);
}

static void set_state(struct oakum_heap_record *record, uint64_t number, uint64_t state) {
    atomic_store_explicit((_Atomic uint64_t *)&record->state, number << 2 | state, memory_order_release);
}

// A reader, or death, may come between any two stores: the record counts only once its last word is written.
void oh_write_record(struct oakum_heap_record *record, uintptr_t address, const struct oh_sample *sample) {
    uint64_t number = (record->state >> 2) + 1;
    set_state(record, number, OAKUM_HEAP_RECORD_WRITING);
    atomic_thread_fence(memory_order_release);
    record->address = address;
    record->size = sample->size;
    record->weight = sample->weight;
    record->birth_ns = sample->birth;
    record->thread = sample->thread;
    record->stack = sample->stack;
    record->reserved = sample->tag;
    record->check = oh_record_check(record, number << 2 | OAKUM_HEAP_RECORD_LIVE);
    set_state(record, number, OAKUM_HEAP_RECORD_LIVE);
}

// False when there is no room: the sample is lost, and counted with what it stands for.
bool oh_record(void *block, const struct oh_sample *sample) {
    struct oakum_heap_counters *counters = &oh_region.header->counters;
    struct oh_sample stale;
    // Freed behind our back (by a library that was bound to another free): its record ends here.
    if (OH_UNLIKELY(oh_index_find((uintptr_t)block) != OH_NO_SLOT)) oh_forget(block, &stale);
    uint32_t slot = oh_take_slot();
    if (slot != OH_NO_SLOT) {
        oh_write_record(record_at(slot), (uintptr_t)block, sample);
        oh_publish_used(&oh_region.records);
        if (oh_index_insert((uintptr_t)block, slot)) {
            oh_note_live(sample, 1);
            return true;
        }
        set_state(record_at(slot), record_at(slot)->state >> 2, OAKUM_HEAP_RECORD_EMPTY);
        oh_return_slot(slot);
    }
    oh_count(&counters->samples_dropped);
    oh_add(&counters->dropped_weight, sample->weight);
    oh_note_dropped(sample);
    return false;
}

bool oh_forget(void *block, struct oh_sample *sample) {
    uint32_t slot = oh_index_remove((uintptr_t)block);
    if (OH_LIKELY(slot == OH_NO_SLOT)) return false;
    // In a forked child without a file of its own the record belongs to the parent: the index was ours to change, no more.
    bool is_ours = oh_owns_region();
    if (is_ours) {
        struct oakum_heap_record *record = record_at(slot);
        *sample = (struct oh_sample){
            record->size, record->weight, record->birth_ns, record->thread, record->stack, record->reserved};
        oh_note_live(sample, -1);
        set_state(record, record->state >> 2, OAKUM_HEAP_RECORD_EMPTY);
    }
    oh_return_slot(slot);
    return is_ours;
}

// Two buckets per octave, the first ends at one millisecond.
static uint32_t bucket_of(uint64_t nanoseconds) {
    uint64_t edge = 1000000;
    if (nanoseconds < edge) return 0;
    for (uint32_t octave = 0; octave < 31; octave++, edge *= 2) {
        if (nanoseconds >= edge * 2) continue;
        // edge * sqrt(2), in parts of 2^20 so that nothing overflows
        return 1 + octave * 2 + (nanoseconds >= edge / 1000000 * 1414214 ? 1 : 0);
    }
    return OAKUM_HEAP_LIFETIME_BUCKETS - 1;
}

void oh_count_lifetime(const struct oh_sample *sample, uint64_t now) {
    uint32_t stack = sample->stack < atomic_load(&oh_region.stacks.used) ? sample->stack : OAKUM_HEAP_UNKNOWN_STACK;
    struct oakum_heap_lifetimes *lifetimes = (struct oakum_heap_lifetimes *)oh_region.lifetimes.base + stack;
    uint32_t bucket = bucket_of(now > sample->birth ? now - sample->birth : 0);
    oh_count(&lifetimes->count);
    oh_add(&lifetimes->size, sample->size);
    oh_add(&lifetimes->weight, sample->weight);
    oh_count(&lifetimes->bucket_count[bucket]);
    oh_add(&lifetimes->bucket_weight[bucket], sample->weight);
}

void oh_add(uint64_t *counter, uint64_t amount) {
    atomic_fetch_add_explicit((_Atomic uint64_t *)counter, amount, memory_order_relaxed);
}

void oh_count(uint64_t *counter) { oh_add(counter, 1); }
