#define _GNU_SOURCE
#include "include/linux_client.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// Whether somebody takes a connection there within a second.
static bool accepts(const struct addrinfo *place) {
    int fd = socket(place->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    bool taken = connect(fd, place->ai_addr, place->ai_addrlen) == 0;
    if (!taken && errno == EINPROGRESS) {
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        taken = poll(&wait, 1, 1000) == 1 && linux_socket_error(fd) == 0;
    }
    close(fd);
    return taken;
}

int linux_lookup(const char *host, const char *port, linux_address *address) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    memset(address, 0, sizeof *address);
    int code = getaddrinfo(host, port, &hints, &found);
    if (code != 0 || !found) return code < 0 ? -code : -EAI_NONAME;
    // A name such as localhost stands for several addresses, and a service may listen on one of them alone.
    const struct addrinfo *chosen = found;
    if (found->ai_next) {
        for (const struct addrinfo *next = found; next; next = next->ai_next) {
            if (!accepts(next)) continue;
            chosen = next;
            break;
        }
    }
    memcpy(&address->storage, chosen->ai_addr, chosen->ai_addrlen);
    address->length = chosen->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

const char *linux_lookup_text(int code) { return gai_strerror(-code); }

int linux_unix_address(const char *path, linux_address *address) {
    struct sockaddr_un *name = (struct sockaddr_un *)&address->storage;
    size_t count = strlen(path);
    memset(address, 0, sizeof *address);
    if (count == 0 || count >= sizeof name->sun_path) return -ENAMETOOLONG;
    name->sun_family = AF_UNIX;
    memcpy(name->sun_path, path, count);
    bool is_abstract = path[0] == '@';
    if (is_abstract) name->sun_path[0] = 0;
    address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + count + (is_abstract ? 0 : 1));
    return 0;
}

int linux_connect_begin(const linux_address *address) {
    int family = address->storage.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int one = 1;
    if (family != AF_UNIX) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (const struct sockaddr *)&address->storage, address->length) == 0 || errno == EINPROGRESS) return fd;
    int reason = errno;
    close(fd);
    return -reason;
}

void linux_acknowledge_now(int fd) {
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
}

int linux_socket_error(int fd) {
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

int linux_poll_open(void) {
    int poll = epoll_create1(EPOLL_CLOEXEC);
    return poll >= 0 ? poll : -errno;
}

int linux_poll_watch(int poll, int fd, uint64_t tag, bool for_writing, bool is_new) {
    struct epoll_event event = {.events = EPOLLIN | (for_writing ? EPOLLOUT : 0), .data.u64 = tag};
    return epoll_ctl(poll, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) == 0 ? 0 : -errno;
}

/// epoll_pwait2, by its number: older C libraries have no function for it.
static int wait_precisely(int poll, struct epoll_event *events, int capacity, int64_t nanoseconds) {
#ifdef SYS_epoll_pwait2
    struct timespec limit = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    return (int)syscall(SYS_epoll_pwait2, poll, events, capacity, &limit, NULL, 0);
#else
    (void)poll, (void)events, (void)capacity, (void)nanoseconds;
    errno = ENOSYS;
    return -1;
#endif
}

int linux_poll_wait(int poll, linux_poll_event *events, int capacity, int64_t nanoseconds) {
    struct epoll_event found[512];
    if (capacity > 512) capacity = 512;
    if (nanoseconds < 0) nanoseconds = 0;
    int count = -1;
    if (nanoseconds > 0) count = wait_precisely(poll, found, capacity, nanoseconds);
    if (nanoseconds == 0 || (count < 0 && (errno == ENOSYS || errno == EPERM))) {
        int64_t milliseconds = (nanoseconds + 999999) / 1000000;
        count = epoll_wait(poll, found, capacity, milliseconds > 60000 ? 60000 : (int)milliseconds);
    }
    if (count < 0) return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < count; i++) {
        events[i].tag = found[i].data.u64;
        events[i].ready = ((found[i].events & EPOLLIN) ? linux_ready_read : 0) |
                          ((found[i].events & EPOLLOUT) ? linux_ready_write : 0) |
                          ((found[i].events & (EPOLLERR | EPOLLHUP)) ? linux_ready_broken : 0);
    }
    return count;
}

void linux_precise_waits(void) { prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); }
