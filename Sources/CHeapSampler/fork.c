// A forked child shares the parent's mapping, and must never write to it. It notices by a page that the kernel wipes in a
// child (so a raw clone() is noticed too). Until its first sample it does nothing but forget what it frees; then it takes
// the records of the blocks it has inherited over into a file of its own, if OAKUM_HEAP_FILE has a %p, or else stops.
// A child that only goes on to exec never gets so far, and costs nothing.
#include "heap_sampler.h"
#include <string.h>
#include <sys/mman.h>
#include "system_calls.h"

static _Atomic uint32_t *owner; // on a page of its own

bool oh_prepare_owner(void) {
    long memory =
        oh_call6(SYS_mmap, 0, OH_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory < 0 && memory > -4096) return false;
    owner = (void *)memory;
    // Kernels before 4.14 refuse: then the handler of pthread_atfork alone tells, and a raw clone() goes unnoticed.
    oh_call3(SYS_madvise, memory, OH_PAGE, MADV_WIPEONFORK);
    return true;
}

bool oh_owns_region(void) { return owner && atomic_load_explicit(owner, memory_order_acquire) != 0; }

void oh_set_owner(bool owns) {
    if (owner) atomic_store(owner, owns ? 1 : 0);
}

// Room in the new table for as many entries as the old one has.
static bool match(struct oh_table *fresh, const struct oh_table *old) {
    uint64_t used = atomic_load(&old->used);
    return used == 0 || oh_reserve(&oh_region, fresh, used) != UINT64_MAX;
}

static void copy_all(struct oh_table *fresh, const struct oh_table *old) {
    memcpy(fresh->base, old->base, atomic_load(&fresh->used) * fresh->entry_bytes);
    oh_publish_used(fresh);
}

// The parent lives on and changes its tables meanwhile. What was not whole at the fork is not taken.
static void copy_stacks(const struct oh_region *old) {
    copy_all(&oh_region.modules, &old->modules);
    copy_all(&oh_region.frames, &old->frames);
    copy_all(&oh_region.stacks, &old->stacks);
    oh_publish_used(&oh_region.lifetimes); // of this process: none yet
    for (uint64_t index = 0; index < atomic_load(&oh_region.stacks.used); index++) {
        struct oakum_heap_stack *stack = (struct oakum_heap_stack *)oh_region.stacks.base + index;
        stack->samples = stack->weight = 0;
    }
}

static void copy_records(const struct oh_region *old) {
    struct oakum_heap_counters *counters = &oh_region.header->counters;
    for (uint64_t position = 0; position < oh_index_positions(); position++) {
        uint32_t slot;
        uintptr_t address = oh_index_at(position, &slot);
        if (address == 0 || slot >= atomic_load(&oh_region.records.used)) continue;
        struct oakum_heap_record record = ((struct oakum_heap_record *)old->records.base)[slot];
        if ((record.state & 3) == OAKUM_HEAP_RECORD_LIVE && record.address == address &&
            record.check == oh_record_check(&record, record.state)) {
            struct oh_sample sample = {record.size, record.weight, record.birth_ns, record.thread, record.stack, record.reserved};
            oh_write_record((struct oakum_heap_record *)oh_region.records.base + slot, address, &sample);
            oh_count(&counters->inherited);
        } else if (oh_index_remove(address) == slot) {
            oh_return_slot(slot);
            oh_count(&counters->inherited_lost);
        }
    }
    oh_publish_used(&oh_region.records);
}

// Blocks that another thread of this child freed while their records were being copied.
static void drop_freed(void) {
    for (uint64_t slot = 0; slot < atomic_load(&oh_region.records.used); slot++) {
        struct oakum_heap_record *record = (struct oakum_heap_record *)oh_region.records.base + slot;
        if ((record->state & 3) == OAKUM_HEAP_RECORD_LIVE && oh_index_find(record->address) != slot)
            record->state = (record->state & ~3ull) | OAKUM_HEAP_RECORD_EMPTY;
    }
}

static bool adopt(void) {
    static struct oh_region old;
    if (!oh_settings.path_has_pid) return false;
    old = oh_region;
    if (!oh_begin(true)) return false;
    bool has_room = match(&oh_region.modules, &old.modules) && match(&oh_region.frames, &old.frames) &&
                    match(&oh_region.lifetimes, &old.lifetimes) && match(&oh_region.stacks, &old.stacks) &&
                    match(&oh_region.records, &old.records);
    if (!has_room) return false;
    oh_settle_stacks();
    oh_settle_modules();
    oh_index_settle();
    copy_stacks(&old);
    copy_records(&old);
    drop_freed();
    oh_unmap_region(&old);
    atomic_store((_Atomic uint32_t *)&oh_region.header->state, OAKUM_HEAP_RUNNING);
    return true;
}

bool oh_ready_to_record(void) {
    if (OH_LIKELY(oh_owns_region())) return atomic_load(&oh_phase) == OH_RUNNING;
    uint32_t running = OH_RUNNING;
    if (!atomic_compare_exchange_strong(&oh_phase, &running, OH_ADOPTING)) return false;
    bool is_ours = adopt();
    atomic_fetch_add(&oh_epoch, 1);
    if (is_ours) oh_set_owner(true);
    atomic_store(&oh_phase, is_ours ? OH_RUNNING : OH_STOPPED);
    return is_ours;
}
