// The valgrind of Debian 12 writes into the mask that a program gives to sigsuspend, which libdispatch keeps in memory that
// is only for reading: this hands it a copy. Preloaded in every arm alike.
#include <signal.h>
#include <unistd.h>
#include <sys/syscall.h>
int sigsuspend(const sigset_t *mask) { sigset_t copy = *mask; return (int)syscall(SYS_rt_sigsuspend, &copy, 8); }
