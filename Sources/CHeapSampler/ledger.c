// The account of measured calls: see heap_ledger.h. All its words are here; recording, stacks and the index are the sampler's.
//
// A tag is what a record keeps of it: the measurement's place (8 bits, from 1) and generation (32 bits), which is also the value
// of the task-local; then the round (16 bits) and whether it is a stray.
#ifdef OAKUM_HEAP_LINKED

#include "heap_sampler.h"
#include "include/heap_ledger.h"
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "system_calls.h"

#define PLACES 64u
#define MEASUREMENT_BITS 40
#define MEASUREMENT_MASK ((1ull << MEASUREMENT_BITS) - 1)
#define STRAY (1ull << 56)

// Reads a value of the task that runs on this thread, or of the thread where no task does: a walk along a list that only
// this thread changes. It neither allocates nor locks.
extern const uint64_t *swift_task_localValueGet(const void *key) __attribute__((weak, swiftcall));

static struct {
    _Alignas(64) _Atomic uint64_t measurement; // 0: free
    _Atomic uint32_t round;
    _Atomic uint64_t allocations, bytes, dropped;
    _Atomic int64_t live_blocks, live_bytes;
} places[PLACES];

static _Atomic uint32_t open_count;
static _Atomic uint32_t generation;
static _Atomic uint64_t strays_of;
static const void *task_local;
static bool is_standing_by;
static bool is_shadowed;
static int state = -1;

bool oh_stand_by(void) {
    const char *path = secure_getenv("OAKUM_HEAP_FILE");
    if (path && *path) return false;
    is_standing_by = true;
    oh_settings.is_quiet = oh_settings.is_private = true;
    oh_settings.mode = OAKUM_HEAP_EXACT;
    oh_settings.records = 1ull << 20;
    oh_settings.stacks = 1ull << 16;
#ifndef OAKUM_HEAP_SANITIZED
    is_shadowed = oh_is_shadowed();
    // Threads cannot be told when a measurement begins: so they ask, at each allocation.
    oh_is_pinned = true;
#endif
    atomic_store(&oh_phase, OH_STOPPED);
    atomic_fetch_add(&oh_epoch, 1);
    oh_self.fuel = 0;
    return true;
}

static int begin(const void *key) {
#ifdef OAKUM_HEAP_SANITIZED
    return OAKUM_LEDGER_SANITIZED;
#endif
    if (!is_standing_by) return OAKUM_LEDGER_SAMPLING;
    if (is_shadowed) return OAKUM_LEDGER_SHADOWED;
    if (!swift_task_localValueGet) return OAKUM_LEDGER_NO_TASKS;
    struct oh_thread *thread = &oh_self;
    thread->inside++;
    bool is_started = oh_start();
    if (is_started) {
        task_local = key;
        oh_mask = 0; // every free looks for a record, before there are any
        atomic_store((_Atomic uint32_t *)&oh_region.header->state, OAKUM_HEAP_RUNNING);
        atomic_store(&oh_phase, OH_RUNNING);
        atomic_fetch_add(&oh_epoch, 1);
    }
    thread->inside--;
    return is_started ? OAKUM_LEDGER_READY : OAKUM_LEDGER_NO_MEMORY;
}

int oakum_ledger_start(const void *key) {
    if (state < 0) state = begin(key);
    return state;
}

static uint32_t place_of(uint64_t tag) { return (uint32_t)((tag & 0xFF) - 1) % PLACES; }

// Called by each allocation while something is measured.
bool oh_is_wanted(struct oh_thread *thread) {
    if (OH_UNLIKELY(!is_standing_by)) return true; // a profile was asked for: of everything
    if (OH_LIKELY(atomic_load_explicit(&open_count, memory_order_relaxed) == 0)) return false;
    const uint64_t *value = swift_task_localValueGet(task_local);
    uint64_t measurement = value ? *value : 0, kind = 0;
    if (measurement == 0) {
        measurement = atomic_load_explicit(&strays_of, memory_order_acquire);
        kind = STRAY;
    }
    if (measurement == 0) return false;
    uint32_t place = place_of(measurement);
    // A task that outlives its measurement still has its number.
    if (atomic_load_explicit(&places[place].measurement, memory_order_acquire) != measurement) return false;
    uint64_t round = atomic_load_explicit(&places[place].round, memory_order_relaxed) & 0xFFFF;
    thread->tag = measurement | round << MEASUREMENT_BITS | kind;
    return true;
}

// False when its measurement is over: the place may be another's by now.
static bool is_open(uint64_t tag) {
    return tag != 0 && atomic_load(&places[place_of(tag)].measurement) == (tag & MEASUREMENT_MASK);
}

