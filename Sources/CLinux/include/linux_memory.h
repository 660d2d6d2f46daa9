#ifndef OAKUM_LINUX_MEMORY_H
#define OAKUM_LINUX_MEMORY_H

#include <stdint.h>
#include <sys/types.h>

/// process_vm_readv(2): reads another process's memory. Returns the bytes read, fewer than asked when a later page is
/// not there, or -errno (EPERM: not allowed, ESRCH: no such process, EFAULT: not one byte is there).
int64_t linux_read_memory(pid_t pid, uint64_t address, void *buffer, uint64_t count);

#endif
