// For programs that check themselves: they say what is wrong and end with 1.
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHECK(condition, ...)                                                                                         \
    do {                                                                                                              \
        if (!(condition)) {                                                                                           \
            fprintf(stderr, "%s:%d: not so: %s. ", __FILE__, __LINE__, #condition);                                    \
            fprintf(stderr, "" __VA_ARGS__);                                                                          \
            fputc('\n', stderr);                                                                                      \
            _exit(1);                                                                                                 \
        }                                                                                                             \
    } while (0)

#define NOINLINE __attribute__((noinline))

// Keeps the compiler from leaving out an allocation whose result it can follow.
static inline void *kept(void *block) {
    __asm__ volatile("" : "+r"(block) : : "memory");
    return block;
}

#endif
