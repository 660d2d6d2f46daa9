// A library to be loaded and unloaded at run time.
#include <stdlib.h>
#include <string.h>

void *plugin_leak(size_t size) {
    void *block = malloc(size);
    memset(block, 1, size);
    return block;
}
