// Which files are mapped as code, from /proc/self/maps: reading it asks the kernel alone, never the dynamic loader, whose
// lock another thread (or, in a signal handler, this very one) may hold.
//
// The table in the file is append-only; a private list of code ranges, kept twice, answers "is this code?" without a lock.
#include "heap_sampler.h"
#include <string.h>

#define RANGES 1024
#define QUIET_NS 100000000ull    // between two scans for an unknown address
#define LONGEST_QUIET_NS 64000000000ull
#define REGULAR_NS 10000000000ull // after this the next new stack asks for a scan

struct range {
    uint64_t low, high;
};
struct ranges {
    uint32_t count;
    struct range items[RANGES];
};

static struct ranges lists[2];
static _Atomic uint32_t current;
static _Atomic uint32_t is_scanning;
static _Atomic uint64_t last_scan;
static _Atomic uint64_t quiet = QUIET_NS;
static uint8_t was_seen[1024]; // by this scan: one for each module of the table
static _Atomic uint32_t is_wanted;

// Where libraries were that have gone, and when; the oldest is overwritten when there are more.
#define GONE 64
static struct {
    uint64_t low, high, when;
} gone[GONE];
static _Atomic uint64_t gone_count;

// After a fork: a scan that another thread had begun will never end here.
void oh_settle_modules(void) { atomic_store(&is_scanning, 0); }

void oh_want_scan(void) { atomic_store_explicit(&is_wanted, 1, memory_order_release); }

bool oh_is_scan_wanted(void) { return atomic_load_explicit(&is_wanted, memory_order_acquire) != 0; }

uint64_t oh_unloaded_at(uint64_t address) {
    uint64_t count = atomic_load_explicit(&gone_count, memory_order_acquire), latest = 0;
    for (uint64_t index = 0; index < count && index < GONE; index++) {
        if (address >= gone[index].low && address < gone[index].high && gone[index].when > latest) latest = gone[index].when;
    }
    return latest;
}

static void note_gone(struct oakum_heap_module *module, uint64_t now) {
    uint64_t index = atomic_load(&gone_count) % GONE;
    gone[index].low = module->low;
    gone[index].high = module->high;
    gone[index].when = now;
    atomic_fetch_add(&gone_count, 1);
    module->unloaded_ns = now;
}

bool oh_is_code(uint64_t address) {
    const struct ranges *list = &lists[atomic_load_explicit(&current, memory_order_acquire) & 1];
    uint32_t low = 0, high = list->count < RANGES ? list->count : RANGES;
    if (high == 0) return true; // no /proc to ask: what the unwinder found plausible is all there is
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (address < list->items[middle].low) high = middle;
        else if (address >= list->items[middle].high) low = middle + 1;
        else return true;
    }
    return false;
}

bool oh_may_scan(uint64_t now, bool is_missing) {
    uint64_t since = now - atomic_load_explicit(&last_scan, memory_order_relaxed);
    return since > (is_missing ? atomic_load_explicit(&quiet, memory_order_relaxed) : REGULAR_NS);
}

static struct oakum_heap_module *module_at(uint64_t index) {
    return (struct oakum_heap_module *)oh_region.modules.base + index;
}

static uint64_t check_of(const struct oakum_heap_module *module) {
    uint64_t sum = oakum_heap_mix(OAKUM_HEAP_CHECK_SEED, module->loaded_ns);
    sum = oakum_heap_mix(sum, module->bias);
    sum = oakum_heap_mix(sum, module->low);
    sum = oakum_heap_mix(sum, module->high);
    const uint64_t *words = (const uint64_t *)&module->build_id_bytes;
    for (size_t index = 0; index < (sizeof *module - offsetof(struct oakum_heap_module, build_id_bytes)) / 8; index++)
        sum = oakum_heap_mix(sum, words[index]);
    return sum;
}

