internal import CLinux
internal import Glibc
public import Synchronization

/// The lock of a shard: held for some tens of nanoseconds, taken by every look-up.
///
/// Not `Mutex`, because that needs a second locked instruction to be opened, to find out whether anybody waits; this one
/// is opened by a plain store, which makes a hit a quarter cheaper. The price: who waits is not woken but looks again:
/// at once for a while, then after others had a turn, then every 50 µs, should the holder have lost its processor. No
/// code of the cache's user runs under it, but `==` of keys.
@usableFromInline
struct ShardLock: ~Copyable, Sendable {
    @usableFromInline let isHeld = Atomic<UInt32>(0)

    init() {}

    @inlinable @inline(__always)
    borrowing func lock() {
        let (isTaken, _) = isHeld.compareExchange(
            expected: 0, desired: 1, successOrdering: .acquiring, failureOrdering: .relaxed)
        if !isTaken { wait() }
    }

    @inlinable @inline(__always)
    borrowing func unlock() { isHeld.store(0, ordering: .releasing) }

    @usableFromInline
    borrowing func wait() {
        var attempts = 0
        while true {
            if isHeld.load(ordering: .relaxed) == 0 {
                let (isTaken, _) = isHeld.weakCompareExchange(
                    expected: 0, desired: 1, successOrdering: .acquiring, failureOrdering: .relaxed)
                if isTaken { return }
            }
            attempts += 1
            if attempts < 100 {
                linux_spin_hint()
            } else if attempts < 110 {
                sched_yield()
            } else {
                var pause = timespec(tv_sec: 0, tv_nsec: 50_000)
                nanosleep(&pause, nil)
            }
        }
    }
}
