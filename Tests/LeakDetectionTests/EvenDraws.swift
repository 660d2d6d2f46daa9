import OakumTestKit

extension SeededGenerator {
    /// The first number of the seed's stream begins the stream that is used: neighbouring seeds share nothing.
    init(scrambling seed: UInt64) {
        var first = SeededGenerator(seed: seed)
        self.init(seed: first.next() ^ 0x1234_5678_9ABC_DEF1)
    }

    /// Evenly in 0..<1.
    mutating func unit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    mutating func within(_ low: Double, _ high: Double) -> Double {
        low + (high - low) * unit()
    }

    /// Roughly normal with mean 0 and deviation 1, within ±6: the sum of twelve even draws.
    mutating func boundedNormal() -> Double {
        var sum = -6.0
        for _ in 0..<12 { sum += unit() }
        return sum
    }
}
