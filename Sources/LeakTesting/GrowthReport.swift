/// What is known about memory after the last round.
public enum GrowthVerdict: Hashable, Sendable {
    /// No growth in the last rounds.
    case clean
    /// It grew with the calls, in every one of the last rounds.
    case leak
    /// The rounds do not tell; why, and what to change.
    case undecided(String)
    /// Nothing could be measured in this process; why.
    case notMeasured(String)
}

/// A rate with the interval that it lies in with 95 % confidence.
public struct GrowthRate: Hashable, Sendable {
    /// Per call.
    public var estimate: Double
    /// Per call.
    public var low: Double
    /// Per call.
    public var high: Double
}

/// One place whose blocks remained.
public struct RemainingSite: Hashable, Sendable {
    /// "function (file:line)"; the address where there are no symbols.
    public var place: String
    /// The Swift type of most of the blocks; nil when it is not known (memory of C).
    public var type: String?
    /// Blocks that the measured calls allocated there and that are still alive.
    public var blocks: Int
    /// The bytes asked for with them.
    public var bytes: Int
    /// Who holds them, from the root to the block; empty when that was not found out.
    public var holders: [String]
}

/// What a measurement found.
public struct GrowthReport: Hashable, Sendable {
    /// Whether memory grew with the calls.
    public var verdict: GrowthVerdict
    /// Growth over the last rounds.
    public var bytesPerCall: GrowthRate
    /// Growth over the last rounds.
    public var blocksPerCall: GrowthRate
    /// The warm-up first.
    public var rounds: [GrowthRound]
    /// Where what remained was allocated, most bytes first; empty unless it leaks.
    public var sites: [RemainingSite]
    /// What could not be found out, one sentence each.
    public var remarks: [String]

    /// Measured calls, without the warm-up.
    public var calls: Int { rounds.dropFirst().reduce(0) { $0 + $1.calls } }

    static func notMeasured(_ why: String) -> GrowthReport {
        let none = GrowthRate(estimate: 0, low: 0, high: 0)
        return GrowthReport(
            verdict: .notMeasured(why), bytesPerCall: none, blocksPerCall: none, rounds: [], sites: [], remarks: [])
    }
}

// MARK: - Words

extension GrowthRate {
    /// "48" or "48 (41 to 55)".
    func words(_ unit: String) -> String {
        let middle = Self.number(estimate)
        let (low, high) = (Self.number(low), Self.number(high))
        return low == high ? "\(middle) \(unit)" : "\(middle) (\(low) to \(high)) \(unit)"
    }

    /// Three digits that say something.
    private static func number(_ value: Double) -> String {
        var scale = 1.0
        while scale < 1_000, abs(value) * scale < 100, value * scale != (value * scale).rounded() { scale *= 10 }
        let rounded = (value * scale).rounded() / scale
        return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
    }
}

extension GrowthReport: CustomStringConvertible {
    /// What a failing test shows.
    public var description: String {
        switch verdict {
        case .clean: "no growth in \(calls) calls"
        case .notMeasured(let why): "memory was not measured: \(why)"
        case .undecided(let why):
            "after \(calls) calls it is not clear whether memory grows without end (\(bytesPerCall.words("bytes per call"))"
                + "): \(why)"
        case .leak: leakWords
        }
    }

    private var leakWords: String {
        let last = rounds.last ?? GrowthRound(calls: 0, liveBlocks: 0, liveBytes: 0)
        var lines = [
            "memory grows by \(bytesPerCall.words("bytes")) per call, in \(blocksPerCall.words("blocks"))",
            "after \(calls) calls \(last.liveBlocks) blocks of \(last.liveBytes) bytes remain:",
        ]
        for site in sites {
            lines.append("  \(site.blocks) × \(site.type ?? "memory of unknown type") (\(site.bytes) bytes)")
            lines.append("    allocated in \(site.place)")
            if !site.holders.isEmpty { lines.append("    held by \(site.holders.joined(separator: " → "))") }
        }
        lines += remarks.map { "  (\($0))" }
        return lines.joined(separator: "\n")
    }
}
