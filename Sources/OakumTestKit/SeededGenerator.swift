import Glibc

/// Pseudo-random numbers that one seed repeats exactly, on every machine: SplitMix64 (Steele, Lea and Flood, 2014).
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number from the closed range, every one equally likely.
    package mutating func int(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &self)
    }

    /// A number from the range.
    package mutating func double(_ range: Range<Double>) -> Double {
        Double.random(in: range, using: &self)
    }

    /// True with the given probability, 0 to 1.
    package mutating func chance(_ probability: Double) -> Bool {
        double(0..<1) < probability
    }

    /// Gaussian noise, by the Box–Muller transform.
    package mutating func normal(mean: Double = 0, deviation: Double = 1) -> Double {
        let radius = (-2 * log(1 - double(0..<1))).squareRoot()
        return mean + deviation * radius * cos(2 * .pi * double(0..<1))
    }

    /// One of the elements; nil when there is none.
    package mutating func pick<Element>(_ elements: [Element]) -> Element? {
        elements.randomElement(using: &self)
    }

    /// That many random bytes.
    package mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &self) }
    }

    /// The bytes with a few of them damaged as outside data gets damaged: flipped, dropped, doubled or cut off.
    package mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
        var result = bytes
        for _ in 0..<int(1...8) where !result.isEmpty {
            let position = int(0...(result.count - 1))
            switch int(0...4) {
            case 0: result[position] ^= 1 << UInt8(int(0...7))
            case 1: result[position] = UInt8(int(0...255))
            case 2: result.remove(at: position)
            case 3: result.insert(result[position], at: position)
            default: if chance(0.2) { result.removeSubrange(position...) }
            }
        }
        return result
    }
}
