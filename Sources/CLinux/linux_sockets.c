#define _GNU_SOURCE
#include "include/linux_sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

_Static_assert(linux_longest_socket_path + 1 == sizeof(((struct sockaddr_un *)0)->sun_path), "length of sun_path");

static int fail(int fd) {
    int reason = errno;
    close(fd);
    return -reason;
}

int linux_listen_tcp(const char *host, const char *port, int backlog) {
    struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, port, &hints, &found) != 0 || !found) return -EINVAL;
    int one = 1;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = fd;
    if (fd < 0) {
        result = -errno;
    } else if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
               bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, backlog) != 0) {
        result = fail(fd);
    }
    freeaddrinfo(found);
    return result;
}

int linux_local_address(int fd, char *text, size_t size) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0) return -errno;
    char host[INET6_ADDRSTRLEN];
    int written;
    if (address.ss_family == AF_INET) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
        if (!inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host)) return -errno;
        written = snprintf(text, size, "%s:%u", host, ntohs(v4->sin_port));
    } else if (address.ss_family == AF_INET6) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
        if (!inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host)) return -errno;
        written = snprintf(text, size, "[%s]:%u", host, ntohs(v6->sin6_port));
    } else {
        return -EAFNOSUPPORT;
    }
    return written > 0 && (size_t)written < size ? 0 : -ENAMETOOLONG;
}

/// False when the path does not fit. A leading "@" means the abstract namespace.
static bool unix_address(const char *path, struct sockaddr_un *address, socklen_t *length) {
    size_t count = strlen(path);
    if (count == 0 || count > linux_longest_socket_path) return false;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, count);
    *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + count + (path[0] == '@' ? 0 : 1));
    if (path[0] == '@') address->sun_path[0] = 0;
    return true;
}

/// Bound with nobody allowed in but the owner, and opened to `mode` afterwards.
static int bind_unix(const char *path, int type, mode_t mode) {
    struct sockaddr_un address;
    socklen_t length;
    if (!unix_address(path, &address, &length)) return -ENAMETOOLONG;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    if (unlink(path) != 0 && errno != ENOENT) return fail(fd);
    if (bind(fd, (struct sockaddr *)&address, length) != 0) return fail(fd);
    if (chmod(path, mode) != 0) return fail(fd);
    return fd;
}

int linux_listen_unix(const char *path, mode_t mode, int backlog) {
    int fd = bind_unix(path, SOCK_STREAM, mode);
    if (fd >= 0 && listen(fd, backlog) != 0) return fail(fd);
    return fd;
}

int linux_bind_notify(const char *path, mode_t mode) {
    int one = 1;
    int fd = bind_unix(path, SOCK_DGRAM | SOCK_NONBLOCK, mode);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof one) != 0) return fail(fd);
    return fd;
}

int linux_connect_unix(const char *path, int non_blocking) {
    struct sockaddr_un address;
    socklen_t length;
    if (!unix_address(path, &address, &length)) return -ENAMETOOLONG;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (non_blocking ? SOCK_NONBLOCK : 0), 0);
    if (fd < 0) return -errno;
    if (connect(fd, (struct sockaddr *)&address, length) != 0) return fail(fd);
    return fd;
}

int linux_accept(int fd) {
    int connection;
    while ((connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) < 0 && errno == EINTR) {
    }
    return connection < 0 ? -errno : connection;
}

int linux_peer(int fd, pid_t *pid, uid_t *uid) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return -errno;
    *pid = peer.pid;
    *uid = peer.uid;
    return 0;
}

ssize_t linux_receive_notice(int fd, void *buffer, size_t size, pid_t *sender) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(16 * sizeof(int))];
    } control;
    struct iovec into = {.iov_base = buffer, .iov_len = size};
    struct msghdr message = {
        .msg_iov = &into, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t count;
    while ((count = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
    }
    if (count < 0) return -errno;
    bool known = false;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET) continue;
        if (part->cmsg_type == SCM_CREDENTIALS && part->cmsg_len == CMSG_LEN(sizeof(struct ucred))) {
            struct ucred credentials;
            memcpy(&credentials, CMSG_DATA(part), sizeof credentials);
            *sender = credentials.pid;
            known = true;
        } else if (part->cmsg_type == SCM_RIGHTS) { // descriptors nobody asked for must not pile up here
            size_t received = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            for (size_t i = 0; i < received; i++) {
                int unwanted;
                memcpy(&unwanted, CMSG_DATA(part) + i * sizeof(int), sizeof unwanted);
                close(unwanted);
            }
        }
    }
    return known && !(message.msg_flags & MSG_TRUNC) ? count : -EBADMSG;
}

int linux_send_notice(const char *path, const void *bytes, size_t count) {
    struct sockaddr_un address;
    socklen_t length;
    if (!unix_address(path, &address, &length)) return -ENAMETOOLONG;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    ssize_t sent = sendto(fd, bytes, count, MSG_NOSIGNAL, (struct sockaddr *)&address, length);
    int result = sent == (ssize_t)count ? 0 : sent < 0 ? -errno : -EMSGSIZE;
    close(fd);
    return result;
}

/// Sends `text` and a descriptor to `address`. Returns 0 or -errno.
static int send_with_descriptor(struct sockaddr_un *address, socklen_t length, char *text, int passed) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    memset(&control, 0, sizeof control);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.header), &passed, sizeof passed);
    struct iovec from = {.iov_base = text, .iov_len = strlen(text)};
    struct msghdr message = {
        .msg_name = address,
        .msg_namelen = length,
        .msg_iov = &from,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int result = sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
    close(fd);
    return result;
}

int linux_notice_barrier(const char *path, int milliseconds) {
    struct sockaddr_un address;
    socklen_t length;
    if (!unix_address(path, &address, &length)) return -ENAMETOOLONG;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
    char text[] = "BARRIER=1";
    int result = send_with_descriptor(&address, length, text, ends[1]);
    close(ends[1]);
    struct pollfd closed = {.fd = ends[0], .events = 0};
    if (result == 0) {
        int ready;
        while ((ready = poll(&closed, 1, milliseconds)) < 0 && errno == EINTR) {
        }
        result = ready < 0 ? -errno : ready == 0 ? -ETIME : 0;
    }
    close(ends[0]);
    return result;
}
