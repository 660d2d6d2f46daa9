// Start, end, and what happens to threads in between.
#include "heap_sampler.h"
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "system_calls.h"

_Atomic uint32_t oh_phase = OH_IDLE;
_Atomic uint32_t oh_epoch = 1;
_Atomic int64_t oh_in_use;
static pthread_key_t exit_key;
static bool has_exit_key;
static _Atomic uint64_t threads_met;
static uint64_t seed;

bool oh_is_recording(void) {
    uint32_t phase = atomic_load_explicit(&oh_phase, memory_order_acquire);
    return phase == OH_RUNNING || phase == OH_ADOPTING;
}

// --- Threads ---

// What a thread keeps to itself, and what it allocates or frees between two looks at that, are half of the error each.
#define SHARE (oh_settings.error_bytes / 2)

static void tell(struct oh_thread *thread, int64_t amount) {
    thread->to_allocate = thread->to_free = SHARE;
    atomic_fetch_add_explicit(&oh_in_use, amount, memory_order_relaxed);
    if (oh_is_recording() && oh_owns_region()) {
        atomic_fetch_add_explicit(
            (_Atomic int64_t *)&oh_region.header->bytes_in_use, amount, memory_order_relaxed);
    }
}

// Other handlers of the same thread may still free and allocate: come again, as often as the system allows (four rounds).
static void thread_exits(void *value) {
    struct oh_thread *thread = &oh_self;
    tell(thread, (int64_t)(thread->to_free - thread->to_allocate));
    if (++thread->exits < 5) pthread_setspecific(exit_key, value);
}

void oh_meet_thread(struct oh_thread *thread) {
    thread->epoch = atomic_load(&oh_epoch);
    thread->thread_id = oh_thread_id();
    // A thread that sets itself up while it exits must not be registered again, or it would never get to its end.
    if (has_exit_key && thread->exits == 0) {
        uint32_t was_inside = thread->inside;
        thread->inside = 1;
        thread->exits = 1;
        pthread_setspecific(exit_key, thread);
        thread->inside = was_inside;
    }
    uint64_t mixed = seed + atomic_fetch_add(&threads_met, 1);
    thread->random = oh_random(&mixed);
    if (atomic_load(&oh_phase) != OH_RUNNING || oh_settings.mode == OAKUM_HEAP_EXACT) {
        thread->fuel = 0;
        return;
    }
    thread->fuel = oh_is_pinned ? 0 : oh_draw_budget(&thread->random, oh_settings.mean);
    thread->left = oh_draw_budget(&thread->random, oh_settings.mean);
}

void oh_tell_in_use(struct oh_thread *thread) {
    if (OH_UNLIKELY(thread->epoch == 0)) oh_meet_thread(thread);
    // A signal between the two instructions that look and spend, whose handler allocated, can leave less than nothing.
    if (OH_UNLIKELY((int64_t)thread->fuel < 0)) thread->fuel = 0;
    int64_t untold = (int64_t)(thread->to_free - thread->to_allocate);
    // A thread that frees what it allocates has little to tell, and leaves the shared word alone.
    if (untold > -(int64_t)SHARE && untold < (int64_t)SHARE) {
        thread->to_allocate = SHARE;
        thread->to_free = SHARE + (uint64_t)untold;
    } else {
        tell(thread, untold);
    }
}

// --- The process ---

static uint64_t start_ticks(void) {
    char text[1024];
    if (oh_read_file("/proc/self/stat", text, sizeof text) <= 0) return 0;
    const char *field = strrchr(text, ')'); // the name before it may hold anything
    for (int number = 2; field && number < 22; number++) field = strchr(field + 1, ' ');
    uint64_t ticks = 0;
    for (const char *digit = field ? field + 1 : ""; *digit >= '0' && *digit <= '9'; digit++)
        ticks = ticks * 10 + (uint64_t)(*digit - '0');
    return ticks;
}

static void describe(struct oakum_heap_header *header, uint32_t pid, uint64_t ticks) {
    header->version = OAKUM_HEAP_VERSION;
    header->header_bytes = OAKUM_HEAP_HEADER_BYTES;
    header->file_bytes = oh_region.bytes;
    header->mode = oh_settings.mode;
    header->mean_bytes = oh_settings.mean;
    header->flags = (oh_next.is_glibc ? 0 : OAKUM_HEAP_FLAG_OTHER_ALLOCATOR) |
                    (oh_next.has_own_new ? OAKUM_HEAP_FLAG_CXX_NEW_UNSEEN : 0) |
                    (!oh_next.is_glibc && !oh_settings.is_counted ? OAKUM_HEAP_FLAG_NOT_COUNTED : 0);
    header->pid = pid;
    header->parent_pid = (uint32_t)oh_call3(SYS_getppid, 0, 0, 0);
    header->start_ticks = ticks;
    header->ticks_per_second = 100; // USER_HZ of x86-64 Linux
    header->page_bytes = OH_PAGE;
    header->sampling_since_ns = oh_now();
    header->bytes_in_use = atomic_load(&oh_in_use);
    header->in_use_error_bytes = oh_settings.error_bytes;
    strcpy(header->sampler_version, OH_VERSION);
    oh_call3(SYS_readlink, (long)"/proc/self/exe", (long)header->executable, sizeof header->executable - 1);
    header->magic = OAKUM_HEAP_MAGIC;
}

