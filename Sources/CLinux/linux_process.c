#define _GNU_SOURCE
#include "include/linux_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

uint64_t linux_start_ticks(pid_t pid) {
    char path[32], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t count = read(fd, text, sizeof text - 1);
    close(fd);
    if (count <= 0) return 0;
    text[count] = 0;
    char *field = strrchr(text, ')'); // the name may hold spaces and brackets: fields count from the last one
    if (!field) return 0;
    for (int number = 2; number < 22; number++) {
        field = strchr(field + 1, ' ');
        if (!field) return 0;
    }
    return strtoull(field + 1, NULL, 10);
}

uint64_t linux_uptime_ms(void) {
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void linux_spawn_close_from(void *actions, int first) {
    posix_spawn_file_actions_addclosefrom_np(actions, first);
}

int linux_pidfd(pid_t pid) {
    int fd = (int)syscall(SYS_pidfd_open, pid, 0); // CLOEXEC by itself
    return fd < 0 ? -errno : fd;
}

int linux_wait_exit(pid_t pid, int milliseconds) {
    int fd = linux_pidfd(pid);
    if (fd < 0) return fd == -ESRCH ? 1 : fd;
    uint64_t end = linux_uptime_ms() + (uint64_t)(milliseconds > 0 ? milliseconds : 0);
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    int result;
    do {
        uint64_t now = linux_uptime_ms();
        result = poll(&watched, 1, now < end ? (int)(end - now) : 0);
    } while (result < 0 && errno == EINTR);
    if (result < 0) result = -errno;
    close(fd);
    return result;
}

int linux_wake_open(void) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

void linux_wake(int fd) {
    uint64_t one = 1;
    while (write(fd, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

void linux_wake_clear(int fd) {
    uint64_t count;
    while (read(fd, &count, sizeof count) < 0 && errno == EINTR) {
    }
}

int linux_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC) == 0 ? 0 : -errno; }

void linux_block_signals(void) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
}

const char *linux_error_text(int error) {
    const char *text = strerrordesc_np(error);
    return text ? text : "unknown error";
}

int linux_open_log(const char *path, mode_t mode) {
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, mode);
    if (fd < 0) return -errno;
    struct stat information;
    if (fstat(fd, &information) == 0 && S_ISREG(information.st_mode)) {
        fcntl(fd, F_SETFL, O_APPEND); // O_NONBLOCK was for opening only: a pipe in this place must not hang us
        return fd;
    }
    close(fd);
    return -EINVAL;
}

int linux_open_locked(const char *path, mode_t mode) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
    int reason = errno;
    close(fd);
    return -reason;
}

/// Copies from `offset` to the end, at most `limit` bytes: a fast writer must not keep this going for ever.
static int copy_tail(int from, int64_t offset, int64_t limit, const char *path) {
    int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (to < 0) return -errno;
    static char chunk[65536]; // one thread calls this
    int result = 0;
    ssize_t count = 0;
    while (limit > 0 && (count = pread(from, chunk, sizeof chunk, offset)) > 0) {
        offset += count;
        limit -= count;
        for (ssize_t done = 0; done < count;) {
            ssize_t written = write(to, chunk + done, (size_t)(count - done));
            if (written < 0 && errno == EINTR) continue;
            if (written <= 0) {
                result = written < 0 ? -errno : -EIO;
                break;
            }
            done += written;
        }
        if (result != 0) break;
    }
    if (count < 0) result = -errno;
    close(to);
    return result;
}

int linux_roll_log(int fd, const char *previous, int64_t cap) {
    struct stat information;
    if (fstat(fd, &information) != 0) return -errno;
    if (information.st_size <= cap) return 0;
    int copied = copy_tail(fd, information.st_size - cap, cap * 2, previous);
    if (ftruncate(fd, 0) != 0) return -errno;
    return copied < 0 ? copied : 1;
}
