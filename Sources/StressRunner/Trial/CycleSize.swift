import LeakTrial

/// How many operations make a cycle: enough that a cycle is no mere blink, few enough that many fit into the time. Pure.
struct CycleSize: Hashable, Sendable {
    static let range = 10...50_000
    /// A cycle lasts about so long: cycles decide, so they should not be long.
    static let aimSeconds = 0.08

    private(set) var count: Int
    /// Operations a second over the last warm-up cycle.
    private(set) var rate = 0.0
    private var rounds = 0

    init(first: Int = 50) {
        count = first
    }

    /// Takes in a warm-up cycle; true when the size will do.
    mutating func warmed(seconds: Double) -> Bool {
        rounds += 1
        rate = Double(count) / max(seconds, 1e-6)
        let wanted = Int(rate * Self.aimSeconds)
        let bounded = min(max(wanted, Self.range.lowerBound), Self.range.upperBound)
        let fits = rounds >= 3 && (Double(count) * 0.4...Double(count) * 2.5).contains(Double(bounded))
        // At most fourfold at once: the first cycle's speed is nobody's.
        count = min(bounded, count * 4)
        return fits || rounds >= 12
    }

    /// For fresh keys: larger where that brings the wanted number of keys within reach.
    func forFreshKeys(_ least: Double) -> Int {
        min(max(count, Int(least / 40)), max(count, Int(rate * 0.25)), Self.range.upperBound)
    }
}

/// Whether a trial's evidence holds. What it lists turns an answer into "inconclusive". Pure.
struct TrialAudit: Hashable, Sendable {
    private(set) var sent: UInt64 = 0
    private(set) var expected: UInt64 = 0
    private(set) var unrest = 0
    private(set) var cycles = 0
    /// Of answers that were not as expected, the first ones in words.
    private(set) var notes: [String] = []
    private var members: Set<UInt64>?
    private(set) var membersChanged = false

    mutating func add(sent: UInt64, expected: UInt64, notes: [String]) {
        self.sent += sent
        self.expected += expected
        if self.notes.count < 5 { self.notes += notes.prefix(5 - self.notes.count) }
    }

    mutating func add(isQuiet: Bool, members: Set<UInt64>) {
        cycles += 1
        if !isQuiet { unrest += 1 }
        if let known = self.members, known != members { membersChanged = true }
        self.members = members
    }

    /// Nothing at all was answered as expected.
    var isEmpty: Bool { expected == 0 }

    /// Why the evidence is weak, one sentence each.
    var doubts: [String] {
        var result: [String] = []
        if sent > 0, Double(expected) < 0.99 * Double(sent) {
            result.append(
                "\(sent - expected) of \(sent) answers were not as expected"
                    + (notes.first.map { " (\($0))" } ?? ""))
        }
        if membersChanged { result.append("processes came or went while it was measured") }
        if cycles > 4, unrest * 4 > cycles {
            result.append("the program did not come to rest after \(unrest) of \(cycles) cycles")
        }
        return result
    }
}