// Makes a new file the one that is written to. The caller fills its tables and then says that it is running.
bool oh_begin(bool is_adopting) {
    static struct oh_region fresh;
    uint32_t pid = oh_process_id();
    uint64_t ticks = start_ticks();
    if (oh_create_region(&fresh, pid, ticks) != OH_CREATED) return false;
    oh_region = fresh;
    describe(oh_region.header, pid, ticks);
    if (is_adopting) oh_region.header->flags |= OAKUM_HEAP_FLAG_FORKED;
    if (oh_settings.allows_any_reader) oh_call6(SYS_prctl, PR_SET_PTRACER, -1, 0, 0, 0, 0); // PR_SET_PTRACER_ANY
    return true;
}

static bool add_unknown_stack(void) {
    if (oh_reserve(&oh_region, &oh_region.lifetimes, 1) != 0 || oh_reserve(&oh_region, &oh_region.stacks, 1) != 0)
        return false;
    struct oakum_heap_stack *stack = (struct oakum_heap_stack *)oh_region.stacks.base;
    stack->check = oh_stack_check(stack);
    oh_publish_used(&oh_region.lifetimes);
    oh_publish_used(&oh_region.stacks);
    return true;
}

static void count_fork(void) {
    if (oh_is_recording() && oh_owns_region()) oh_count(&oh_region.header->counters.forks);
}

static void leave_region(void) { oh_set_owner(false); }

static bool start(void) {
    oh_learn_stacks();
    if (oh_next.is_glibc) oh_learn_frameless();
    if (!oh_prepare_owner() || !oh_prepare_index(oh_settings.records) || !oh_prepare_stacks(oh_settings.stacks)) {
        oh_warn("not sampled: the system gives no memory for the tables", "");
        return false;
    }
    if (!oh_begin(false)) return false;
    if (!add_unknown_stack()) {
        oh_warn("not sampled: no space for the tables of the file: ", oh_settings.path);
        return false;
    }
    seed = oh_settings.seed;
    if (seed == 0 && oh_call3(SYS_getrandom, (long)&seed, sizeof seed, 1 /* GRND_NONBLOCK */) != sizeof seed) {
        seed = oh_now() ^ (uint64_t)oh_process_id() << 32;
    }
    has_exit_key = pthread_key_create(&exit_key, thread_exits) == 0;
    pthread_atfork(NULL, count_fork, leave_region);
    oh_scan_modules(oh_now());
    oh_set_owner(true);
    return true;
}

__attribute__((constructor(101))) static void load(void) {
    struct oh_thread *thread = &oh_self;
    oh_resolve();
    oh_read_settings();
    bool is_shadowed = oh_is_shadowed();
    thread->inside = 1;
    bool is_started = false;
    if (is_shadowed) {
        oh_warn("not sampled: the program, or a library before this one, brings a malloc of its own", "");
    } else if (!oh_settings.is_off) {
        is_started = start();
    }
    if (is_started) {
        if (oh_settings.mode == OAKUM_HEAP_EXACT) {
            oh_is_pinned = true;
            oh_mask = 0;
        }
        atomic_store((_Atomic uint32_t *)&oh_region.header->state, OAKUM_HEAP_RUNNING);
    }
    atomic_store(&oh_phase, is_started ? OH_RUNNING : OH_STOPPED);
    atomic_fetch_add(&oh_epoch, 1);
    thread->fuel = 0;
    thread->inside = 0;
}

// What is alive now stays in the file as it is: what the program's own end frees is not told any more.
void oh_stop(void) {
    if (!oh_is_recording() || !oh_owns_region()) return;
    oh_self.exits = oh_self.exits ? oh_self.exits : 1;
    thread_exits(&oh_self);
    oh_region.header->stop_reason = OAKUM_HEAP_STOP_EXITED;
    atomic_store((_Atomic uint32_t *)&oh_region.header->state, OAKUM_HEAP_STOPPED);
    atomic_store(&oh_phase, OH_STOPPED);
    // Many short programs are started by the one that is watched: those that never had a sample leave no file behind.
    char path[sizeof oh_settings.path + 64];
    if (oh_settings.path_has_pid && oh_region.header->counters.samples == 0 &&
        oh_expand_path(path, sizeof path, oh_region.header->pid)) {
        oh_call3(SYS_unlink, (long)path, 0, 0);
    }
}

__attribute__((destructor)) static void unload(void) { oh_stop(); }
