// What lies behind the entry points: entry.c, slow.c and resize.c.
#ifndef OAKUM_HEAP_SLOW_PATHS_H
#define OAKUM_HEAP_SLOW_PATHS_H

#include "heap_sampler.h"

#pragma GCC visibility push(hidden)

struct oh_request {
    enum { OH_PLAIN, OH_ZEROED, OH_ALIGNED, OH_POSIX, OH_PAGE_ALIGNED } kind;
    size_t size; // in all
    size_t count, each; // zeroed
    size_t alignment;
    void *(*aligned)(size_t, size_t);
    void *(*pages)(size_t);
    int error; // of posix_memalign
};
void *oh_allocate(struct oh_request *request, struct oh_caller caller);
void *oh_counted(struct oh_thread *thread, void *block);
void oh_uncounted(struct oh_thread *thread, void *block);
bool oh_charge(struct oh_thread *thread, uint64_t bytes);
void *oh_marked_copy(void *block, size_t size);
bool oh_sample_block(struct oh_thread *thread, void *block, uint64_t size, struct oh_caller caller);
void *oh_tell(void *block);
void *oh_slow_malloc(size_t size);
void *oh_slow_calloc(size_t count, size_t each);
void *oh_slow_realloc(void *block, size_t size);
void *oh_slow_reallocarray(void *block, size_t count, size_t each);
void *oh_slow_memalign(size_t alignment, size_t size);
void *oh_slow_aligned_alloc(size_t alignment, size_t size);
int oh_slow_posix_memalign(void **out, size_t alignment, size_t size);
void *oh_slow_valloc(size_t size);
void *oh_slow_pvalloc(size_t size);
void oh_slow_free(void *block);
void oh_free_marked(void *block);
void oh_tell_and_free(void *block);

#pragma GCC visibility pop
#endif
