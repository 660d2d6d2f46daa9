// The shared file: created, mapped, and its pages populated before they are written to (a full file system must make a
// table full, not kill the program with SIGBUS). The descriptor is closed at once: a host that closes all descriptors and
// opens others under their numbers cannot make us write into them.
#include "heap_sampler.h"
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include "system_calls.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#define CHUNK (64ul * 1024)

struct oh_region oh_region;

static uint64_t round_up(uint64_t value, uint64_t unit) { return (value + unit - 1) / unit * unit; }

// Decides about a file that is there already: true when it may be replaced. Table in docs/heap-format.md.
static bool may_replace(const char *path, uint32_t pid, uint64_t start_ticks, bool *is_quiet) {
    struct oakum_heap_header header;
    struct stat status;
    *is_quiet = false;
    int file = oh_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (file < 0) return false;
    bool is_ours = oh_call3(SYS_fstat, file, (long)&status, 0) == 0 && S_ISREG(status.st_mode) &&
                   status.st_uid == (uid_t)oh_call3(SYS_geteuid, 0, 0, 0) && (status.st_mode & 077) == 0;
    long count = is_ours ? oh_read(file, &header, sizeof header) : 0;
    oh_close(file);
    if (count != sizeof header || header.magic != OAKUM_HEAP_MAGIC) return false;
    if (header.pid == pid && header.start_ticks == start_ticks) return true; // ourselves, before an exec
    if (header.pid == pid && oh_settings.path_has_pid) return true;          // the pid has come round
    bool is_alive = oh_call3(SYS_kill, header.pid, 0, 0) != -3 /* ESRCH */;
    *is_quiet = is_alive;
    return false;
}

static int create_file(const char *path, uint32_t pid, uint64_t start_ticks, enum oh_created *result) {
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW;
    *result = OH_FAILED;
    if (oh_settings.is_private) return (int)oh_call3(SYS_memfd_create, (long)"oakum-heap", 1 /* MFD_CLOEXEC */, 0);
    int file = oh_open(path, flags, 0600);
    if (file == -17 /* EEXIST */) {
        bool is_quiet;
        if (!may_replace(path, pid, start_ticks, &is_quiet)) {
            if (is_quiet) *result = OH_TAKEN;
            else oh_warn("not sampled: delete this file first, or use %p in OAKUM_HEAP_FILE: ", path);
            return -1;
        }
        oh_call3(SYS_unlink, (long)path, 0, 0);
        file = oh_open(path, flags, 0600);
    }
    if (file < 0) {
        oh_warn("not sampled: cannot create the file (does its folder exist, and may this user write there?): ", path);
    }
    return file;
}

static uint64_t lay_out(struct oakum_heap_header *header) {
    uint64_t stacks = oh_settings.stacks;
    struct {
        struct oakum_heap_table *table;
        uint64_t capacity, entry_bytes;
    } tables[] = {
        {&header->modules, 1024, sizeof(struct oakum_heap_module)},
        {&header->stacks, stacks, sizeof(struct oakum_heap_stack)},
        {&header->frames, stacks * 40, sizeof(uint64_t)}, // stacks of servers are rarely deeper on average
        {&header->lifetimes, stacks, sizeof(struct oakum_heap_lifetimes)},
        {&header->records, oh_settings.records, sizeof(struct oakum_heap_record)},
    };
    uint64_t offset = OAKUM_HEAP_HEADER_BYTES;
    for (size_t index = 0; index < sizeof tables / sizeof *tables; index++) {
        *tables[index].table = (struct oakum_heap_table){
            .offset = offset, .capacity = tables[index].capacity, .entry_bytes = tables[index].entry_bytes};
        offset += round_up(tables[index].capacity * tables[index].entry_bytes, OH_PAGE);
    }
    return offset;
}

static void open_table(struct oh_region *region, struct oh_table *table, struct oakum_heap_table *shared) {
    table->base = (uint8_t *)region->header + shared->offset;
    table->shared = shared;
    table->capacity = shared->capacity;
    table->entry_bytes = shared->entry_bytes;
    atomic_store(&table->used, 0);
    atomic_store(&table->populated, 0);
}

// Growing a file beyond this limit is answered with a signal that ends the process.
static bool is_allowed(uint64_t bytes) {
    struct rlimit limit;
    return oh_call6(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, (long)&limit, 0, 0) != 0 || limit.rlim_cur >= bytes;
}

