package import OakumModel

/// Which earlier moments of a worker's heap are kept, so that growth can be told at any time.
///
/// The first when the worker is about a minute old, further ones an hour apart; the newest two stay. So there is always one
/// that is between one and two hours old, or the first for a younger worker.
package struct BaseKeeping: Hashable, Sendable {
    /// Seconds after its start. Before that a worker is still setting itself up.
    package static let firstAge = 55.0
    package static let spacing = 3_600.0
    /// The two that matter; a third is there from when it is taken until the next look around.
    package static let kept = 2

    /// Whether one is to be taken now.
    package var takesOne: Bool
    /// No longer needed, by when they were taken.
    package var dropped: [Uptime]

    /// - Parameters:
    ///   - bases: when those were taken that there are.
    ///   - started: when the worker began.
    package init(bases: [Uptime], started: Uptime, now: Uptime) {
        let past = bases.filter { $0 <= now }.sorted()
        if let newest = past.last {
            takesOne = now - newest >= Self.spacing
        } else {
            takesOne = now - started >= Self.firstAge
        }
        // Those of the future are of another boot of the machine.
        dropped = bases.filter { $0 > now } + past.dropLast(Self.kept)
    }

    /// The one to compare with: the newest that is at least an hour old, else the oldest.
    package static func base(of bases: [Uptime], now: Uptime) -> Uptime? {
        let past = bases.filter { $0 <= now }.sorted()
        return past.last { now - $0 >= spacing } ?? past.first
    }
}
