// A signal handler on a stack of its own allocates all the time, in the midst of malloc, free and the sampler itself.
// glibc's malloc cannot bear that, so this runs over tiny_allocator, which can.
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/time.h>
#include "check.h"
#include "heap_reading.h"

static _Atomic long handled;
static void *slots[64];

static void handle(int signal) {
    (void)signal;
    long number = atomic_fetch_add(&handled, 1);
    void *block = kept(malloc(100 + number % 5000));
    memset(block, 7, 100);
    free(block);
}

int main(void) {
    stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK | SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval timer = {{0, 100}, {0, 100}};
    setitimer(ITIMER_REAL, &timer, NULL);
    for (long step = 0; atomic_load(&handled) < 3000; step++) {
        void **slot = &slots[step % 64];
        free(*slot);
        *slot = kept(malloc(1 + step * 37 % 9000));
        memset(*slot, 3, 1 + step * 37 % 9000);
        if (step % 3 == 0) *slot = kept(realloc(*slot, 1 + step * 91 % 12000));
    }
    timer = (struct itimerval){{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &timer, NULL);
    struct heap heap = heap_read(heap_own_path());
    struct heap_sum sum = heap_total(&heap, 0, 0);
    CHECK(sum.odd_records == 0 && sum.odd_stacks == 0);
    CHECK(sum.records <= 66, "%lu", sum.records);
    CHECK(heap.header->flags & OAKUM_HEAP_FLAG_OTHER_ALLOCATOR);
    printf("samples %lu passed_unsampled %lu\n", heap.header->counters.samples, heap.header->counters.passed_unsampled);
    return 0;
}
