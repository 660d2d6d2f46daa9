// Stacks: deep recursion, garbage in the frame pointer, coroutines, a signal's stack. Never a fault, always the caller first.
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>
#include "check.h"
#include "heap_reading.h"

static void *block;

static const struct oakum_heap_stack *stack_of(struct heap *heap) {
    *heap = heap_read(heap_own_path());
    const struct oakum_heap_record *record = heap_find(heap, block);
    CHECK(record != NULL && heap_is_stack(heap, record->stack));
    return &heap->stacks[record->stack];
}

static bool is_in(const struct heap *heap, const struct oakum_heap_stack *stack, uint32_t frame, void *function) {
    uint64_t address = heap->frames[stack->first_frame + frame] - (uint64_t)function;
    return frame < stack->frame_count && address < 300;
}

static NOINLINE void allocate(void) {
    block = kept(malloc(321));
    __asm__ volatile("");
}

static NOINLINE void recurse(int depth) {
    if (depth == 0) allocate();
    else recurse(depth - 1);
    __asm__ volatile("");
}

// strdup keeps no frame pointer: who called it is told all the same.
static NOINLINE void duplicate(void) {
    block = kept(strdup("a text that is worth its own block"));
    __asm__ volatile("");
}

static void check_frameless(void) {
    struct heap heap;
    duplicate();
    const struct oakum_heap_stack *stack = stack_of(&heap);
    CHECK(is_in(&heap, stack, 1, duplicate), "%u frames", stack->frame_count);
    heap_close(&heap);
}

static void check_recursion(void) {
    struct heap heap;
    recurse(20);
    const struct oakum_heap_stack *stack = stack_of(&heap);
    CHECK(stack->quality == OAKUM_HEAP_STACK_COMPLETE && stack->frame_count >= 24, "%u %u", stack->quality, stack->frame_count);
    CHECK(is_in(&heap, stack, 0, allocate) && is_in(&heap, stack, 1, recurse) && is_in(&heap, stack, 21, recurse));
    heap_close(&heap);
    recurse(1000);
    stack = stack_of(&heap);
    CHECK(stack->quality == OAKUM_HEAP_STACK_CUT && stack->frame_count == 64);
    CHECK(is_in(&heap, stack, 0, allocate) && is_in(&heap, stack, 63, recurse));
    heap_close(&heap);
    recurse(100000);
    stack = stack_of(&heap);
    CHECK(stack->quality == OAKUM_HEAP_STACK_CUT && stack->frame_count == 64);
    heap_close(&heap);
}

// Calls malloc with this in the frame pointer, as code without frame pointers would.
static NOINLINE void *allocate_with(uintptr_t frame) {
    void *result;
    __asm__ volatile(
        "push %%rbp\n sub $128, %%rsp\n mov %%rsp, %%rbx\n and $-16, %%rsp\n mov %1, %%rbp\n mov $321, %%edi\n"
        "call malloc@PLT\n mov %%rbx, %%rsp\n add $128, %%rsp\n pop %%rbp\n"
        : "=a"(result)
        : "r"(frame)
        : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
    return result;
}

static void check_garbage(void) {
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    uint64_t on_stack[4] = {0, 0x1234, 0, 0};
    on_stack[0] = (uintptr_t)on_stack; // a frame that is its own caller
    uintptr_t odd[] = {0, 1, 8, here + 1, here - 4096, ~0ul, 1ul << 63, (uintptr_t)&odd, (uintptr_t)on_stack,
        (uintptr_t)&check_garbage, (here | 0xFFFFF) + 9, here + (1 << 20), here + (1ul << 30), 0x7FFFFFFFF000, (uintptr_t)&block};
    for (size_t index = 0; index < sizeof odd / sizeof *odd; index++) {
        struct heap heap;
        block = allocate_with(odd[index]);
        const struct oakum_heap_stack *stack = stack_of(&heap);
        CHECK(is_in(&heap, stack, 0, allocate_with), "case %zu", index);
        heap_close(&heap);
        free(block);
    }
}

static ucontext_t here, there;
static NOINLINE void coroutine(void) {
    allocate();
    recurse(10);
    swapcontext(&there, &here);
}

static void run_coroutine(uint8_t *memory, size_t size) {
    getcontext(&there);
    there.uc_stack = (stack_t){.ss_sp = memory, .ss_size = size};
    there.uc_link = &here;
    makecontext(&there, coroutine, 0);
    swapcontext(&here, &there);
    struct heap heap;
    const struct oakum_heap_stack *stack = stack_of(&heap);
    CHECK(is_in(&heap, stack, 0, allocate) && is_in(&heap, stack, 5, recurse) && stack->frame_count >= 12);
    heap_close(&heap);
}

static void *check_coroutines(void *unused) {
    (void)unused;
    for (int round = 0; round < 20; round++) {
        // Between unmapped pages, so that a step beyond either end would be seen.
        size_t size = 65536;
        uint8_t *memory = mmap(NULL, size + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        mprotect(memory + 4096, size, PROT_READ | PROT_WRITE);
        run_coroutine(memory + 4096, size);
        munmap(memory, size + 8192);
    }
    return NULL;
}

static void on_signal(int signal) {
    (void)signal;
    allocate();
}

static void check_signal_stack(void) {
    stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1); // not inside malloc: glibc's allows it
    struct heap heap;
    const struct oakum_heap_stack *found = stack_of(&heap);
    CHECK(is_in(&heap, found, 0, allocate) && is_in(&heap, found, 1, on_signal));
    heap_close(&heap);
}

static NOINLINE void *in_thread(void *unused) {
    struct heap heap;
    (void)unused;
    recurse(3);
    const struct oakum_heap_stack *stack = stack_of(&heap);
    CHECK(stack->quality == OAKUM_HEAP_STACK_COMPLETE, "%u with %u frames", stack->quality, stack->frame_count);
    CHECK(is_in(&heap, stack, 5, in_thread), "%u frames", stack->frame_count);
    heap_close(&heap);
    return NULL;
}

int main(void) {
    pthread_t thread;
    check_frameless();
    check_recursion();
    check_garbage();
    check_coroutines(NULL);
    check_signal_stack();
    pthread_create(&thread, NULL, in_thread, NULL);
    pthread_join(thread, NULL);
    pthread_create(&thread, NULL, check_coroutines, NULL);
    pthread_join(thread, NULL);
    return 0;
}
