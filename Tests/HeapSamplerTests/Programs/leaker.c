// Leaks until it is killed: the profile must be there afterwards. Says "leaked N" at every megabyte.
#include <string.h>
#include "check.h"

static NOINLINE void *leak_a_session(void) { return memset(kept(malloc(1024)), 1, 1024); }

int main(int count, char **arguments) {
    long megabytes = count > 1 ? atol(arguments[1]) : 20;
    setvbuf(stdout, NULL, _IONBF, 0);
    for (long step = 1;; step++) {
        leak_a_session();
        free(kept(malloc(200)));
        if (step == megabytes * 1024) printf("leaked %ld bytes\n", step * 1024);
        if (step >= megabytes * 1024 && count > 2) return 0;
    }
}
