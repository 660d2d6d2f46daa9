internal import Synchronization

/// What a cache counts of its loads.
final class LoadCounters: Sendable {
    let loads = Atomic<UInt64>(0)
    let failures = Atomic<UInt64>(0)
    let nanoseconds = Atomic<UInt64>(0)
    let waits = Atomic<UInt64>(0)
    let handOvers = Atomic<UInt64>(0)
    let refreshes = Atomic<UInt64>(0)
    let refreshesDropped = Atomic<UInt64>(0)

    func add(_ counter: borrowing Atomic<UInt64>, _ amount: UInt64 = 1) {
        counter.wrappingAdd(amount, ordering: .relaxed)
    }
}
