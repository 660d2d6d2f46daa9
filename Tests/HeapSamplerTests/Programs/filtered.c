// Runs a program under a filter of system calls that refuses one of them: filtered CALL PROGRAM ARGUMENTS…
// CALL is mmap_shared, mmap_private_reserve, process_vm_readv, madvise, madvise_fallocate, openat_proc or ftruncate.
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include "check.h"

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define REFUSE(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static void install(struct sock_filter *filter, unsigned short length) {
    struct sock_fprog program = {length, filter};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void refuse(long call, int error) {
    struct sock_filter filter[] = {LOAD(nr), UNLESS((unsigned)call, 1), REFUSE(error), ALLOW};
    install(filter, sizeof filter / sizeof *filter);
}

// Shared writable mappings with a file behind them are the sampler's alone in these programs.
static void refuse_mmap(unsigned flags) {
    struct sock_filter filter[] = {
        LOAD(nr), UNLESS(SYS_mmap, 4), LOAD(args[3]), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, flags), UNLESS(flags, 1),
        REFUSE(ENOMEM), ALLOW};
    install(filter, sizeof filter / sizeof *filter);
}

int main(int count, char **arguments) {
    CHECK(count > 2);
    const char *call = arguments[1];
    if (strcmp(call, "mmap_shared") == 0) refuse_mmap(MAP_SHARED);
    else if (strcmp(call, "mmap_private_reserve") == 0) refuse_mmap(MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
    else if (strcmp(call, "process_vm_readv") == 0) refuse(SYS_process_vm_readv, EPERM);
    else if (strcmp(call, "ftruncate") == 0) refuse(SYS_ftruncate, EPERM);
    else if (strncmp(call, "madvise", 7) == 0) refuse(SYS_madvise, EINVAL);
    else CHECK(0, "no such filter: %s", call);
    if (strcmp(call, "madvise_fallocate") == 0) refuse(SYS_fallocate, ENOSPC);
    char *library = getenv("FILTERED_PRELOAD");
    if (library) setenv("LD_PRELOAD", library, 1);
    execv(arguments[2], arguments + 2);
    return 1;
}
