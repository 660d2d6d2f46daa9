#define _GNU_SOURCE
#include "include/linux_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { maximum_fds = 16, maximum_groups = 256, first_passed_fd = 3, news_deadline_ms = 5000 };

typedef struct {
    char **items; // NULL-terminated, owned
    size_t count;
} string_list;

struct linux_spawn {
    string_list arguments, environment, candidates;
    int fds[maximum_fds];
    int fd_count;
    bool names_listeners;
    char listen_pid[32];
    int output;
    char *folder;
    bool sets_umask, sets_user, detached, incomplete;
    mode_t mask;
    uid_t uid;
    gid_t gid;
    gid_t groups[maximum_groups];
    size_t group_count;
};

typedef enum { step_fork, step_descriptors, step_user, step_folder, step_exec, step_none } spawn_step;

static const char *const step_texts[] = {
    "start a process", "hand over the sockets", "change to the user", "change to the working folder",
    "run the program", ""};

/// What the child tells its parent through the pipe: its pid (detached only), or the step that failed.
typedef struct {
    int32_t is_pid, value, step;
} spawn_news;

static bool append(string_list *list, const char *text) {
    char *copy = text ? strdup(text) : NULL;
    if (!copy) return false;
    char **grown = realloc(list->items, (list->count + 2) * sizeof(char *));
    if (!grown) {
        free(copy);
        return false;
    }
    list->items = grown;
    list->items[list->count++] = copy;
    list->items[list->count] = NULL;
    return true;
}

static void release(string_list *list) {
    for (size_t i = 0; i < list->count; i++) free(list->items[i]);
    free(list->items);
}

/// Every path the program may have, worked out before the fork: afterwards nothing may allocate.
static bool find_candidates(linux_spawn *spawn, const char *program, const char *search_path) {
    if (strchr(program, '/')) return append(&spawn->candidates, program);
    const char *rest = search_path && *search_path ? search_path : "/usr/local/bin:/usr/bin:/bin";
    while (*rest) {
        size_t length = strcspn(rest, ":");
        char path[PATH_MAX];
        int written = length == 0 ? -1 : snprintf(path, sizeof path, "%.*s/%s", (int)length, rest, program);
        if (written > 0 && (size_t)written < sizeof path && !append(&spawn->candidates, path)) return false;
        rest += length;
        if (*rest == ':') rest++;
    }
    return true;
}

linux_spawn *linux_spawn_new(const char *program, const char *search_path) {
    linux_spawn *spawn = calloc(1, sizeof *spawn);
    if (!spawn) return NULL;
    spawn->output = -1;
    spawn->incomplete = !append(&spawn->arguments, program) || !find_candidates(spawn, program, search_path);
    return spawn;
}

void linux_spawn_free(linux_spawn *spawn) {
    if (!spawn) return;
    release(&spawn->arguments);
    release(&spawn->environment);
    release(&spawn->candidates);
    free(spawn->folder);
    free(spawn);
}

void linux_spawn_add_argument(linux_spawn *spawn, const char *argument) {
    if (!append(&spawn->arguments, argument)) spawn->incomplete = true;
}

void linux_spawn_add_environment(linux_spawn *spawn, const char *entry) {
    if (!append(&spawn->environment, entry)) spawn->incomplete = true;
}

void linux_spawn_add_fd(linux_spawn *spawn, int fd) {
    if (spawn->fd_count >= maximum_fds || fd < 0) {
        spawn->incomplete = true;
        return;
    }
    spawn->fds[spawn->fd_count++] = fd;
}

void linux_spawn_set_listen_names(linux_spawn *spawn, const char *names) {
    char names_entry[1024], count_entry[32];
    int length = snprintf(names_entry, sizeof names_entry, "LISTEN_FDNAMES=%s", names);
    snprintf(count_entry, sizeof count_entry, "LISTEN_FDS=%d", spawn->fd_count);
    if (length < 0 || (size_t)length >= sizeof names_entry) spawn->incomplete = true;
    linux_spawn_add_environment(spawn, names_entry);
    linux_spawn_add_environment(spawn, count_entry);
    spawn->names_listeners = true;
}

void linux_spawn_set_output(linux_spawn *spawn, int fd) { spawn->output = fd; }

void linux_spawn_set_folder(linux_spawn *spawn, const char *folder) {
    free(spawn->folder);
    spawn->folder = strdup(folder);
    if (!spawn->folder) spawn->incomplete = true;
}

void linux_spawn_set_umask(linux_spawn *spawn, mode_t mask) {
    spawn->sets_umask = true;
    spawn->mask = mask;
}

void linux_spawn_set_user(linux_spawn *spawn, uid_t uid, gid_t gid) {
    spawn->sets_user = true;
    spawn->uid = uid;
    spawn->gid = gid;
}

void linux_spawn_add_group(linux_spawn *spawn, gid_t gid) {
    if (spawn->group_count >= maximum_groups) {
        spawn->incomplete = true;
        return;
    }
    spawn->groups[spawn->group_count++] = gid;
}

void linux_spawn_set_detached(linux_spawn *spawn) { spawn->detached = true; }

// MARK: - In the child: async-signal-safe calls only

static void tell(int report, spawn_news news) {
    while (write(report, &news, sizeof news) < 0 && errno == EINTR) {
    }
}

static void give_up(int report, spawn_step step) {
    tell(report, (spawn_news){0, errno, step});
    _exit(127);
}

static void write_own_pid(char *entry) {
    char digits[16];
    size_t count = 0;
    for (uint32_t rest = (uint32_t)getpid(); rest > 0; rest /= 10) digits[count++] = (char)('0' + rest % 10);
    entry += sizeof "LISTEN_PID=" - 1;
    while (count > 0) *entry++ = digits[--count];
    *entry = 0;
}

