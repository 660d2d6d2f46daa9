// What the files of the sampler know of each other. Nothing here is visible outside the library.
//
// Rules of the house: the code runs inside malloc of a program that it must not harm. So: no lock is held across a call to
// the next allocator or to libc; loops on shared words are bounded, and losing means dropping a sample; no function of libc
// that may allocate, lock or be a cancellation point after the start (system calls are made directly, and leave errno alone).
#ifndef OAKUM_HEAP_SAMPLER_INTERNAL_H
#define OAKUM_HEAP_SAMPLER_INTERNAL_H

#if !defined(__linux__) || !defined(__x86_64__)
#error "The sampler knows Linux on x86-64 alone so far: frame layout, system calls and thread-local access are its own."
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define OAKUM_HEAP_SANITIZED
#endif
#endif

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "include/heap_sampler_format.h"

#ifndef __GLIBC__
#error "The sampler stands on glibc: where a thread's stack ends, and how blocks know their size."
#endif

#pragma GCC visibility push(hidden)

#define OH_VERSION "oakum-heap 1"
#define OH_PAGE 4096ul
#define OH_LIKELY(x) __builtin_expect(!!(x), 1)
#define OH_UNLIKELY(x) __builtin_expect(!!(x), 0)

// --- The state of a thread: zero at first, so that its first allocation and its first free take the slow path. ---

#define OH_BATCH 65536ul // bytes_in_use may be off by this much for each thread, unless the settings say less

// The first three are entry.c's, which knows their places.
struct oh_thread {
    uint64_t fuel;  // bytes to allocate until the next look; 0 sends everything down the slow path
    // Bytes to allocate, and to free, until bytes_in_use is looked after again. What it has not been told yet is
    // to_free - to_allocate.
    uint64_t to_allocate;
    uint64_t to_free;
    uint64_t left;  // the budget when `fuel` is pinned to 0
    uint64_t random;
    uintptr_t stack_low; // [stack_low, stack_top) was found readable
    uintptr_t stack_top;
    uint32_t epoch; // of oh_epoch, when this was set up
    uint32_t thread_id;
    uint32_t inside; // the thread is in the sampler: allocations of libc and of signal handlers pass unsampled
    uint32_t exits;  // rounds of thread-exit handlers; 0 when none is registered
    uint64_t visits; // of the slow path
    uint64_t tag;    // of the measurement that the allocation under way belongs to (ledger.c)
};

extern _Thread_local struct oh_thread oh_self __attribute__((tls_model("initial-exec")));

// --- The next allocator (next.c) ---

