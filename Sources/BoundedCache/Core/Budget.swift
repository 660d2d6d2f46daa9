internal import Synchronization

/// What of a bound no shard has been given yet.
///
/// A shard takes from here before it holds more, so the sum of what shards hold never exceeds the bound, at no instant.
/// After a bound was lowered the pool is negative until shards have given back.
final class Budget: Sendable {
    private let pool: Atomic<Int>
    private let bound: Atomic<Int>

    init(_ limit: Int) {
        pool = Atomic(limit)
        bound = Atomic(limit)
    }

    var limit: Int { bound.load(ordering: .relaxed) }
    var available: Int { pool.load(ordering: .relaxed) }

    /// Takes `wanted`, or what is there when that is at least `needed`; 0 when it is not.
    func take(_ needed: Int, upTo wanted: Int) -> Int {
        var current = pool.load(ordering: .relaxed)
        while true {
            guard current >= needed, current > 0 else { return 0 }
            let amount = min(current, max(needed, wanted))
            let (exchanged, original) = pool.weakCompareExchange(
                expected: current, desired: current - amount, ordering: .relaxed)
            if exchanged { return amount }
            current = original
        }
    }

    func give(_ amount: Int) {
        pool.add(amount, ordering: .relaxed)
    }

    /// Changes the bound; who lowers it has to make shards give back until `available` is not negative.
    func setLimit(_ limit: Int) {
        let old = bound.exchange(limit, ordering: .relaxed)
        pool.add(limit - old, ordering: .relaxed)
    }
}
