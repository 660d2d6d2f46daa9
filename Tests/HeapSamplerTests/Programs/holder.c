// Holds live memory in blocks as programs have them, and prints its resident bytes: holder MEGABYTES.
#include <stdint.h>
#include <string.h>
#include "check.h"

static uint64_t seed = 42;

static size_t some_size(void) {
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    uint64_t random = seed >> 33;
    return random % 100 < 80 ? 16 + random % 500 : random % 100 < 99 ? 512 + random % 4000 : 4096 + random % 60000;
}

int main(int count, char **arguments) {
    uint64_t wanted = (count > 1 ? strtoull(arguments[1], NULL, 10) : 1024) << 20;
    for (uint64_t live = 0; live < wanted;) {
        size_t size = some_size();
        memset(kept(malloc(size)), 1, size);
        // As much again comes and goes.
        free(kept(malloc(some_size())));
        live += size;
    }
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    while (fgets(line, sizeof line, status)) {
        unsigned long kilobytes;
        if (sscanf(line, "VmRSS: %lu", &kilobytes) == 1) printf("%lu\n", kilobytes * 1024);
    }
    return 0;
}
