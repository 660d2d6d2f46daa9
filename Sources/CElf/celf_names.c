#define _GNU_SOURCE
#include "celf.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_LIMIT = 4096 };

// Both come with the Swift runtime that every program using this links anyway; without one, names stay mangled.
extern char *swift_demangle(const char *mangled, size_t length, char *output, size_t *output_size, uint32_t flags)
    __attribute__((weak));
extern char *__cxa_demangle(const char *mangled, char *output, size_t *length, int *status) __attribute__((weak));

size_t celf_demangle(const char *mangled, size_t length, char *buffer, size_t capacity) {
    char *text = NULL;
    if (capacity == 0 || length < 3 || length > TEXT_LIMIT) return 0;
    bool swift = mangled[0] == '$' || (mangled[0] == '_' && (mangled[1] == '$' || mangled[1] == 'T'));
    if (swift && swift_demangle) {
        text = swift_demangle(mangled, length, NULL, NULL, 0);
    } else if (mangled[0] == '_' && mangled[1] == 'Z' && __cxa_demangle) {
        int status = 0;
        char *copy = strndup(mangled, length);
        if (copy) text = __cxa_demangle(copy, NULL, NULL, &status);
        free(copy);
    }
    if (!text) return 0;
    if (strlen(text) == length && memcmp(text, mangled, length) == 0) {  // Not a name it knows: given back as it is.
        free(text);
        return 0;
    }
    size_t count = strnlen(text, capacity - 1);
    memcpy(buffer, text, count);
    buffer[count] = 0;
    free(text);
    return count;
}

size_t celf_demangle_type(const char *mangled, size_t length, char *buffer, size_t capacity) {
    if (capacity == 0 || length == 0 || length > TEXT_LIMIT || !__cxa_demangle) return 0;
    char *copy = strndup(mangled, length);
    int status = 0;
    char *text = copy ? __cxa_demangle(copy, NULL, NULL, &status) : NULL;
    size_t count = text ? strnlen(text, capacity - 1) : 0;
    if (text) memcpy(buffer, text, count);
    buffer[count] = 0;
    free(copy);
    free(text);
    return count;
}
