// Walks frame pointers. Never faults: on the thread's own stack every page is found readable before it is read (and stays
// so while the thread runs); on any other stack (a signal's, a coroutine's) the kernel copies for us.
//
// The top of a thread's own stack needs no libc call (pthread_getattr_np allocates, and locks): glibc puts the thread's
// control block, whose address is in %fs, at the top of it; for the main thread the loader has kept where it began.
#include "heap_sampler.h"
#include <dlfcn.h>
#include <link.h>
#include "system_calls.h"

#define ASYNC_FRAME (1ull << 60) // Swift marks the saved frame pointer of an asynchronous frame
#define HIGHEST_ADDRESS (1ull << 47)
#define LONGEST_FRAME (8ul << 20)
#define DEEPEST_STACK (256ul << 20)
#define PAGES_AT_ONCE 256 // a sample that meets a deeper unknown stack reads it through the kernel

static uintptr_t main_top;
static uintptr_t thread_local_bytes = 2048;

static int add_thread_local(struct dl_phdr_info *info, size_t size, void *sum) {
    (void)size;
    for (int index = 0; index < info->dlpi_phnum; index++) {
        if (info->dlpi_phdr[index].p_type == PT_TLS)
            *(uintptr_t *)sum += (info->dlpi_phdr[index].p_memsz + 63) / 64 * 64 + 64;
    }
    return 0;
}

// At the start of the program only: asks the loader, which takes its lock.
void oh_learn_stacks(void) {
    void **top = dlsym(RTLD_DEFAULT, "__libc_stack_end");
    if (top) main_top = (uintptr_t)*top;
    // Below the control block of a thread lies its static thread-local storage: that of the libraries and 1664 spare bytes.
    thread_local_bytes = 1664;
    dl_iterate_phdr(add_thread_local, &thread_local_bytes);
}

static uintptr_t own_top(const struct oh_thread *thread) {
    if (thread->thread_id == oh_process_id()) return main_top;
    return (uintptr_t)__builtin_thread_pointer();
}

// True when everything from `from` to the top of the thread's own stack can be read; remembers how far it has looked.
static bool is_own_stack(struct oh_thread *thread, uintptr_t from) {
    if (thread->stack_top == 0) thread->stack_top = own_top(thread);
    uintptr_t top = thread->stack_top;
    if (from >= top || top - from > DEEPEST_STACK) return false;
    if (thread->stack_low != 0 && from >= thread->stack_low) return true;
    uintptr_t page = from & ~(OH_PAGE - 1), end = thread->stack_low != 0 ? thread->stack_low : top;
    if ((end - page) / OH_PAGE > PAGES_AT_ONCE) return false;
    // From the known part downwards: a page that cannot be read ends the stack that we are not on.
    for (uintptr_t probe = (end - 1) & ~(OH_PAGE - 1); probe >= page; probe -= OH_PAGE) {
        if (!oh_can_read(probe)) return false;
    }
    thread->stack_low = page;
    return true;
}

static bool read_frame(const struct oh_thread *thread, bool is_native, uintptr_t frame, uintptr_t words[2]) {
    if (!is_native) return oh_copy(words, frame, 2 * sizeof *words);
    if (frame + 2 * sizeof *words > thread->stack_top) return false;
    words[0] = ((uintptr_t *)frame)[0];
    words[1] = ((uintptr_t *)frame)[1];
    return true;
}

// A chain that ends here has reached the function that a thread begins with.
bool oh_is_near_top(const struct oh_thread *thread, const struct oh_trace *trace, uint32_t frame) {
    if (!trace->is_native) return false;
    uintptr_t begin = thread->stack_top - (thread->thread_id == oh_process_id() ? 0 : thread_local_bytes);
    return trace->positions[frame] + 1024 > begin;
}

// The callers of functions that keep no frame pointer, up to the function whose frame pointer it is.
static void add_frameless(const struct oh_thread *thread, uintptr_t stack, struct oh_trace *trace) {
    uintptr_t distance, address;
    while (trace->count < OAKUM_HEAP_FRAME_LIMIT && oh_is_frameless(trace->frames[trace->count - 1], &distance)) {
        uintptr_t place = stack + distance;
        if (trace->is_native) {
            if (place + sizeof address > thread->stack_top) return;
            address = *(uintptr_t *)place;
        } else if (!oh_copy(&address, place, sizeof address)) {
            return;
        }
        if (address < OH_PAGE || address >= HIGHEST_ADDRESS) return;
        trace->frames[trace->count] = address;
        trace->positions[trace->count++] = place - sizeof address;
        stack = place + sizeof address;
    }
}

void oh_unwind(struct oh_thread *thread, struct oh_caller caller, struct oh_trace *trace) {
    uintptr_t words[2], frame = caller.frame;
    trace->is_native = is_own_stack(thread, frame);
    trace->frames[0] = caller.address;
    trace->positions[0] = frame;
    trace->count = 1;
    trace->quality = OAKUM_HEAP_STACK_ENDED_EARLY;
    if (!read_frame(thread, trace->is_native, frame, words)) return;
    add_frameless(thread, frame + sizeof words, trace);
    for (;;) {
        uintptr_t next = words[0] & ~ASYNC_FRAME;
        if (next == 0) {
            trace->quality = OAKUM_HEAP_STACK_COMPLETE;
            return;
        }
        if (next <= frame || (next & 7) != 0 || next - frame > LONGEST_FRAME) break;
        if (!read_frame(thread, trace->is_native, next, words)) break;
        if (words[1] == 0) {
            trace->quality = OAKUM_HEAP_STACK_COMPLETE;
            return;
        }
        if (words[1] < OH_PAGE || words[1] >= HIGHEST_ADDRESS) break;
        if (trace->count == OAKUM_HEAP_FRAME_LIMIT) {
            trace->quality = OAKUM_HEAP_STACK_CUT;
            return;
        }
        trace->frames[trace->count] = words[1];
        trace->positions[trace->count++] = next;
        frame = next;
    }
    if (oh_is_near_top(thread, trace, trace->count - 1)) trace->quality = OAKUM_HEAP_STACK_COMPLETE;
}
