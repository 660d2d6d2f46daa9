// The file that the allocation sampler shares with its readers, version 1. The words are in docs/heap-format.md.
//
// All fields are little-endian with fixed width and natural alignment; there is no hidden padding. The writer is a running
// process that may die at any instruction, and the file may be hostile: a reader checks everything the document lists.
#ifndef OAKUM_HEAP_SAMPLER_FORMAT_H
#define OAKUM_HEAP_SAMPLER_FORMAT_H

#include <stdint.h>

#define OAKUM_HEAP_MAGIC 0x31504145484B414FULL // the bytes "OAKHEAP1"
#define OAKUM_HEAP_VERSION 1u
#define OAKUM_HEAP_HEADER_BYTES 4096u
#define OAKUM_HEAP_FRAME_LIMIT 64u
#define OAKUM_HEAP_LIFETIME_BUCKETS 64u
#define OAKUM_HEAP_UNKNOWN_STACK 0u // stack 0 has no frames: samples whose stack found no room

enum oakum_heap_state {
    OAKUM_HEAP_PREPARING = 0, // the writer has not finished the file (or died doing so): use nothing
    OAKUM_HEAP_RUNNING = 1,   // being written; after SIGKILL it stays so: ask whether pid + start_ticks still lives
    OAKUM_HEAP_STOPPED = 2,   // no more samples, stop_reason says why; what is in the file is right up to that moment
};

enum oakum_heap_stop_reason {
    OAKUM_HEAP_STOP_NONE = 0,
    OAKUM_HEAP_STOP_EXITED = 1, // the process left through exit() or return from main
};

enum oakum_heap_mode {
    OAKUM_HEAP_SAMPLED = 1, // Poisson sampling by bytes with mean_bytes
    OAKUM_HEAP_EXACT = 2,   // every allocation; weight == size
};

// Bits of header.flags.
#define OAKUM_HEAP_FLAG_NOT_COUNTED 1u       // bytes_in_use is not kept (OAKUM_HEAP_COUNT=off)
#define OAKUM_HEAP_FLAG_OTHER_ALLOCATOR 2u   // the next allocator is not glibc's
#define OAKUM_HEAP_FLAG_CXX_NEW_UNSEEN 4u    // that allocator brings its own operator new: C++ objects are not sampled
#define OAKUM_HEAP_FLAG_FORKED 8u            // the process was forked; records of before are inherited

// Entries [0, used) of a table may hold data. `used` only grows; a reader takes min(used, capacity).
struct oakum_heap_table {
    uint64_t offset; // from the start of the file, a multiple of 4096
    uint64_t capacity;
    uint64_t entry_bytes;
    uint64_t used;
};

struct oakum_heap_counters {
    uint64_t samples;             // allocations sampled and recorded
    uint64_t samples_dropped;     // not recorded: no room in the table of live records
    uint64_t dropped_weight;      // bytes those stand for
    uint64_t stacks_dropped;      // samples recorded under the unknown stack: no room for another stack
    uint64_t stacks_cut;          // new stacks deeper than the limit of frames
    uint64_t stacks_ended_early;  // new stacks that ended at code without frame pointers
    uint64_t modules_dropped;     // no room in the table of modules
    uint64_t passed_unsampled;    // the budget ran out inside the sampler itself, or while another thread prepared it
    uint64_t forks;               // children made by fork()
    uint64_t inherited;           // records taken over from the parent by this forked process
    uint64_t inherited_lost;      // records of the parent that changed before they could be taken over
    uint64_t module_scans;        // times /proc/self/maps was read
    uint64_t reserved[4];
};

struct oakum_heap_header {
    uint64_t magic;
    uint32_t version;
    uint32_t header_bytes;
    uint64_t file_bytes;
    uint32_t state;
    uint32_t stop_reason;
    uint32_t mode;
    uint32_t flags;
    uint64_t mean_bytes; // 0 in exact mode
    uint32_t pid;        // as the process itself sees it (its pid namespace)
    uint32_t parent_pid;
    uint64_t start_ticks;          // field 22 of /proc/PID/stat
    uint32_t ticks_per_second;     // unit of start_ticks
    uint32_t page_bytes;
    uint64_t sampling_since_ns;    // CLOCK_BOOTTIME when the sampler began in this process
    int64_t bytes_in_use;          // the allocator's, its own overhead per block included; see the document
    uint64_t in_use_error_bytes;   // bytes_in_use may be off by this much for each living thread
    struct oakum_heap_table modules;
    struct oakum_heap_table stacks;
    struct oakum_heap_table frames;    // uint64_t return addresses; stacks point into it
    struct oakum_heap_table lifetimes; // entry i belongs to stack i
    struct oakum_heap_table records;
    struct oakum_heap_counters counters;
    char sampler_version[32]; // NUL-terminated
    char executable[1024];    // NUL-terminated; empty when unreadable
};

