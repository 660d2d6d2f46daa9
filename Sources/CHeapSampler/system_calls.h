// System calls without libc: they leave errno alone and are no cancellation points. A negative result is -errno.
#ifndef OAKUM_HEAP_SYSTEM_CALLS_H
#define OAKUM_HEAP_SYSTEM_CALLS_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

static inline long oh_call6(long number, long a, long b, long c, long d, long e, long f) {
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static inline long oh_call3(long number, long a, long b, long c) { return oh_call6(number, a, b, c, 0, 0, 0); }

static inline int oh_open(const char *path, int flags, int mode) {
    return (int)oh_call6(SYS_openat, AT_FDCWD, (long)path, flags | O_CLOEXEC, mode, 0, 0);
}
static inline void oh_close(int file) { oh_call3(SYS_close, file, 0, 0); }
static inline long oh_read(int file, void *out, size_t bytes) { return oh_call3(SYS_read, file, (long)out, (long)bytes); }
static inline uint32_t oh_process_id(void) { return (uint32_t)oh_call3(SYS_getpid, 0, 0, 0); }
static inline uint32_t oh_thread_id(void) { return (uint32_t)oh_call3(SYS_gettid, 0, 0, 0); }

// The whole of a small file of /proc, NUL-terminated; its length, or negative.
static inline long oh_read_file(const char *path, char *out, size_t capacity) {
    int file = oh_open(path, O_RDONLY, 0);
    if (file < 0) return file;
    size_t length = 0;
    while (length + 1 < capacity) {
        long count = oh_read(file, out + length, capacity - 1 - length);
        if (count <= 0) break;
        length += (size_t)count;
    }
    oh_close(file);
    out[length] = 0;
    return (long)length;
}

// One call of the vDSO; does not touch errno for a clock that exists.
static inline uint64_t oh_now(void) {
    struct timespec now;
    if (clock_gettime(CLOCK_BOOTTIME, &now) != 0) return 0;
    return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

// True when the eight bytes there can be read: the kernel copies the signal set before it refuses the odd first argument.
static inline bool oh_can_read(uintptr_t address) {
    return oh_call6(SYS_rt_sigprocmask, ~0u, (long)address, 0, 8, 0, 0) == -22 /* EINVAL */;
}

// Copies memory of this process without faulting. Where a filter of system calls forbids the kernel's copy, each page is
// tested first: then only memory that another thread unmaps in this very moment could still fault.
static inline bool oh_copy(void *out, uintptr_t from, size_t bytes) {
    struct iovec local = {out, bytes}, remote = {(void *)from, bytes};
    long count = oh_call6(SYS_process_vm_readv, oh_process_id(), (long)&local, 1, (long)&remote, 1, 0);
    if (count != -38 /* ENOSYS */ && count != -1 /* EPERM */) return count == (long)bytes;
    for (uintptr_t page = from & ~4095ul; page < from + bytes; page += 4096) {
        if (!oh_can_read(page)) return false;
    }
    __builtin_memcpy(out, (const void *)from, bytes);
    return true;
}

#endif
