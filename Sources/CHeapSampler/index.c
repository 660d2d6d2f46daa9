// From a block's address to the slot of its record: a hash table in private memory, without locks.
//
// A bucket is one cache line of eight addresses. A new address goes to its home bucket, or to one of the next three; each
// bucket counts what it had to send on, so that looking for an address that is not there (the common case: free of a
// page-aligned block that is not sampled) reads one line. No bucket has room: the sample is dropped.
#include "heap_sampler.h"
#include <sys/mman.h>
#include "system_calls.h"

#define KEYS 8
#define BUCKETS_TRIED 4
#define BUSY 1ul // no block has this address

static struct {
    _Alignas(64) _Atomic uintptr_t *keys;
    uint32_t *slots;
    _Atomic uint32_t *sent_on; // per bucket
    _Atomic uint32_t *next_free; // per slot: the slot below it in the list of free ones, plus one
    uint64_t bucket_mask;
    uint64_t slot_capacity;
    _Atomic uint64_t free_list; // number of changes << 32 | slot + 1
} table;

_Atomic uint32_t oh_filter[OH_FILTER_PLACES];

static uint64_t home(uintptr_t address) {
    return ((address >> 4) * 0x9E3779B97F4A7C15ull >> 20) & table.bucket_mask;
}

bool oh_prepare_index(uint64_t capacity) {
    uint64_t buckets = 16;
    while (buckets * KEYS < capacity * 2) buckets *= 2;
    uint64_t keys = buckets * KEYS;
    uint64_t bytes = keys * (sizeof *table.keys + sizeof *table.slots) + buckets * sizeof *table.sent_on +
                     capacity * sizeof *table.next_free;
    long memory = oh_call6(
        SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory < 0 && memory > -4096) return false;
    uint8_t *base = (uint8_t *)memory;
    table.keys = (void *)base;
    table.slots = (void *)(base += keys * sizeof *table.keys);
    table.sent_on = (void *)(base += keys * sizeof *table.slots);
    table.next_free = (void *)(base += buckets * sizeof *table.sent_on);
    table.bucket_mask = buckets - 1;
    table.slot_capacity = capacity;
    return true;
}

#ifdef OAKUM_HEAP_LINKED
void oh_index_unmap(void) {
    uint64_t keys = oh_index_positions();
    if (keys == 0) return;
    oh_call3(SYS_munmap, (long)table.keys, (long)(keys * sizeof *table.keys), 0);
    table.keys = NULL;
}
#endif

static bool find(uintptr_t address, uint64_t *position) {
    if (!table.keys) return false;
    uint64_t first = home(address);
    for (uint64_t step = 0; step < BUCKETS_TRIED; step++) {
        uint64_t start = ((first + step) & table.bucket_mask) * KEYS;
        for (uint64_t key = start; key < start + KEYS; key++) {
            if (atomic_load_explicit(&table.keys[key], memory_order_acquire) == address) {
                *position = key;
                return true;
            }
        }
        if (atomic_load_explicit(&table.sent_on[first], memory_order_relaxed) == 0) return false;
    }
    return false;
}

uint32_t oh_index_find(uintptr_t address) {
    uint64_t position;
    return find(address, &position) ? table.slots[position] : OH_NO_SLOT;
}

bool oh_index_insert(uintptr_t address, uint32_t slot) {
    uint64_t first = home(address);
    for (uint64_t step = 0; step < BUCKETS_TRIED; step++) {
        uint64_t start = ((first + step) & table.bucket_mask) * KEYS;
        for (uint64_t key = start; key < start + KEYS; key++) {
            uintptr_t none = 0;
            if (atomic_load_explicit(&table.keys[key], memory_order_relaxed) != 0 ||
                !atomic_compare_exchange_strong(&table.keys[key], &none, BUSY))
                continue;
            if (step > 0) atomic_fetch_add(&table.sent_on[first], 1);
            atomic_fetch_add_explicit(&oh_filter[oh_filter_place((void *)address)], 1, memory_order_relaxed);
            table.slots[key] = slot;
            atomic_store_explicit(&table.keys[key], address, memory_order_release);
            return true;
        }
    }
    return false;
}

// A program that frees a block twice at the same time gets its record removed once.
uint32_t oh_index_remove(uintptr_t address) {
    uint64_t position;
    uintptr_t expected = address;
    if (!find(address, &position) || !atomic_compare_exchange_strong(&table.keys[position], &expected, BUSY))
        return OH_NO_SLOT;
    uint32_t slot = table.slots[position];
    uint64_t first = home(address);
    atomic_fetch_sub_explicit(&oh_filter[oh_filter_place((void *)address)], 1, memory_order_relaxed);
    if (position / KEYS != first) atomic_fetch_sub(&table.sent_on[first], 1);
    atomic_store_explicit(&table.keys[position], 0, memory_order_release);
    return slot;
}

uint64_t oh_index_positions(void) { return table.keys ? (table.bucket_mask + 1) * KEYS : 0; }

uintptr_t oh_index_at(uint64_t position, uint32_t *slot) {
    uintptr_t key = atomic_load(&table.keys[position]);
    *slot = table.slots[position];
    return key == BUSY ? 0 : key;
}

void oh_index_settle(void) {
    for (uint64_t position = 0; position < oh_index_positions(); position++) {
        uintptr_t busy = BUSY;
        atomic_compare_exchange_strong(&table.keys[position], &busy, 0);
    }
}

// Slots of records are handed out densely, freed ones first, so that the file takes as few pages as there are samples.
uint32_t oh_take_slot(void) {
    uint64_t head = atomic_load(&table.free_list);
    for (int tries = 0; tries < 64; tries++) {
        uint32_t slot = (uint32_t)head;
        if (slot == 0) {
            uint64_t fresh = oh_reserve(&oh_region, &oh_region.records, 1);
            return fresh == UINT64_MAX ? OH_NO_SLOT : (uint32_t)fresh;
        }
        // The number of changes makes the exchange fail when the list was touched in between.
        uint64_t rest = (head >> 32) + 1;
        uint64_t next = rest << 32 | atomic_load_explicit(&table.next_free[slot - 1], memory_order_relaxed);
        if (atomic_compare_exchange_weak(&table.free_list, &head, next)) return slot - 1;
    }
    return OH_NO_SLOT;
}

void oh_return_slot(uint32_t slot) {
    if (slot >= table.slot_capacity) return;
    uint64_t head = atomic_load(&table.free_list);
    // Unbounded in form only: each failure means that another thread got through.
    do {
        atomic_store_explicit(&table.next_free[slot], (uint32_t)head, memory_order_relaxed);
    } while (!atomic_compare_exchange_weak(&table.free_list, &head, ((head >> 32) + 1) << 32 | (slot + 1)));
}
