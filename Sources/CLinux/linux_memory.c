#define _GNU_SOURCE
#include "linux_memory.h"

#include <errno.h>
#include <sys/uio.h>

int64_t linux_read_memory(pid_t pid, uint64_t address, void *buffer, uint64_t count) {
    struct iovec local = {.iov_base = buffer, .iov_len = count};
    struct iovec remote = {.iov_base = (void *)(uintptr_t)address, .iov_len = count};
    ssize_t transferred = process_vm_readv(pid, &local, 1, &remote, 1, 0);
    return transferred >= 0 ? transferred : -errno;
}