static void default_signals(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; number++) sigaction(number, &action, NULL); // KILL, STOP and libc's own refuse
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void close_range_or_each(unsigned from, unsigned to) {
    if (from > to || syscall(SYS_close_range, from, to, 0) == 0) return;
    long limit = sysconf(_SC_OPEN_MAX); // a kernel before 5.9
    if (limit < 0 || limit > 1 << 20) limit = 1 << 20;
    for (long fd = from; fd <= (long)to && fd < limit; fd++) close((int)fd);
}

/// Puts every descriptor where it belongs. They are first moved above all the places, so that none overwrites another.
static bool arrange_descriptors(const linux_spawn *spawn, int *report) {
    int above = first_passed_fd + spawn->fd_count, high[maximum_fds], null, output;
    if ((*report = fcntl(*report, F_DUPFD_CLOEXEC, above)) < 0) return false;
    for (int i = 0; i < spawn->fd_count; i++) {
        if ((high[i] = fcntl(spawn->fds[i], F_DUPFD_CLOEXEC, above)) < 0) return false;
    }
    if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) < 0) return false;
    if ((null = fcntl(null, F_DUPFD_CLOEXEC, above)) < 0) return false;
    output = spawn->output < 0 ? null : fcntl(spawn->output, F_DUPFD_CLOEXEC, above);
    if (output < 0 || dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) return false;
    for (int i = 0; i < spawn->fd_count; i++) {
        if (dup2(high[i], first_passed_fd + i) < 0) return false;
    }
    close_range_or_each((unsigned)above, (unsigned)*report - 1);
    close_range_or_each((unsigned)*report + 1, ~0U);
    return true;
}

static void change_user(const linux_spawn *spawn, int report) {
    if (!spawn->sets_user) return;
    if (setgroups(spawn->group_count, spawn->groups) != 0 || setgid(spawn->gid) != 0 || setuid(spawn->uid) != 0) {
        give_up(report, step_user);
    }
}

static void run_child(linux_spawn *spawn, int report, char **environment) {
    if (!arrange_descriptors(spawn, &report)) give_up(report, step_descriptors);
    setsid();
    if (spawn->detached) {
        pid_t second = fork();
        if (second < 0) give_up(report, step_fork);
        if (second > 0) _exit(0);
        setsid(); // leads its own session, apart from the parent that has just gone
        tell(report, (spawn_news){1, getpid(), step_none});
    }
    default_signals();
    if (spawn->sets_umask) umask(spawn->mask);
    change_user(spawn, report);
    if (spawn->folder && chdir(spawn->folder) != 0) give_up(report, step_folder);
    if (spawn->names_listeners) write_own_pid(spawn->listen_pid);
    int reason = ENOENT;
    for (size_t i = 0; i < spawn->candidates.count; i++) {
        execve(spawn->candidates.items[i], spawn->arguments.items, environment);
        if (errno != ENOENT && errno != ENOTDIR) reason = errno;
        if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) break;
    }
    errno = reason;
    give_up(report, step_exec);
}

// MARK: - In the parent

static void reap(pid_t pid) {
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

static int64_t milliseconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/// Reads the child's news until the pipe closes (it runs) or a failure comes.
static linux_spawn_result await_news(int pipe_end, pid_t child, bool detached) {
    linux_spawn_result result = {detached ? 0 : child, 0, step_texts[step_none]};
    int64_t deadline = milliseconds_now() + news_deadline_ms;
    for (;;) {
        int64_t left = deadline - milliseconds_now();
        struct pollfd wait_for = {.fd = pipe_end, .events = POLLIN};
        int ready = poll(&wait_for, 1, left > 0 ? (int)left : 0);
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) break;
        spawn_news news; // smaller than PIPE_BUF: comes whole
        ssize_t count = read(pipe_end, &news, sizeof news);
        if (count < 0 && errno == EINTR) continue;
        if (count != sizeof news) break;
        if (news.is_pid) {
            result.pid = news.value;
            continue;
        }
        result.error = news.value ? news.value : EINVAL;
        result.step = step_texts[news.step >= 0 && news.step < step_none ? news.step : step_exec];
    }
    if (detached || result.error) reap(child);
    if (result.error) result.pid = 0;
    return result;
}

linux_spawn_result linux_spawn_run(linux_spawn *spawn) {
    linux_spawn_result failed = {0, ENOMEM, step_texts[step_fork]};
    char **environment = spawn->environment.count > 0 ? spawn->environment.items : environ;
    if (spawn->names_listeners) {
        strcpy(spawn->listen_pid, "LISTEN_PID=");
        linux_spawn_add_environment(spawn, "LISTEN_PID=");
        environment = spawn->environment.items;
    }
    if (spawn->incomplete || !environment) return failed;
    char *placeholder = NULL;
    if (spawn->names_listeners) {
        placeholder = environment[spawn->environment.count - 1];
        environment[spawn->environment.count - 1] = spawn->listen_pid; // the child writes its pid behind the "="
    }
    int ends[2];
    sigset_t all, before;
    pid_t child = -1;
    if (pipe2(ends, O_CLOEXEC) == 0) {
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before); // no handler of the parent may run in the child
        child = fork();
        if (child == 0) run_child(spawn, ends[1], environment);
        failed.error = errno;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        close(ends[1]);
    } else {
        failed.error = errno;
        ends[0] = -1;
    }
    if (placeholder) environment[spawn->environment.count - 1] = placeholder;
    linux_spawn_result result = child < 0 ? failed : await_news(ends[0], child, spawn->detached);
    if (ends[0] >= 0) close(ends[0]);
    return result;
}