// A mapped ELF file. `unloaded_ns` is 0 while it is mapped. An address belongs to the module whose [low, high) holds it
// and which was mapped at the stack's first_seen_ns.
struct oakum_heap_module {
    uint64_t check; // over all fields below but unloaded_ns
    uint64_t unloaded_ns;
    uint64_t loaded_ns; // when the sampler first saw it
    uint64_t bias;      // address in memory − address in the file's symbol table
    uint64_t low;
    uint64_t high;
    uint32_t build_id_bytes; // 0…20
    uint8_t build_id[20];
    char path[440]; // NUL-terminated; longer paths lose their beginning and start with "…/"
};

enum oakum_heap_quality {
    OAKUM_HEAP_STACK_NONE = 0,        // the unknown stack
    OAKUM_HEAP_STACK_COMPLETE = 1,    // reaches the beginning of its thread
    OAKUM_HEAP_STACK_CUT = 2,         // cut at the limit of frames
    OAKUM_HEAP_STACK_ENDED_EARLY = 3, // ended at code without frame pointers (or at the edge of a coroutine's stack)
};

struct oakum_heap_stack {
    uint64_t check;       // over hash, first_frame, frame_count, quality, first_seen_ns
    uint64_t hash;        // over the frames
    uint64_t first_frame; // index into frames
    uint32_t frame_count;
    uint32_t quality;
    uint64_t first_seen_ns;
    uint64_t samples; // ever taken here
    uint64_t weight;  // bytes those stood for when they were taken
    uint64_t reserved;
};

// Sampled blocks of one stack that have been freed.
struct oakum_heap_lifetimes {
    uint64_t count;
    uint64_t size;   // sum of sizes asked for
    uint64_t weight; // sum of weights
    uint64_t reserved[5];
    uint64_t bucket_count[OAKUM_HEAP_LIFETIME_BUCKETS];
    uint64_t bucket_weight[OAKUM_HEAP_LIFETIME_BUCKETS];
};

#define OAKUM_HEAP_RECORD_EMPTY 0u
#define OAKUM_HEAP_RECORD_WRITING 1u
#define OAKUM_HEAP_RECORD_LIVE 2u

struct oakum_heap_record {
    uint64_t state; // low two bits: empty, writing, live; the others: a number that grows with every change
    uint64_t check; // over state, address, size, weight, birth_ns, thread, stack
    uint64_t address;
    uint64_t size;   // asked for
    uint64_t weight; // bytes that this sample stands for
    uint64_t birth_ns;
    uint32_t thread;
    uint32_t stack;
    uint64_t reserved;
};

_Static_assert(sizeof(struct oakum_heap_table) == 32, "format");
_Static_assert(sizeof(struct oakum_heap_counters) == 128, "format");
_Static_assert(sizeof(struct oakum_heap_header) == 1440, "format");
_Static_assert(sizeof(struct oakum_heap_module) == 512, "format");
_Static_assert(sizeof(struct oakum_heap_stack) == 64, "format");
_Static_assert(sizeof(struct oakum_heap_lifetimes) == 1088, "format");
_Static_assert(sizeof(struct oakum_heap_record) == 64, "format");

// The check word of an entry: start with the seed, mix in each 64-bit word in order of declaration (two 32-bit fields that
// share a word are mixed as that one word, the first in the low half).
#define OAKUM_HEAP_CHECK_SEED 0x4F414B554D484550ULL

static inline uint64_t oakum_heap_mix(uint64_t sum, uint64_t word) {
    sum = (sum ^ word) * 0x9E3779B97F4A7C15ULL;
    return sum ^ (sum >> 32);
}

#endif
