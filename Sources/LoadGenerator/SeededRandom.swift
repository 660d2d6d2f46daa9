/// A small, fast generator that gives the same numbers for the same seed on every machine.
///
/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014). Not for secrets.
package struct SeededRandom: RandomNumberGenerator, Hashable, Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    /// A generator of its own for part `part` of whatever `seed` drives, so that parts do not disturb each other.
    package init(seed: UInt64, part: Int) {
        var parent = SeededRandom(seed: seed ^ (UInt64(truncatingIfNeeded: part) &* 0xd134_2543_de82_ef95))
        state = parent.next()
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// Uniform in [0, 1).
    package mutating func fraction() -> Double {
        Double(next() >> 11) * 0x1p-53
    }
}
