import BoundedCache
import CacheTraces
import Foundation

/// Runs traces through the cache's policies.
struct HitRatioBench {
    struct Row: Codable {
        var trace: String
        /// The file, as it was found.
        var file: String
        /// Entries, or bytes for a trace that tells sizes.
        var size: Int
        var accesses: Int
        /// Percent.
        var `default`: Double
        var adaptive: Double
        var lru: Double
    }

    var rows: [Row] = []
    /// What could not be run, with the reason.
    var problems: [String] = []

    /// Runs every trace below a folder.
    /// - Parameter sizes: instead of the sizes that belong to a trace.
    mutating func run(folder path: String, sizes: [Int]?) {
        let folder = TraceFolder(path: path)
        problems += folder.problems
        let families = TraceFormat.allCases.map(\.rawValue).joined(separator: ", ")
        for file in folder.unknown { note("\(file): left out, no folder above it names its format (\(families))") }
        if folder.traces.isEmpty { problems.append("\(path): there is no trace") }
        for trace in folder.traces {
            do throws(TraceError) {
                try run(trace, sizes: sizes)
            } catch {
                problems.append(error.description)
                note("error: \(error.description)")
            }
        }
    }

    private mutating func run(_ trace: TraceFile, sizes: [Int]?) throws(TraceError) {
        let known = TraceSizes.known(trace)
        let chosen: [Int]
        if let given = sizes ?? known?.sizes { chosen = given } else { chosen = try TraceSizes.measured(trace) }
        let clock = ContinuousClock()
        let start = clock.now
        let arms = chosen.map { Arm(size: $0, isWeighted: trace.format.isWeighted) }
        var accesses = 0
        try trace.forEach { access in
            accesses += 1
            for arm in arms { arm.use(access) }
        }
        let name = known?.name ?? trace.name
        guard accesses > 0 else { throw TraceError(path: trace.path, reason: .undecodable("it holds no access")) }
        rows += arms.map { $0.row(trace: name, file: trace.path, accesses: accesses) }
        let seconds = (clock.now - start) / .seconds(1)
        let unit = trace.format.isWeighted ? "bytes" : "entries"
        note("\(trace.path): \(accesses) accesses, \(arms.count) sizes in \(unit), \(rounded(seconds)) s")
    }
}

/// One size: each policy beside the reference. A class, since simulators cannot be copied into an array.
private final class Arm {
    private let size: Int
    private var standard: PolicySimulator
    private var adaptive: PolicySimulator
    private var reference: ReferenceLRU
    private var hits = (standard: 0, adaptive: 0, reference: 0)

    init(size: Int, isWeighted: Bool) {
        self.size = size
        // How many entries a number of bytes holds shows as it goes.
        let entries = isWeighted ? 1_024 : nil
        standard = PolicySimulator(policy: .s3fifo, capacity: size, entries: entries, seed: 1)
        adaptive = PolicySimulator(policy: .adaptive, capacity: size, entries: entries, seed: 1)
        reference = ReferenceLRU(capacity: size)
    }

    func use(_ access: TraceAccess) {
        if standard.access(keyHash: access.key, weight: access.weight) { hits.standard += 1 }
        if adaptive.access(keyHash: access.key, weight: access.weight) { hits.adaptive += 1 }
        if reference.access(access.key, weight: access.weight) { hits.reference += 1 }
    }

    func row(trace: String, file: String, accesses: Int) -> HitRatioBench.Row {
        func percent(_ hits: Int) -> Double { rounded(100 * Double(hits) / Double(accesses)) }
        return HitRatioBench.Row(
            trace: trace, file: file, size: size, accesses: accesses, default: percent(hits.standard),
            adaptive: percent(hits.adaptive), lru: percent(hits.reference))
    }
}

/// To two digits behind the point.
func rounded(_ number: Double) -> Double { (number * 100).rounded() / 100 }

/// Progress and problems go to standard error: standard output is the result.
func note(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
}
