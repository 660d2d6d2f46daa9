// Prints what a heap file holds, one `name value` a line; --stacks lists the stacks with live bytes, by weight.
#include "heap_reading.h"

static const struct heap *sorted_heap;
static uint64_t weights[1 << 20];

static int by_weight(const void *a, const void *b) {
    uint64_t left = weights[*(const uint32_t *)a], right = weights[*(const uint32_t *)b];
    return left < right ? 1 : left > right ? -1 : 0;
}

static void print_frame(uint64_t address) {
    for (uint64_t index = 0; index < sorted_heap->module_count; index++) {
        const struct oakum_heap_module *module = &sorted_heap->modules[index];
        if (!heap_is_module(module) || address < module->low || address >= module->high) continue;
        printf("  %.440s+0x%lx\n", module->path, address - 1 - module->bias);
        return;
    }
    printf("  0x%lx\n", address);
}

static void print_stacks(const struct heap *heap) {
    static uint32_t order[1 << 20];
    uint64_t count = heap->stack_count < 1 << 20 ? heap->stack_count : 1 << 20;
    sorted_heap = heap;
    for (uint64_t index = 0; index < heap->record_count; index++) {
        const struct oakum_heap_record *record = &heap->records[index];
        if (heap_is_live(record) && record->stack < count) weights[record->stack] += record->weight;
    }
    for (uint32_t index = 0; index < count; index++) order[index] = index;
    qsort(order, count, sizeof *order, by_weight);
    for (uint64_t place = 0; place < count && place < 20 && weights[order[place]] > 0; place++) {
        const struct oakum_heap_stack *stack = &heap->stacks[order[place]];
        if (!heap_is_stack(heap, order[place])) continue;
        printf("stack %u live %lu quality %u\n", order[place], weights[order[place]], stack->quality);
        for (uint32_t frame = 0; frame < stack->frame_count; frame++) print_frame(heap->frames[stack->first_frame + frame]);
    }
}

int main(int count, char **arguments) {
    if (count < 2) return 2;
    struct heap heap = heap_read(arguments[1]);
    const struct oakum_heap_header *header = heap.header;
    const struct oakum_heap_counters *counters = &header->counters;
    struct heap_sum sum = heap_total(&heap, 0, 0);
    struct stat status;
    stat(arguments[1], &status);
    printf("state %u\nstop_reason %u\nmode %u\nflags %u\nmean_bytes %lu\npid %u\n", header->state, header->stop_reason,
        header->mode, header->flags, header->mean_bytes, header->pid);
    printf("start_ticks %lu\nbytes_in_use %ld\nexecutable %.1024s\n", header->start_ticks, header->bytes_in_use, header->executable);
    printf("records %lu\nlive_bytes %lu\nlive_blocks %.0f\nodd_records %lu\nodd_stacks %lu\nodd_modules %lu\n", sum.records,
        sum.weight, sum.blocks, sum.odd_records, sum.odd_stacks, sum.odd_modules);
    printf("freed %lu\nfreed_bytes %lu\nstacks %lu\ncomplete %lu\ncut %lu\nended_early %lu\nmodules %lu\nframes %lu\n", sum.freed,
        sum.freed_weight, heap.stack_count, sum.stacks[1], sum.stacks[2], sum.stacks[3], heap.module_count, heap.frame_count);
    printf("samples %lu\nsamples_dropped %lu\ndropped_bytes %lu\nstacks_dropped %lu\npassed_unsampled %lu\nforks %lu\n",
        counters->samples, counters->samples_dropped, counters->dropped_weight, counters->stacks_dropped,
        counters->passed_unsampled, counters->forks);
    printf("inherited %lu\ninherited_lost %lu\nmodule_scans %lu\nmodules_dropped %lu\nfile_kib_used %lu\n",
        counters->inherited, counters->inherited_lost, counters->module_scans, counters->modules_dropped,
        (uint64_t)status.st_blocks / 2);
    if (count > 2 && strcmp(arguments[2], "--stacks") == 0) print_stacks(&heap);
    if (count > 2 && strcmp(arguments[2], "--modules") == 0) {
        for (uint64_t index = 0; index < heap.module_count; index++)
            printf("module %lx-%lx bias %lx id %u unloaded %d %.440s\n", heap.modules[index].low, heap.modules[index].high,
                heap.modules[index].bias, heap.modules[index].build_id_bytes, heap.modules[index].unloaded_ns != 0,
                heap.modules[index].path);
    }
    return 0;
}