// True when the table did not have it.
static bool note_module(struct oakum_heap_module *module, uint64_t now) {
    if (!oh_describe_elf(module)) return false;
    uint64_t used = atomic_load(&oh_region.modules.used);
    for (uint64_t index = 0; index < used; index++) {
        const struct oakum_heap_module *known = module_at(index);
        if (known->unloaded_ns == 0 && known->low == module->low && known->bias == module->bias &&
            memcmp(known->build_id, module->build_id, sizeof known->build_id) == 0 &&
            strcmp(known->path, module->path) == 0) {
            was_seen[index] = 1;
            return false;
        }
    }
    uint64_t index = oh_reserve(&oh_region, &oh_region.modules, 1);
    if (index == UINT64_MAX) {
        oh_count(&oh_region.header->counters.modules_dropped);
        return false;
    }
    module->loaded_ns = now;
    module->check = check_of(module);
    *module_at(index) = *module;
    was_seen[index] = 1;
    oh_publish_used(&oh_region.modules);
    return true;
}

struct scan {
    uint64_t now;
    bool is_changed, has_code;
    struct ranges *list;
    struct oakum_heap_module module; // the file whose mappings are being read
};

static void end_module(struct scan *scan) {
    if (scan->has_code && scan->module.path[0] == '/') scan->is_changed |= note_module(&scan->module, scan->now);
    scan->module = (struct oakum_heap_module){0};
    scan->has_code = false;
}

static void set_path(struct oakum_heap_module *module, const char *path) {
    size_t length = strlen(path), room = sizeof module->path - 1;
    if (length <= room) {
        memcpy(module->path, path, length);
        return;
    }
    const char mark[] = "…/";
    memcpy(module->path, mark, sizeof mark - 1);
    memcpy(module->path + sizeof mark - 1, path + length - (room - (sizeof mark - 1)), room - (sizeof mark - 1));
}

static void take_mapping(void *context, struct oh_mapping line) {
    struct scan *scan = context;
    struct ranges *list = scan->list;
    if (line.is_code && list->count < RANGES) {
        list->items[list->count++] = (struct range){line.low, line.high};
    }
    bool is_file = line.path[0] == '/' && line.inode != 0;
    if (is_file && scan->module.low != 0 && !line.is_start && strcmp(scan->module.path, line.path) == 0) {
        scan->module.high = line.high;
        scan->has_code |= line.is_code;
        return;
    }
    if (!is_file && scan->module.low != 0 && line.path[0] == 0) return; // its zero-filled data
    end_module(scan);
    if (!is_file || !line.is_start) return;
    scan->module.low = line.low;
    scan->module.high = line.high;
    scan->has_code = line.is_code;
    set_path(&scan->module, line.path);
}

void oh_scan_modules(uint64_t now) {
    uint32_t free = 0;
    if (!atomic_compare_exchange_strong(&is_scanning, &free, 1)) return;
    atomic_store(&is_wanted, 0);
    uint32_t spare = (atomic_load(&current) + 1) & 1;
    struct scan scan = {.now = now, .list = &lists[spare]};
    scan.list->count = 0;
    memset(was_seen, 0, sizeof was_seen);
    if (oh_read_maps(take_mapping, &scan)) {
        end_module(&scan);
        for (uint64_t index = 0; index < atomic_load(&oh_region.modules.used); index++) {
            if (was_seen[index] || module_at(index)->unloaded_ns != 0) continue;
            note_gone(module_at(index), now);
            scan.is_changed = true;
        }
        atomic_store_explicit(&current, spare, memory_order_release);
    }
    oh_count(&oh_region.header->counters.module_scans);
    // Code that belongs to no file (a compiler at run time) would ask again and again: ask it less and less often.
    uint64_t pause = atomic_load(&quiet);
    atomic_store(&quiet, scan.is_changed ? QUIET_NS : pause < LONGEST_QUIET_NS ? pause * 2 : pause);
    atomic_store(&last_scan, now);
    atomic_store_explicit(&is_scanning, 0, memory_order_release);
}