struct oh_next {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void (*free)(void *);
    int (*posix_memalign)(void **, size_t, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    void *(*memalign)(size_t, size_t);
    void *(*valloc)(size_t);
    void *(*pvalloc)(size_t);
    size_t (*usable_size)(void *);
    int (*dlclose)(void *);
    bool is_glibc; // its chunk headers may be read
    bool has_own_new;
};

extern struct oh_next oh_next;
bool oh_is_shadowed(void); // another malloc comes before ours: the program never calls us
bool oh_resolve(void); // false while it is under way: use the arena
void *oh_arena_allocate(size_t bytes, size_t alignment);
bool oh_arena_owns(const void *block);
size_t oh_arena_size(const void *block);

// Bytes a block takes in the allocator. With glibc that is one load of the word before it.
static inline uint64_t oh_chunk(const void *block) { return ((const uint64_t *)block)[-1] & ~7ull; }
uint64_t oh_block_bytes(void *block);

// --- Marked blocks: only pointers whose bits under the mask are zero can be in the table. ---
// 0xFEF lets through page-aligned blocks and those 16 bytes into a page, which is how glibc serves what it maps alone:
// such blocks are sampled where they are, without an aligned copy.
#define OH_MARK_MASK 0xFEFul
extern uintptr_t oh_mask; // 0: every pointer may be in the table, or is otherwise special; ~0: none is
static inline bool oh_is_marked(const void *block) { return ((uintptr_t)block & OH_MARK_MASK) == 0; }

// How many sampled blocks there are on pages of one kind. A sampled block that was freed is served again as an ordinary one,
// and allocators like to serve what was freed last: without this, such a block would be looked up at each of its lives.
#define OH_FILTER_PLACES 65536u
extern _Atomic uint32_t oh_filter[OH_FILTER_PLACES];
static inline uint32_t oh_filter_place(const void *block) {
    return (uint32_t)((uintptr_t)block >> 12 ^ (uintptr_t)block >> 28) & (OH_FILTER_PLACES - 1);
}
static inline bool oh_may_be_sampled(const void *block) {
    return atomic_load_explicit(&oh_filter[oh_filter_place(block)], memory_order_relaxed) != 0;
}
static inline bool oh_is_marked_or_unknown(const void *block) { return ((uintptr_t)block & oh_mask) == 0; }
// True when a pointer must take the slow path in free and realloc.
static inline bool oh_is_special(const void *block) {
    return OH_UNLIKELY(oh_is_marked_or_unknown(block)) && (oh_mask == 0 || oh_may_be_sampled(block));
}

// --- Budget (budget.c): pure ---
uint64_t oh_random(uint64_t *state);
double oh_uniform(uint64_t *state);             // in (0, 1]
double oh_natural_log(double value);            // value > 0
double oh_hit_probability(double size, double mean); // 1 - exp(-size / mean)
uint64_t oh_draw_budget(uint64_t *state, uint64_t mean); // >= 1
uint64_t oh_weight(uint64_t size, uint64_t mean);

// --- Settings (settings.c) ---
struct oh_settings {
    char path[1024]; // as given, with %p
    bool path_has_pid;
    bool is_off;
    bool is_quiet;
    bool is_counted;
    bool is_private; // no file: memory that nobody else sees (ledger.c)
    bool allows_any_reader;
    uint32_t mode;
    uint64_t mean;
    uint64_t records;
    uint64_t stacks;
    uint64_t seed; // 0: from the kernel
    uint64_t error_bytes;
};
extern struct oh_settings oh_settings;
void oh_read_settings(void);
bool oh_expand_path(char *out, size_t capacity, uint32_t pid);
void oh_warn(const char *text, const char *detail);

// --- The shared file (region.c) ---
struct oh_table {
    uint8_t *base;
    struct oakum_heap_table *shared;
    uint64_t capacity;
    uint64_t entry_bytes;
    _Atomic uint64_t used;
    _Atomic uint64_t populated; // bytes of the table whose pages are there
};
struct oh_region {
    struct oakum_heap_header *header;
    uint64_t bytes;
    bool is_whole; // all pages were allocated at the start
    struct oh_table modules, stacks, frames, lifetimes, records;
};
extern struct oh_region oh_region;
enum oh_created { OH_CREATED, OH_TAKEN, OH_FAILED };
enum oh_created oh_create_region(struct oh_region *region, uint32_t pid, uint64_t start_ticks);
void oh_unmap_region(struct oh_region *region);
uint64_t oh_reserve(struct oh_region *region, struct oh_table *table, uint64_t count); // first index, or UINT64_MAX
void oh_publish_used(struct oh_table *table);

// --- Live records (records.c) and their index by address (index.c) ---
#define OH_NO_SLOT UINT32_MAX
bool oh_prepare_index(uint64_t capacity);
bool oh_index_insert(uintptr_t address, uint32_t slot);
uint32_t oh_index_remove(uintptr_t address);
uint32_t oh_index_find(uintptr_t address);
uint64_t oh_index_positions(void);
uintptr_t oh_index_at(uint64_t position, uint32_t *slot); // 0 when empty
void oh_index_settle(void); // after a fork: drops what other threads had half done
uint32_t oh_take_slot(void);
void oh_return_slot(uint32_t slot);

struct oh_sample {
    uint64_t size;
    uint64_t weight;
    uint64_t birth;
    uint32_t thread;
    uint32_t stack;
    uint64_t tag;
};
bool oh_record(void *block, const struct oh_sample *sample);
bool oh_forget(void *block, struct oh_sample *sample); // takes the record out; false when there is none
void oh_count_lifetime(const struct oh_sample *sample, uint64_t now);
void oh_write_record(struct oakum_heap_record *record, uintptr_t address, const struct oh_sample *sample);
uint64_t oh_record_check(const struct oakum_heap_record *record, uint64_t state);

// --- Stacks (stacks.c), unwinding (unwind.c), modules (modules.c, maps.c, elf.c) ---
struct oh_caller {
    uintptr_t frame; // holds the caller's saved frame pointer and, above it, the return address
    uintptr_t address;
};
#define OH_CALLER ((struct oh_caller){(uintptr_t)__builtin_frame_address(0), (uintptr_t)__builtin_return_address(0)})
struct oh_trace {
    uint32_t count;
    uint32_t quality;
    uint64_t not_before; // older stacks with these frames were in a library that has gone
    bool is_native; // on the thread's own stack, whose top is known
    uint64_t frames[OAKUM_HEAP_FRAME_LIMIT];
    uintptr_t positions[OAKUM_HEAP_FRAME_LIMIT]; // where each frame's record lies
};
// frameless.c
void oh_learn_frameless(void);
void oh_hear_lesson(struct oh_caller caller);
bool oh_is_frameless(uintptr_t return_address, uintptr_t *distance);
void oh_unwind(struct oh_thread *thread, struct oh_caller caller, struct oh_trace *trace);
void oh_learn_stacks(void);
bool oh_is_near_top(const struct oh_thread *thread, const struct oh_trace *trace, uint32_t frame);
bool oh_prepare_stacks(uint64_t capacity);
void oh_settle_stacks(void);
uint32_t oh_stack_of(struct oh_thread *thread, struct oh_caller caller, uint64_t now);
uint64_t oh_stack_check(const struct oakum_heap_stack *stack);
void oh_scan_modules(uint64_t now);
struct oh_mapping {
    uint64_t low, high, inode;
    bool is_code, is_start; // is_start: of the file, at offset 0
    const char *path;
};
bool oh_read_maps(void (*take)(void *, struct oh_mapping), void *context);
bool oh_is_code(uint64_t address);
bool oh_may_scan(uint64_t now, bool is_missing);
void oh_want_scan(void);
void oh_settle_modules(void);
bool oh_is_scan_wanted(void);
uint64_t oh_unloaded_at(uint64_t address); // 0: no library that was there has gone
bool oh_describe_elf(struct oakum_heap_module *module); // fills bias, high and build id from memory at low

// --- Life (lifecycle.c, fork.c) ---
enum oh_phase { OH_IDLE = 0, OH_RUNNING = 1, OH_ADOPTING = 2, OH_STOPPED = 3 };
extern _Atomic uint32_t oh_phase;
extern _Atomic uint32_t oh_epoch;     // grows when threads must set themselves up anew
extern _Atomic int64_t oh_in_use;     // private twin of header.bytes_in_use; survives a fork
extern bool oh_is_pinned;             // fuel stays 0: exact mode, or an allocator whose headers are unknown
bool oh_owns_region(void);            // false in a forked child that has no file of its own yet
void oh_set_owner(bool owns);
bool oh_prepare_owner(void);
void oh_meet_thread(struct oh_thread *thread);
bool oh_ready_to_record(void);        // in a forked child: takes over the parent's records into a file of its own
bool oh_begin(bool is_adopting);      // creates the file and describes the process in it
void oh_stop(void);
void oh_tell_in_use(struct oh_thread *thread); // what bytes_in_use has not been told, if that is much
bool oh_is_recording(void);                    // false before the start and after the end
void oh_count(uint64_t *counter);
void oh_add(uint64_t *counter, uint64_t amount);

// --- Linked into a test executable (ledger.c): only what measured calls allocate is recorded. ---
#ifdef OAKUM_HEAP_LINKED
bool oh_stand_by(void);                        // false: the environment asks for a profile, as of a preloaded sampler
bool oh_start(void);
void oh_index_unmap(void);                     // in a copy that is only looked at: its addresses would seem to hold the blocks
bool oh_is_wanted(struct oh_thread *thread);   // sets its tag
bool oh_is_own(uint32_t stack);                // false: made by the test library for itself
void oh_note_allocation(const struct oh_sample *sample);
void oh_note_dropped(const struct oh_sample *sample);
void oh_note_live(const struct oh_sample *sample, int64_t blocks); // one more or one less
void oh_wipe(void *block, const struct oh_sample *sample);         // what is freed shall not look as if it held anything
#else
static inline bool oh_stand_by(void) { return false; }
static inline bool oh_is_wanted(struct oh_thread *thread) { return (void)thread, true; }
static inline bool oh_is_own(uint32_t stack) { return (void)stack, true; }
static inline void oh_note_allocation(const struct oh_sample *sample) { (void)sample; }
static inline void oh_note_dropped(const struct oh_sample *sample) { (void)sample; }
static inline void oh_note_live(const struct oh_sample *sample, int64_t blocks) { (void)sample, (void)blocks; }
static inline void oh_wipe(void *block, const struct oh_sample *sample) { (void)block, (void)sample; }
#endif

#pragma GCC visibility pop
#endif
