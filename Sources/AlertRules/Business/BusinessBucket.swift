package import OakumModel

/// What was counted in five minutes.
package struct BusinessBucket: Hashable, Sendable {
    /// Begins at a multiple of five minutes, UTC.
    package var start: WallTime
    package var count: Double
    /// Of the five minutes those in which it was counted.
    package var coveredSeconds: Double

    package init(start: WallTime, count: Double, coveredSeconds: Double) {
        self.start = start
        self.count = count
        self.coveredSeconds = coveredSeconds
    }

    package static let seconds = 300
    package static let days = 35
    /// How many a series keeps: the oldest go first.
    package static let limit = days * 86_400 / seconds
    /// Less than this was counted too little to say anything.
    static let leastCovered = 60.0

    /// Buckets since 1970.
    var number: Int { Self.number(start) }

    /// nil: too little of it was counted.
    var rate: Double? {
        guard coveredSeconds >= Self.leastCovered, count.isFinite, count >= 0 else { return nil }
        return count / coveredSeconds
    }

    static func number(_ time: WallTime) -> Int {
        let width = Int64(seconds) * 1_000
        let quotient = time.milliseconds / width
        return Int(time.milliseconds % width < 0 ? quotient - 1 : quotient)
    }

    static func start(_ number: Int) -> WallTime {
        WallTime(milliseconds: Int64(number) * Int64(seconds) * 1_000)
    }
}

/// Rates by bucket over 35 days. 40 KiB.
struct BucketRing: Sendable {
    private var rates: [Float] = []
    private(set) var newest = Int.min

    /// Per second; nil: not known.
    func rate(_ number: Int) -> Double? {
        guard !rates.isEmpty, number <= newest, number > newest - BusinessBucket.limit else { return nil }
        let rate = rates[Self.slot(number)]
        return rate.isNaN ? nil : Double(rate)
    }

    /// One that lies before all that is kept is from a clock that was wrong then or now: everything begins anew with it.
    mutating func add(_ bucket: BusinessBucket) {
        let number = bucket.number
        if rates.isEmpty || number > newest + BusinessBucket.limit || number <= newest - BusinessBucket.limit {
            rates = Array(repeating: .nan, count: BusinessBucket.limit)
            newest = number
        } else if number > newest {
            for skipped in newest + 1...number { rates[Self.slot(skipped)] = .nan }
            newest = number
        }
        let slot = Self.slot(number)
        // A second part of the same five minutes, after a restart: the longer one speaks for both.
        guard rates[slot].isNaN || bucket.coveredSeconds >= Double(BusinessBucket.seconds) / 2 else { return }
        rates[slot] = bucket.rate.map { Float($0) } ?? .nan
    }

    private static func slot(_ number: Int) -> Int {
        let rest = number % BusinessBucket.limit
        return rest < 0 ? rest + BusinessBucket.limit : rest
    }
}
