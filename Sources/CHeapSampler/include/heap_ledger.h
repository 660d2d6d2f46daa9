// An exact account of what chosen calls allocate, for tests: the sampler's exact mode, narrowed to the calls that are
// measured. Only in the build that is linked into a test executable (OAKUM_HEAP_LINKED).
//
// Whose allocation it is, a task-local value of the caller tells: it holds the number of a measurement, and is asked for in
// malloc itself. So what other tests allocate meanwhile is never mistaken for the measured calls'; child tasks, unstructured
// tasks and hops between actors are followed, whatever thread they run on. A block is taken out by whoever frees it.
#ifndef OAKUM_HEAP_LEDGER_H
#define OAKUM_HEAP_LEDGER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum oakum_ledger_state {
    OAKUM_LEDGER_READY = 0,
    OAKUM_LEDGER_SANITIZED = 1, ///< built with a sanitizer, whose allocator must not be hidden
    OAKUM_LEDGER_SHADOWED = 2,  ///< another malloc comes first: a static C library, or an allocator in the executable
    OAKUM_LEDGER_SAMPLING = 3,  ///< OAKUM_HEAP_FILE is set: the sampler works as it does in a service
    OAKUM_LEDGER_NO_MEMORY = 4,
    OAKUM_LEDGER_NO_TASKS = 5,  ///< the program has no Swift concurrency library
};

struct oakum_ledger_counts {
    uint64_t allocations; ///< that belong to the measurement, of blocks freed since too
    uint64_t bytes;       ///< asked for by those
    uint64_t dropped;     ///< allocations there was no room to record: nothing can be said then
    int64_t live_blocks;
    int64_t live_bytes; ///< asked for
};

struct oakum_ledger_block {
    uint64_t address;
    uint64_t size; ///< asked for
    uint64_t birth_ns;
    uint32_t stack;
    uint32_t thread;
    uint16_t round;   ///< that it was allocated in
    uint16_t is_stray; ///< not by the measured calls: see oakum_ledger_watch_strays
    uint32_t reserved;
};

#define OAKUM_LEDGER_FRAMES 64u

/// Begins to keep the account; the first call decides. `key` is the address of the `TaskLocal<UInt64>` object.
/// Not to be called by two threads at a time.
int oakum_ledger_start(const void *key);

/// A measurement: the value to bind the task-local to. 0 when as many as possible (64) are open.
uint64_t oakum_ledger_open(void);
/// What is allocated from now on belongs to this round, up to 65,535.
void oakum_ledger_begin_round(uint64_t measurement, uint32_t round);
struct oakum_ledger_counts oakum_ledger_counts(uint64_t measurement);
/// Blocks of a measurement that are alive: their number, of which the first `capacity` are written. Other threads may go on.
size_t oakum_ledger_read(uint64_t measurement, struct oakum_ledger_block *blocks, size_t capacity);
/// Forgets it and its blocks.
void oakum_ledger_close(uint64_t measurement);

/// What belongs to no measurement is counted and recorded too, for this one; for one at a time. 0: another has it.
int oakum_ledger_watch_strays(uint64_t measurement);

/// The return addresses of a stack, innermost first: at most OAKUM_LEDGER_FRAMES.
size_t oakum_ledger_stack(uint32_t stack, uint64_t *frames, uint32_t *quality);

/// Clears the part of the stack below the caller: frames that were there look, to who comes later, as if they still held something.
void oakum_ledger_clear_stack(void);

/// A copy of this process as it is now, which does nothing but wait to be looked at. Its pid, or -errno.
pid_t oakum_ledger_snapshot(void);
void oakum_ledger_end_snapshot(pid_t copy);

#endif