enum oh_created oh_create_region(struct oh_region *region, uint32_t pid, uint64_t start_ticks) {
    char path[sizeof oh_settings.path + 64];
    enum oh_created result = OH_FAILED;
    if (!oh_expand_path(path, sizeof path, pid)) {
        oh_warn("not sampled: OAKUM_HEAP_FILE is too long with its %p replaced", "");
        return OH_FAILED;
    }
    struct oakum_heap_header layout = {0};
    uint64_t bytes = lay_out(&layout);
    if (!is_allowed(bytes)) {
        oh_warn("not sampled: the limit on file sizes (ulimit -f) is too low", "");
        return OH_FAILED;
    }
    int file = create_file(path, pid, start_ticks, &result);
    if (file < 0) return result;
    void *memory = MAP_FAILED;
    bool is_whole = false;
    if (oh_call3(SYS_fchmod, file, 0600, 0) == 0 && oh_call3(SYS_ftruncate, file, (long)bytes, 0) == 0) {
        memory = (void *)oh_call6(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if ((long)memory < 0 && (long)memory > -4096) memory = MAP_FAILED;
    }
    if (memory != MAP_FAILED && oh_call3(SYS_madvise, (long)memory, OAKUM_HEAP_HEADER_BYTES, MADV_POPULATE_WRITE) != 0) {
        // A kernel before 5.14, a filter of system calls, or no space even for the header: all or nothing then.
        is_whole = oh_call6(SYS_fallocate, file, 0, 0, (long)bytes, 0, 0) == 0;
        if (!is_whole) {
            oh_call3(SYS_munmap, (long)memory, (long)bytes, 0);
            memory = MAP_FAILED;
        }
    }
    oh_close(file);
    if (memory == MAP_FAILED) {
        oh_call3(SYS_unlink, (long)path, 0, 0);
        oh_warn("not sampled: no memory or no space for the file: ", path);
        return OH_FAILED;
    }
    region->header = memory;
    region->bytes = bytes;
    region->is_whole = is_whole;
    *region->header = layout;
    open_table(region, &region->modules, &region->header->modules);
    open_table(region, &region->stacks, &region->header->stacks);
    open_table(region, &region->frames, &region->header->frames);
    open_table(region, &region->lifetimes, &region->header->lifetimes);
    open_table(region, &region->records, &region->header->records);
    return OH_CREATED;
}

void oh_unmap_region(struct oh_region *region) {
    oh_call3(SYS_munmap, (long)region->header, (long)region->bytes, 0);
    region->header = NULL;
}

// Makes the pages of the first `bytes` of a table ready to be written to.
static bool populate(struct oh_region *region, struct oh_table *table, uint64_t bytes) {
    uint64_t have = atomic_load_explicit(&table->populated, memory_order_acquire);
    if (bytes <= have || region->is_whole) return true;
    uint64_t want = round_up(bytes, CHUNK), limit = round_up(table->capacity * table->entry_bytes, OH_PAGE);
    if (want > limit) want = limit;
    if (oh_call3(SYS_madvise, (long)(table->base + have), (long)(want - have), MADV_POPULATE_WRITE) != 0) return false;
    while (have < want && !atomic_compare_exchange_weak(&table->populated, &have, want)) {}
    return true;
}

// Room for `count` entries in a row: the index of the first, or UINT64_MAX when the table or the file system is full.
uint64_t oh_reserve(struct oh_region *region, struct oh_table *table, uint64_t count) {
    uint64_t first = atomic_load(&table->used);
    do {
        if (count > table->capacity || first > table->capacity - count) return UINT64_MAX;
        if (!populate(region, table, (first + count) * table->entry_bytes)) return UINT64_MAX;
    } while (!atomic_compare_exchange_weak(&table->used, &first, first + count));
    return first;
}

// Tells readers how far the table goes. Another thread may be writing an entry below: that one is not valid yet by itself.
void oh_publish_used(struct oh_table *table) {
    _Atomic uint64_t *shared = (_Atomic uint64_t *)&table->shared->used;
    uint64_t used = atomic_load(&table->used), seen = atomic_load(shared);
    while (seen < used && !atomic_compare_exchange_weak(shared, &seen, used)) {}
}
