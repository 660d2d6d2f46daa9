#ifndef OAKUM_LINUX_CLIENT_H
#define OAKUM_LINUX_CLIENT_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

// Many client connections on one thread: addresses, non-blocking connects, and epoll. A negative result is -errno.

/// Where a connection goes: TCP over IPv4 or IPv6, or a Unix socket.
typedef struct {
    struct sockaddr_storage storage;
    socklen_t length;
} linux_address;

/// Looks a host and port up, once. Of several addresses the first that takes a connection within a second, else the first.
/// 0, or a positive code for `linux_lookup_text`.
int linux_lookup(const char *host, const char *port, linux_address *address);
/// What went wrong in `linux_lookup`: a constant string.
const char *linux_lookup_text(int code);
/// The Unix socket at `path` ("@name": abstract). 0, or -ENAMETOOLONG.
int linux_unix_address(const char *path, linux_address *address);

/// Begins to connect and returns the socket: non-blocking, CLOEXEC, without Nagle's delay. It becomes writable when it is
/// connected or has failed, and `linux_socket_error` then tells which. A Unix socket whose backlog is full gives -EAGAIN
/// at once: try later.
int linux_connect_begin(const linux_address *address);
/// The error of a socket as a positive errno, 0 when there is none.
int linux_socket_error(int fd);

/// What a socket is ready for.
enum { linux_ready_read = 1, linux_ready_write = 2, linux_ready_broken = 4 };

typedef struct {
    /// As given to `linux_poll_watch`.
    uint64_t tag;
    uint32_t ready;
} linux_poll_event;

/// A new epoll set, CLOEXEC.
int linux_poll_open(void);
/// Watches a socket for reading, for writing too when asked; level-triggered. `is_new`: it was not watched before.
int linux_poll_watch(int poll, int fd, uint64_t tag, bool for_writing, bool is_new);
/// Waits for at most so many nanoseconds (to the microsecond where the kernel can, Linux 5.11, or else to the
/// millisecond), and returns how many events there are, at most 512; 0 after a signal.
int linux_poll_wait(int poll, linux_poll_event *events, int capacity, int64_t nanoseconds);
/// Lets waits of the calling thread end when they should: the kernel's default is up to 50 microseconds later.
void linux_precise_waits(void);

/// send(2) without SIGPIPE.
static inline ssize_t linux_send(int fd, const void *bytes, size_t count) {
    ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
    return sent >= 0 ? sent : -errno;
}

/// recv(2); 0 means that the other side has ended.
static inline ssize_t linux_receive(int fd, void *bytes, size_t count) {
    ssize_t received = recv(fd, bytes, count, 0);
    return received >= 0 ? received : -errno;
}

/// Acknowledges at once what a TCP socket has received so far, instead of up to 40 ms later: a server that writes an answer
/// in two pieces with Nagle's delay waits for that. Nothing happens on other sockets.
void linux_acknowledge_now(int fd);

#endif
