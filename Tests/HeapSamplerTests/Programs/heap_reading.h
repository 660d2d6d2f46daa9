// Reads heap files in test programs, with every check that docs/heap-format.md asks of a reader.
#ifndef HEAP_READING_H
#define HEAP_READING_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../../../Sources/CHeapSampler/include/heap_sampler_format.h"

// A private copy of the file: what a reader gets while the writer goes on. It is mapped, not allocated: reading must not
// change what is read.
struct heap {
    const uint8_t *bytes;
    size_t length;
    const struct oakum_heap_header *header;
    const struct oakum_heap_module *modules;
    const struct oakum_heap_stack *stacks;
    const uint64_t *frames;
    const struct oakum_heap_lifetimes *lifetimes;
    const struct oakum_heap_record *records;
    uint64_t module_count, stack_count, frame_count, lifetime_count, record_count;
};

static inline void heap_die(const char *why) {
    fprintf(stderr, "heap file: %s\n", why);
    _exit(3);
}

static inline uint64_t heap_table(const struct heap *heap, const struct oakum_heap_table *table, size_t entry, const void **base) {
    uint64_t bytes;
    if (table->entry_bytes != entry || table->offset % 4096 || table->offset < 4096 ||
        __builtin_mul_overflow(table->capacity, table->entry_bytes, &bytes) || table->offset > heap->length ||
        bytes > heap->length - table->offset)
        heap_die("a table lies outside the file");
    *base = heap->bytes + table->offset;
    return table->used < table->capacity ? table->used : table->capacity;
}

static inline struct heap heap_read(const char *path) {
    struct heap heap = {0};
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) != 0) heap_die("cannot be opened");
    if ((status.st_mode & 0777) != 0600) heap_die("is not for its owner alone");
    if (status.st_size < 4096) heap_die("is shorter than a header");
    heap.length = (size_t)status.st_size;
    uint8_t *copy = mmap(NULL, heap.length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED) heap_die("no memory for a copy");
    for (size_t at = 0; at < heap.length;) {
        ssize_t count = pread(file, copy + at, heap.length - at, (off_t)at);
        if (count <= 0) heap_die("cannot be read");
        at += (size_t)count;
    }
    close(file);
    heap.bytes = copy;
    heap.header = (const void *)copy;
    const struct oakum_heap_header *header = heap.header;
    if (header->magic != OAKUM_HEAP_MAGIC || header->version != OAKUM_HEAP_VERSION ||
        header->header_bytes != OAKUM_HEAP_HEADER_BYTES || header->file_bytes != heap.length)
        heap_die("has another format");
    if (header->state == OAKUM_HEAP_PREPARING) heap_die("is not finished");
    heap.module_count = heap_table(&heap, &header->modules, sizeof *heap.modules, (const void **)&heap.modules);
    heap.stack_count = heap_table(&heap, &header->stacks, sizeof *heap.stacks, (const void **)&heap.stacks);
    heap.frame_count = heap_table(&heap, &header->frames, sizeof *heap.frames, (const void **)&heap.frames);
    heap.lifetime_count = heap_table(&heap, &header->lifetimes, sizeof *heap.lifetimes, (const void **)&heap.lifetimes);
    heap.record_count = heap_table(&heap, &header->records, sizeof *heap.records, (const void **)&heap.records);
    return heap;
}

static inline void heap_close(struct heap *heap) { munmap((void *)heap->bytes, heap->length); }

static inline bool heap_is_live(const struct oakum_heap_record *record) {
    if ((record->state & 3) != OAKUM_HEAP_RECORD_LIVE) return false;
    uint64_t sum = oakum_heap_mix(OAKUM_HEAP_CHECK_SEED, record->state);
    sum = oakum_heap_mix(sum, record->address);
    sum = oakum_heap_mix(sum, record->size);
    sum = oakum_heap_mix(sum, record->weight);
    sum = oakum_heap_mix(sum, record->birth_ns);
    return record->check == oakum_heap_mix(sum, record->thread | (uint64_t)record->stack << 32);
}

