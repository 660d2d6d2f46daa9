// dlopen and dlclose: the table of modules follows. Arguments: two copies of the plugin.
#include <dlfcn.h>
#include <string.h>
#include <time.h>
#include "check.h"
#include "heap_reading.h"

static const struct oakum_heap_module *module_named(const struct heap *heap, const char *path) {
    for (uint64_t index = 0; index < heap->module_count; index++) {
        if (heap_is_module(&heap->modules[index]) && strcmp(heap->modules[index].path, path) == 0)
            return &heap->modules[index];
    }
    return NULL;
}

static void leak_in(void *library) {
    void *(*leak)(size_t) = (void *(*)(size_t))dlsym(library, "plugin_leak");
    CHECK(leak != NULL);
    kept(leak(50000));
}

int main(int count, char **arguments) {
    CHECK(count == 3);
    struct timespec pause = {0, 150000000}; // scans are at least 100 ms apart
    void *first = dlopen(arguments[1], RTLD_NOW);
    CHECK(first != NULL, "%s", dlerror());
    nanosleep(&pause, NULL);
    leak_in(first);
    struct heap heap = heap_read(heap_own_path());
    const struct oakum_heap_module *module = module_named(&heap, arguments[1]);
    CHECK(module != NULL && module->unloaded_ns == 0 && module->build_id_bytes == 20);
    uint64_t leak = (uint64_t)dlsym(first, "plugin_leak");
    CHECK(leak >= module->low && leak < module->high && leak > module->bias);
    struct heap_sum sum = heap_total(&heap, module->low, module->high);
    CHECK(sum.records == 1 && sum.size == 50000, "%lu %lu", sum.records, sum.size);
    heap_close(&heap);
    dlclose(first);
    void *second = dlopen(arguments[2], RTLD_NOW); // mostly to the same address
    CHECK(second != NULL);
    nanosleep(&pause, NULL);
    leak_in(second);
    heap = heap_read(heap_own_path());
    const struct oakum_heap_module *next = module_named(&heap, arguments[2]);
    CHECK(next != NULL && next->unloaded_ns == 0);
    uint64_t newest = 0;
    for (uint64_t index = 0; index < heap.record_count; index++) {
        const struct oakum_heap_record *record = &heap.records[index];
        if (heap_is_live(record) && record->size == 50000 && heap.stacks[record->stack].first_seen_ns > newest)
            newest = heap.stacks[record->stack].first_seen_ns;
    }
    CHECK(newest >= next->loaded_ns, "the stack still belongs to the library that has gone");
    CHECK(module_named(&heap, arguments[1])->unloaded_ns != 0);
    const struct oakum_heap_module *program = NULL, *libc = NULL;
    for (uint64_t index = 0; index < heap.module_count; index++) {
        if (strcmp(heap.modules[index].path, heap.header->executable) == 0) program = &heap.modules[index];
        if (strstr(heap.modules[index].path, "/libc.so.6")) libc = &heap.modules[index];
    }
    CHECK(program && libc && libc->build_id_bytes == 20);
    CHECK((uint64_t)&main >= program->low && (uint64_t)&main < program->high);
    static int zeroed[1000];
    CHECK((uint64_t)&zeroed >= program->low && (uint64_t)&zeroed < program->high); // its zero-filled data belongs to it
    return 0;
}
