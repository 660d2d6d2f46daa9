import BoundedCache
import Synchronization

/// A time that only tests move.
final class ManualTime: Sendable {
    private let now = Atomic<Int64>(1_000_000_000)

    var clock: CacheClock { CacheClock { self.now.load(ordering: .relaxed) } }

    func advance(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        now.add(seconds * 1_000_000_000 + attoseconds / 1_000_000_000, ordering: .relaxed)
    }
}