void oh_note_live(const struct oh_sample *sample, int64_t blocks) {
    if (!is_open(sample->tag)) return;
    uint32_t place = place_of(sample->tag);
    atomic_fetch_add_explicit(&places[place].live_blocks, blocks, memory_order_relaxed);
    atomic_fetch_add_explicit(&places[place].live_bytes, blocks * (int64_t)sample->size, memory_order_relaxed);
}

static bool is_in(const struct oakum_heap_module *module, uint64_t address) {
    return address >= module->low && address < module->high;
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

// Swift Testing is in the middle of measured calls: it keeps a backtrace of each error that is thrown, and records what is
// expected. Of the program and that library, the one that comes first on the stack has made the allocation.
static bool is_made_by_program(uint32_t index) {
    const struct oakum_heap_stack *stack = (struct oakum_heap_stack *)oh_region.stacks.base + index;
    const struct oakum_heap_module *modules = (struct oakum_heap_module *)oh_region.modules.base;
    const uint64_t *frames = (uint64_t *)oh_region.frames.base + stack->first_frame;
    uint64_t count = atomic_load(&oh_region.modules.used);
    for (uint32_t frame = 0; frame < stack->frame_count; frame++) {
        for (uint64_t module = 0; module < count; module++) {
            if (!is_in(&modules[module], frames[frame] - 1)) continue;
            if (ends_with(modules[module].path, "/libTesting.so")) return false;
            if (strcmp(modules[module].path, oh_region.header->executable) == 0) return true;
            break;
        }
    }
    return true;
}

// The answer is kept with the stack: 1 yes, 2 no.
bool oh_is_own(uint32_t index) {
    if (index == OAKUM_HEAP_UNKNOWN_STACK || !is_standing_by) return true;
    struct oakum_heap_stack *stack = (struct oakum_heap_stack *)oh_region.stacks.base + index;
    _Atomic uint64_t *answer = (_Atomic uint64_t *)&stack->reserved;
    uint64_t known = atomic_load_explicit(answer, memory_order_relaxed);
    if (known == 0) atomic_store_explicit(answer, known = is_made_by_program(index) ? 1 : 2, memory_order_relaxed);
    return known == 1;
}

// All that the allocator gave, not only what was asked for: Swift's arrays and buffers use the rest too.
void oh_wipe(void *block, const struct oh_sample *sample) {
    if (sample->tag == 0) return;
    size_t usable = oh_next.usable_size ? oh_next.usable_size(block) : 0;
    memset(block, 0, usable > sample->size ? usable : sample->size);
}

void oh_note_allocation(const struct oh_sample *sample) {
    if (!is_open(sample->tag)) return;
    uint32_t place = place_of(sample->tag);
    oh_count((uint64_t *)&places[place].allocations);
    oh_add((uint64_t *)&places[place].bytes, sample->size);
}

void oh_note_dropped(const struct oh_sample *sample) {
    if (is_open(sample->tag)) oh_count((uint64_t *)&places[place_of(sample->tag)].dropped);
}

uint64_t oakum_ledger_open(void) {
    uint64_t measurement = (uint64_t)(atomic_fetch_add(&generation, 1) + 1) << 8;
    for (uint32_t place = 0; place < PLACES; place++) {
        uint64_t none = 0;
        if (!atomic_compare_exchange_strong(&places[place].measurement, &none, UINT64_MAX)) continue;
        atomic_store(&places[place].round, 0);
        atomic_store(&places[place].allocations, 0);
        atomic_store(&places[place].bytes, 0);
        atomic_store(&places[place].dropped, 0);
        atomic_store(&places[place].live_blocks, 0);
        atomic_store(&places[place].live_bytes, 0);
        measurement |= place + 1;
        atomic_store(&places[place].measurement, measurement);
        atomic_fetch_add(&open_count, 1);
        return measurement;
    }
    return 0;
}

void oakum_ledger_begin_round(uint64_t measurement, uint32_t round) {
    atomic_store(&places[place_of(measurement)].round, round);
}

struct oakum_ledger_counts oakum_ledger_counts(uint64_t measurement) {
    uint32_t place = place_of(measurement);
    return (struct oakum_ledger_counts){
        atomic_load(&places[place].allocations), atomic_load(&places[place].bytes), atomic_load(&places[place].dropped),
        atomic_load(&places[place].live_blocks), atomic_load(&places[place].live_bytes)};
}

// A record that is whole: its words did not change while they were read.
static bool read_record(uint64_t slot, struct oakum_heap_record *out) {
    const struct oakum_heap_record *record = (struct oakum_heap_record *)oh_region.records.base + slot;
    uint64_t before = atomic_load_explicit((const _Atomic uint64_t *)&record->state, memory_order_acquire);
    if ((before & 3) != OAKUM_HEAP_RECORD_LIVE) return false;
    *out = *record;
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit((const _Atomic uint64_t *)&record->state, memory_order_relaxed) == before;
}

static uint64_t records_used(void) { return oh_is_recording() && oh_owns_region() ? atomic_load(&oh_region.records.used) : 0; }

size_t oakum_ledger_read(uint64_t measurement, struct oakum_ledger_block *blocks, size_t capacity) {
    struct oakum_heap_record record;
    size_t count = 0;
    for (uint64_t slot = 0, end = records_used(); slot < end; slot++) {
        if (!read_record(slot, &record) || (record.reserved & MEASUREMENT_MASK) != measurement) continue;
        if (count < capacity) {
            blocks[count] = (struct oakum_ledger_block){
                .address = record.address, .size = record.size, .birth_ns = record.birth_ns, .stack = record.stack,
                .thread = record.thread, .round = (uint16_t)(record.reserved >> MEASUREMENT_BITS),
                .is_stray = (record.reserved & STRAY) != 0};
        }
        count++;
    }
    return count;
}

static void forget(uint64_t measurement) {
    struct oakum_heap_record record;
    struct oh_sample sample;
    for (uint64_t slot = 0, end = records_used(); slot < end; slot++) {
        if (!read_record(slot, &record) || (record.reserved & MEASUREMENT_MASK) != measurement) continue;
        // Freed by another thread meanwhile, and its address given out again: then it is another record's.
        if (oh_index_find(record.address) == slot) oh_forget((void *)record.address, &sample);
    }
}

void oakum_ledger_close(uint64_t measurement) {
    uint64_t own = measurement;
    atomic_compare_exchange_strong(&strays_of, &own, 0);
    atomic_fetch_sub(&open_count, 1);
    atomic_store(&places[place_of(measurement)].measurement, UINT64_MAX);
    forget(measurement);
    atomic_store(&places[place_of(measurement)].measurement, 0);
}

int oakum_ledger_watch_strays(uint64_t measurement) {
    uint64_t none = 0;
    return atomic_compare_exchange_strong(&strays_of, &none, measurement);
}

size_t oakum_ledger_stack(uint32_t stack, uint64_t *frames, uint32_t *quality) {
    *quality = OAKUM_HEAP_STACK_NONE;
    if (!oh_is_recording() || stack == OAKUM_HEAP_UNKNOWN_STACK || stack >= atomic_load(&oh_region.stacks.used)) return 0;
    const struct oakum_heap_stack *entry = (struct oakum_heap_stack *)oh_region.stacks.base + stack;
    size_t count = entry->frame_count < OAKUM_LEDGER_FRAMES ? entry->frame_count : OAKUM_LEDGER_FRAMES;
    __builtin_memcpy(frames, (uint64_t *)oh_region.frames.base + entry->first_frame, count * sizeof *frames);
    *quality = entry->quality;
    return count;
}

__attribute__((noinline)) void oakum_ledger_clear_stack(void) {
    volatile char unused[32768];
    memset((char *)unused, 0, sizeof unused);
    __asm__ volatile("" : : "r"(unused) : "memory");
}

// Made by the system call, not by fork(): no handlers run, no lock is asked for, and a child that sends no signal at its end is
// invisible to a test runner that waits for any child of its own.
pid_t oakum_ledger_snapshot(void) {
    long parent = oh_process_id();
    long copy = oh_call6(SYS_clone, 0, 0, 0, 0, 0, 0);
    if (copy != 0) return (pid_t)copy;
    // A signal for the whole group (Ctrl-C) must not run the program's handlers here; SIGKILL gets through.
    uint64_t all = ~0ull;
    oh_call6(SYS_rt_sigprocmask, SIG_BLOCK, (long)&all, 0, sizeof all, 0, 0);
    oh_call6(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);
    if (oh_call3(SYS_getppid, 0, 0, 0) != parent) oh_call3(SYS_exit_group, 0, 0, 0); // it ended before it was asked for
#ifdef SYS_close_range
    oh_call3(SYS_close_range, 0, ~0u, 0); // pipes and sockets of the tests end when their owners end them
#else
    for (int file = 0; file < 4096; file++) oh_close(file);
#endif
    oh_index_unmap();
    for (;;) oh_call6(SYS_ppoll, 0, 0, 0, 0, 0, 0);
}

void oakum_ledger_end_snapshot(pid_t copy) {
    if (copy <= 0) return;
    oh_call3(SYS_kill, copy, SIGKILL, 0);
    int status;
    while (oh_call6(SYS_wait4, copy, (long)&status, __WALL, 0, 0, 0) == -4 /* EINTR */) {}
}

#endif
