#ifndef OAKUM_LINUX_PROCESS_H
#define OAKUM_LINUX_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/// Field 22 of /proc/PID/stat, clock ticks after boot; 0 when the process is gone or cannot be read.
uint64_t linux_start_ticks(pid_t pid);
/// CLOCK_BOOTTIME in milliseconds: never steps back, counts suspended time.
uint64_t linux_uptime_ms(void);
/// posix_spawn_file_actions_addclosefrom_np: the child inherits no descriptor from `first` on.
/// - `actions`: a posix_spawn_file_actions_t.
void linux_spawn_close_from(void *actions, int first);
/// A descriptor that becomes readable when the process is dead; -errno when there is none. CLOEXEC.
int linux_pidfd(pid_t pid);
/// Waits until the process is dead (a zombie counts), at most that long: 1 when it is dead or was never there, 0 when the
/// time is over, -errno when waiting fails.
int linux_wait_exit(pid_t pid, int milliseconds);
/// An eventfd: readable after `linux_wake` until `linux_wake_clear`; -errno when it fails. Any thread may wake.
int linux_wake_open(void);
void linux_wake(int fd);
void linux_wake_clear(int fd);
/// A pipe, CLOEXEC, `ends[0]` for reading. Returns 0 or -errno.
int linux_pipe(int ends[2]);
/// Blocks every signal in the calling thread, so that other threads handle them.
void linux_block_signals(void);
/// Text of an errno value: a constant string, never NULL, safe in any thread.
const char *linux_error_text(int error);
/// open(2) for files of our own, CLOEXEC; -errno when it fails. A symbolic link as the last part is refused.
int linux_open_log(const char *path, mode_t mode);
/// The same for a lock file, locked (flock) without waiting: -EWOULDBLOCK when another process holds it.
int linux_open_locked(const char *path, mode_t mode);
/// When the file is larger than `cap`: writes its last `cap` bytes to `previous` (replaced), then empties it.
/// Writers opened it with O_APPEND and go on at its start. What they write between copy and truncation is lost: at
/// most a few lines. When the copy fails (full disk) the file is emptied all the same: the cap holds.
/// Returns 1 when it rolled, 0 when there was no need, -errno when something failed.
int linux_roll_log(int fd, const char *previous, int64_t cap);

#endif
