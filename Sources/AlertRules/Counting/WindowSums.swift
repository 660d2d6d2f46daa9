package import OakumModel

/// Sums of two counts, all and bad, over sliding windows of up to six hours.
///
/// Three tiers of buckets: 1 s over two minutes, 10 s over an hour and more, 60 s over six hours and more; a window is read
/// from the finest tier that covers it, so its edge is blurred by at most one bucket. 14 KiB, whatever is counted.
package struct WindowSums: Sendable {
    package struct Sums: Hashable, Sendable {
        package var all: Double
        package var bad: Double

        package init(all: Double = 0, bad: Double = 0) {
            self.all = all
            self.bad = bad
        }

        /// nil when there is nothing to have a share of.
        package var badShare: Double? { all > 0 ? min(1, max(0, bad / all)) : nil }
    }

    private struct Tier {
        let width: Double
        /// Number of the newest bucket; older ones lie before it in the ring.
        var newest: Int = .min
        var buckets: [Sums]

        init(width: Double, count: Int) {
            self.width = width
            buckets = Array(repeating: Sums(), count: count)
        }

        var span: Double { width * Double(buckets.count - 1) }

        func number(_ seconds: Double) -> Int { Int((seconds / width).rounded(.down)) }

        mutating func advance(to number: Int) {
            guard number > newest else { return }
            let fresh = newest == .min ? buckets.count : min(number - newest, buckets.count)
            for step in 0..<fresh { buckets[slot(number - step)] = Sums() }
            newest = number
        }

        func slot(_ number: Int) -> Int {
            let rest = number % buckets.count
            return rest < 0 ? rest + buckets.count : rest
        }

        mutating func add(_ sums: Sums, to number: Int) {
            guard number > newest - buckets.count, number <= newest else { return }
            buckets[slot(number)].all += sums.all
            buckets[slot(number)].bad += sums.bad
        }

        /// Spreads evenly over the buckets from `from` until `until`; what lies before the ring is left out.
        mutating func spread(_ sums: Sums, from: Double, until: Double) {
            advance(to: number(until))
            let length = until - from
            guard length > 0 else { return add(sums, to: number(until)) }
            for number in max(number(from), newest - buckets.count + 1)...max(number(from), newest) {
                let begin = max(from, Double(number) * width)
                let end = min(until, Double(number + 1) * width)
                guard end > begin else { continue }
                let part = (end - begin) / length
                add(Sums(all: sums.all * part, bad: sums.bad * part), to: number)
            }
        }

        func sum(seconds: Double, until: Double) -> Sums {
            guard newest != .min else { return Sums() }
            let last = number(until)
            let first = max(number(until - seconds) + 1, newest - buckets.count + 1)
            var result = Sums()
            guard first <= min(last, newest) else { return result }
            for number in first...min(last, newest) {
                result.all += buckets[slot(number)].all
                result.bad += buckets[slot(number)].bad
            }
            return result
        }
    }

    private var tiers = [Tier(width: 1, count: 128), Tier(width: 10, count: 368), Tier(width: 60, count: 368)]

    package init() {}

    /// The longest window that can be asked for, seconds.
    package static let longest = 21_600.0

    package mutating func add(_ sums: Sums, from: Uptime, until: Uptime) {
        guard until.seconds >= from.seconds else { return }
        for index in tiers.indices { tiers[index].spread(sums, from: from.seconds, until: until.seconds) }
    }

    /// What was counted in the last `seconds`.
    package func sum(seconds: Double, until now: Uptime) -> Sums {
        let tier = tiers.first { $0.span >= seconds } ?? tiers[tiers.count - 1]
        return tier.sum(seconds: seconds, until: now.seconds)
    }
}