static inline bool heap_is_stack(const struct heap *heap, uint64_t index) {
    if (index >= heap->stack_count) return false;
    const struct oakum_heap_stack *stack = &heap->stacks[index];
    uint64_t sum = oakum_heap_mix(OAKUM_HEAP_CHECK_SEED, stack->hash);
    sum = oakum_heap_mix(sum, stack->first_frame);
    sum = oakum_heap_mix(sum, stack->frame_count | (uint64_t)stack->quality << 32);
    if (stack->check != oakum_heap_mix(sum, stack->first_seen_ns)) return false;
    if (index == OAKUM_HEAP_UNKNOWN_STACK) return true;
    if (stack->frame_count > OAKUM_HEAP_FRAME_LIMIT || stack->first_frame > heap->frame_count ||
        stack->frame_count > heap->frame_count - stack->first_frame)
        return false;
    sum = OAKUM_HEAP_CHECK_SEED;
    for (uint32_t frame = 0; frame < stack->frame_count; frame++)
        sum = oakum_heap_mix(sum, heap->frames[stack->first_frame + frame]);
    return sum == stack->hash;
}

static inline bool heap_is_module(const struct oakum_heap_module *module) {
    uint64_t sum = oakum_heap_mix(OAKUM_HEAP_CHECK_SEED, module->loaded_ns);
    sum = oakum_heap_mix(sum, module->bias);
    sum = oakum_heap_mix(sum, module->low);
    sum = oakum_heap_mix(sum, module->high);
    const uint64_t *words = (const uint64_t *)&module->build_id_bytes;
    for (int word = 0; word < 58; word++) sum = oakum_heap_mix(sum, words[word]);
    return sum == module->check && module->low < module->high && module->build_id_bytes <= 20;
}

struct heap_sum {
    uint64_t records, weight, size, odd_records, odd_stacks, odd_modules, taken, freed, freed_weight, stacks[4];
    double blocks;
};

// All live records, or those with a frame in [low, high) when high is not 0.
static inline struct heap_sum heap_total(const struct heap *heap, uint64_t low, uint64_t high) {
    struct heap_sum sum = {0};
    for (uint64_t index = 0; index < heap->stack_count; index++) {
        if (!heap_is_stack(heap, index)) sum.odd_stacks++;
        else if (heap->stacks[index].quality < 4) sum.stacks[heap->stacks[index].quality]++;
        sum.taken += heap->stacks[index].samples;
    }
    for (uint64_t index = 0; index < heap->module_count; index++) sum.odd_modules += !heap_is_module(&heap->modules[index]);
    for (uint64_t index = 0; index < heap->lifetime_count; index++) {
        sum.freed += heap->lifetimes[index].count;
        sum.freed_weight += heap->lifetimes[index].weight;
    }
    for (uint64_t index = 0; index < heap->record_count; index++) {
        const struct oakum_heap_record *record = &heap->records[index];
        if (!heap_is_live(record)) {
            sum.odd_records += (record->state & 3) != OAKUM_HEAP_RECORD_EMPTY;
            continue;
        }
        bool is_wanted = high == 0;
        if (!is_wanted && heap_is_stack(heap, record->stack)) {
            const struct oakum_heap_stack *stack = &heap->stacks[record->stack];
            for (uint32_t frame = 0; frame < stack->frame_count; frame++) {
                uint64_t address = heap->frames[stack->first_frame + frame] - 1;
                is_wanted |= address >= low && address < high;
            }
        }
        if (!is_wanted) continue;
        sum.records++;
        sum.weight += record->weight;
        sum.size += record->size;
        sum.blocks += record->size ? (double)record->weight / (double)record->size : 1;
    }
    return sum;
}

static inline const struct oakum_heap_record *heap_find(const struct heap *heap, const void *block) {
    for (uint64_t index = 0; index < heap->record_count; index++) {
        if (heap_is_live(&heap->records[index]) && heap->records[index].address == (uint64_t)block)
            return &heap->records[index];
    }
    return NULL;
}

// The path of this process's own file: OAKUM_HEAP_FILE with %p.
static inline const char *heap_own_path(void) {
    static char path[2048];
    const char *text = getenv("OAKUM_HEAP_FILE");
    size_t length = 0;
    for (; text && *text && length < sizeof path - 16; text++) {
        if (text[0] == '%' && text[1] == 'p') {
            length += (size_t)snprintf(path + length, 12, "%d", getpid());
            text++;
        } else {
            path[length++] = *text;
        }
    }
    path[length] = 0;
    return path;
}

#endif
