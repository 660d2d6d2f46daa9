#include "heap_reading.h"

int has_record(const void *block, uint64_t size) {
    struct heap heap = heap_read(heap_own_path());
    const struct oakum_heap_record *record = heap_find(&heap, block);
    int answer = record != NULL && record->size == size;
    heap_close(&heap);
    return answer;
}
