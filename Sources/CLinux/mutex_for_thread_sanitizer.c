// In builds with the thread sanitizer alone: tells it about contended locks of Synchronization.Mutex.
//
// The quick way into and out of that lock is atomic code compiled into its user, which the sanitizer sees. The slow way is
// a call into the Swift library, which is not instrumented and waits in the kernel (FUTEX_LOCK_PI), so that correct code
// is reported as racing as soon as two threads meet. These two take the library's place for the caller, call it, and say
// what it did: acquired, about to release. Names and signatures are those of Swift 6 on Linux.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
#define SELF __attribute__((swift_context)) void *self

void __tsan_acquire(void *address);
void __tsan_release(void *address);

__attribute__((swiftcall)) void lock_slow(uint32_t thread, SELF) __asm__(LOCK_SLOW);
__attribute__((swiftcall)) void unlock_slow(SELF) __asm__(UNLOCK_SLOW);
typedef __attribute__((swiftcall)) void (*lock_function)(uint32_t thread, SELF);
typedef __attribute__((swiftcall)) void (*unlock_function)(SELF);

__attribute__((swiftcall)) void lock_slow(uint32_t thread, SELF) {
    static lock_function library;
    lock_function next = __atomic_load_n(&library, __ATOMIC_RELAXED);
    if (!next) {
        next = (lock_function)dlsym(RTLD_NEXT, LOCK_SLOW);
        __atomic_store_n(&library, next, __ATOMIC_RELAXED);
    }
    next(thread, self);
    __tsan_acquire(self);
}

__attribute__((swiftcall)) void unlock_slow(SELF) {
    static unlock_function library;
    unlock_function next = __atomic_load_n(&library, __ATOMIC_RELAXED);
    if (!next) {
        next = (unlock_function)dlsym(RTLD_NEXT, UNLOCK_SLOW);
        __atomic_store_n(&library, next, __ATOMIC_RELAXED);
    }
    __tsan_release(self);
    next(self);
}
#endif
#endif
