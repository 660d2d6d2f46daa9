// fork, exec, vfork, posix_spawn: the parent's file stays right, the child has its own or none. The argument says which.
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "check.h"
#include "heap_reading.h"

#define COUNT 2000
static void *before[COUNT], *after[COUNT];
extern char **environ;

static NOINLINE void *leak(size_t size) { return memset(kept(malloc(size)), 1, size); }

static void child_of(const char *how) {
    bool has_file = strcmp(how, "fork") == 0 || strcmp(how, "clone") == 0;
    for (int index = 0; index < COUNT; index += 2) free(before[index]);
    for (int index = 0; index < COUNT; index++) after[index] = leak(3000);
    const char *path = heap_own_path();
    if (!has_file) {
        struct heap heap = heap_read(path); // without %p this is the parent's
        CHECK(heap.header->pid == (uint32_t)getppid());
        _exit(0);
    }
    struct heap heap = heap_read(path);
    const struct oakum_heap_counters *counters = &heap.header->counters;
    CHECK(heap.header->pid == (uint32_t)getpid() && (heap.header->flags & OAKUM_HEAP_FLAG_FORKED));
    CHECK(heap.header->parent_pid == (uint32_t)getppid());
    struct heap_sum sum = heap_total(&heap, 0, 0);
    CHECK(sum.odd_records + sum.odd_stacks + sum.odd_modules == 0);
    double live = COUNT / 2 * 4000.0 + COUNT * 3000.0;
    CHECK(sum.weight > live * 0.8 && sum.weight < live * 1.2, "%lu of %.0f bytes", sum.weight, live);
    CHECK(counters->inherited > 100 && counters->inherited_lost == 0, "%lu", counters->inherited_lost);
    CHECK(labs(heap.header->bytes_in_use - (int64_t)live) < 400000, "%ld of %.0f", heap.header->bytes_in_use, live);
    for (int index = 0; index < COUNT; index++) free(after[index]);
    for (int index = 1; index < COUNT; index += 2) free(before[index]);
    heap_close(&heap);
    heap = heap_read(path);
    sum = heap_total(&heap, 0, 0);
    CHECK(sum.weight < 40000, "%lu bytes are left", sum.weight);
    unlink(path);
    _exit(0);
}

int main(int count, char **arguments) {
    const char *how = count > 1 ? arguments[1] : "fork";
    if (strcmp(how, "child") == 0) {
        free(leak(100000));
        return 0;
    }
    if (strcmp(how, "exec") == 0) {
        leak(10000000);
        char *again[] = {arguments[0], "after-exec", NULL};
        execv("/proc/self/exe", again);
        return 1;
    }
    if (strcmp(how, "after-exec") == 0) {
        leak(3000000);
        struct heap heap = heap_read(heap_own_path());
        struct heap_sum sum = heap_total(&heap, 0, 0);
        CHECK(heap.header->pid == (uint32_t)getpid());
        CHECK(sum.weight > 2900000 && sum.weight < 4000000, "%lu", sum.weight);
        return 0;
    }
    for (int index = 0; index < COUNT; index++) before[index] = leak(4000);
    const char *path = strdup(heap_own_path());
    struct heap heap = heap_read(path);
    struct heap_sum old = heap_total(&heap, 0, 0);
    heap_close(&heap);
    pid_t pid = -1;
    if (strcmp(how, "fork") == 0 || strcmp(how, "fork-alone") == 0) pid = fork();
    else if (strcmp(how, "clone") == 0) pid = (pid_t)syscall(SYS_clone, 17 /* SIGCHLD */, 0, 0, 0, 0);
    else if (strcmp(how, "vfork") == 0) {
        pid = vfork();
        if (pid == 0) execl("/bin/true", "true", NULL);
    } else {
        char *const argv[] = {arguments[0], "child", NULL};
        CHECK(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ) == 0);
    }
    CHECK(pid >= 0);
    if (pid == 0) child_of(how);
    int status = -1;
    waitpid(pid, &status, 0);
    CHECK(status == 0, "the child ended with %x", status);
    heap = heap_read(path);
    struct heap_sum sum = heap_total(&heap, 0, 0);
    CHECK(sum.records == old.records && sum.weight == old.weight && sum.odd_records == 0);
    CHECK(heap.header->counters.forks == (strncmp(how, "fork", 4) == 0), "%lu", heap.header->counters.forks);
    heap_close(&heap);
    for (int index = 0; index < COUNT; index++) free(before[index]);
    heap = heap_read(path);
    sum = heap_total(&heap, 0, 0);
    CHECK(sum.weight < 40000, "%lu bytes are left", sum.weight);
    return 0;
}
