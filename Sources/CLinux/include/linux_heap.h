#ifndef OAKUM_LINUX_HEAP_H
#define OAKUM_LINUX_HEAP_H

// malloc_usable_size, mallinfo2 and malloc_trim: Swift's own module of glibc leaves this header out.
#include <malloc.h>

/// Tells the processor what will be read soon. Any address will do, a wrong one too: it is a hint.
static inline void linux_prefetch(const void *_Nullable address) {
    __builtin_prefetch(address);
}

/// Tells the processor that the thread waits in a loop.
static inline void linux_spin_hint(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
