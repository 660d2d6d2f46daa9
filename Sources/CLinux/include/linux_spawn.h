#ifndef OAKUM_LINUX_SPAWN_H
#define OAKUM_LINUX_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

/// A program about to be started. Build it up, run it, free it. Adding never fails visibly: what could not be stored
/// (out of memory) makes `linux_spawn_run` answer ENOMEM.
typedef struct linux_spawn linux_spawn;

typedef struct {
    /// The new process; 0 when it did not come to life.
    pid_t pid;
    /// errno of the step that failed; 0 when the program runs.
    int error;
    /// What failed, a constant string: "run the program", "change the folder", ...
    const char *step;
} linux_spawn_result;

/// A spawn of `program`. With a slash it is run as it stands, otherwise it is looked for along `search_path`
/// (colon-separated; NULL: /usr/local/bin:/usr/bin:/bin). `program` is also the first argument.
linux_spawn *linux_spawn_new(const char *program, const char *search_path);
void linux_spawn_free(linux_spawn *spawn);

void linux_spawn_add_argument(linux_spawn *spawn, const char *argument);
/// Adds "KEY=value". Without a single call the child inherits the environment of its parent.
void linux_spawn_add_environment(linux_spawn *spawn, const char *entry);
/// The child finds a duplicate of `fd` at 3, the next one at 4, and so on. Every other descriptor is closed there.
void linux_spawn_add_fd(linux_spawn *spawn, int fd);
/// Sets LISTEN_FDS, LISTEN_PID (the child's own) and LISTEN_FDNAMES (colon-separated) as systemd does.
/// Needs at least one `linux_spawn_add_environment`.
void linux_spawn_set_listen_names(linux_spawn *spawn, const char *names);
/// Where stdout and stderr go; without it /dev/null. stdin is always /dev/null.
void linux_spawn_set_output(linux_spawn *spawn, int fd);
void linux_spawn_set_folder(linux_spawn *spawn, const char *folder);
void linux_spawn_set_umask(linux_spawn *spawn, mode_t mask);
void linux_spawn_set_user(linux_spawn *spawn, uid_t uid, gid_t gid);
void linux_spawn_add_group(linux_spawn *spawn, gid_t gid);
/// The program becomes a child of init (or of the nearest subreaper), not of the caller: nobody here has to reap it.
void linux_spawn_set_detached(linux_spawn *spawn);

/// Forks and runs. The program leads its own session, with default signal handlers and an empty signal mask.
///
/// Returns when the program has been executed or a step failed; a failed child is already reaped. Waits at most five
/// seconds for that news (a program on a dead network disk), then takes it as started: its exit will tell.
/// Safe in a process with several threads: between fork and exec only async-signal-safe calls are made.
linux_spawn_result linux_spawn_run(linux_spawn *spawn);

#endif
