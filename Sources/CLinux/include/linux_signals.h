#ifndef OAKUM_LINUX_SIGNALS_H
#define OAKUM_LINUX_SIGNALS_H

#include <stdbool.h>
#include <sys/types.h>

/// Ignores SIGPIPE and SIGHUP, blocks SIGCHLD, SIGTERM and SIGINT in the calling thread, and returns a non-blocking
/// descriptor that becomes readable when one of them comes; -errno when that fails.
int linux_signals_open(void);
/// The next signal's number, 0 when there is none.
int linux_signals_next(int fd);

typedef struct {
    pid_t pid;
    /// True: ended by the signal `value`. False: returned the code `value`.
    bool signalled;
    int value;
} linux_exit;

/// The next dead child, reaped. What is left of its process group is killed first: nobody else may hold its sockets.
/// False when no child is dead.
bool linux_next_exit(linux_exit *ended);

#endif
