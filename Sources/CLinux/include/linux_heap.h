#ifndef OAKUM_LINUX_HEAP_H
#define OAKUM_LINUX_HEAP_H

// malloc_usable_size, mallinfo2 and malloc_trim: Swift's own module of glibc leaves this header out.
#include <malloc.h>

#endif
