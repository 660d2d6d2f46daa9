#ifndef OAKUM_LINUX_SOCKETS_H
#define OAKUM_LINUX_SOCKETS_H

#include <stddef.h>
#include <sys/types.h>

// Every descriptor made here is CLOEXEC. A negative result is -errno.

/// Longest path of a Unix socket, without the closing zero.
enum { linux_longest_socket_path = 107 };

/// A TCP socket that listens on a numeric address and port, with SO_REUSEADDR and without SO_REUSEPORT, blocking.
/// No name service is asked: -EINVAL for anything but numbers.
int linux_listen_tcp(const char *host, const char *port, int backlog);
/// "127.0.0.1:8080" or "[::1]:8080" as the kernel knows the socket. Returns 0 or -errno.
int linux_local_address(int fd, char *text, size_t size);
/// A Unix stream socket that listens at `path`, which is removed first when it is there, with these permissions.
int linux_listen_unix(const char *path, mode_t mode, int backlog);
/// A Unix datagram socket at `path` that receives the sender's credentials, non-blocking.
int linux_bind_notify(const char *path, mode_t mode);
/// A Unix stream socket connected to `path`. With `non_blocking` it is so afterwards; connecting itself never waits
/// for long: -EAGAIN when the other side's backlog is full.
int linux_connect_unix(const char *path, int non_blocking);
/// The next connection, non-blocking.
int linux_accept(int fd);
/// Who is at the other end of a connected Unix socket, as the kernel knows it. Returns 0 or -errno.
int linux_peer(int fd, pid_t *pid, uid_t *uid);
/// The next datagram with its sender's pid; -EAGAIN when there is none, -EBADMSG for one that is longer than `size`,
/// or without credentials (it is dropped).
ssize_t linux_receive_notice(int fd, void *buffer, size_t size, pid_t *sender);
/// Sends one datagram to the Unix socket at `path` ("@name": abstract). Returns 0 or -errno.
int linux_send_notice(const char *path, const void *bytes, size_t count);
/// Returns once everything sent to `path` before has been read: sends BARRIER=1 with the end of a pipe, and waits until
/// the receiver closes it, as sd_notify_barrier(3) does. A process that is about to end needs this, or its notice can no
/// longer be told to be its own. Returns 0 or -errno, -ETIME after the deadline.
int linux_notice_barrier(const char *path, int milliseconds);

#endif
