#define _GNU_SOURCE
#include "include/linux_signals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

int linux_signals_open(void) {
    struct sigaction ignore;
    memset(&ignore, 0, sizeof ignore);
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGHUP, &ignore, NULL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) return -errno;
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int linux_signals_next(int fd) {
    struct signalfd_siginfo information;
    ssize_t count;
    while ((count = read(fd, &information, sizeof information)) < 0 && errno == EINTR) {
    }
    return count == (ssize_t)sizeof information ? (int)information.ssi_signo : 0;
}

bool linux_next_exit(linux_exit *ended) {
    siginfo_t information;
    memset(&information, 0, sizeof information);
    if (waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT) != 0 || information.si_pid <= 0) return false;
    pid_t pid = information.si_pid;
    kill(-pid, SIGKILL); // the pid cannot be anybody else's before it is reaped
    if (waitpid(pid, NULL, WNOHANG) != pid) return false;
    ended->pid = pid;
    ended->signalled = information.si_code != CLD_EXITED;
    ended->value = information.si_status;
    return true;
}
