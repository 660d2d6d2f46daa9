import Foundation  // JSON
import OakumModel
import OakumTestKit
import ReleaseGate

/// Draws canaries from recorded workers of one release, so that the truth is known: equal arms, or a leak that was added.
///
/// Canaries drawn from the same forty workers are not independent: each worker takes part in many. So the interval of a share
/// comes from drawing workers, not canaries, anew (a bootstrap over workers: a canary counts as often as all its workers were
/// drawn); and where nothing failed at all, from how many canaries without a common worker there can be.
struct Replay: Sendable {
    struct Share: Codable, Sendable {
        var percent: Double
        /// 95 %.
        var low: Double
        var high: Double

        enum CodingKeys: String, CodingKey {
            case percent
            case low = "low_percent"
            case high = "high_percent"
        }
    }

    struct Row: Codable, Sendable {
        var leakMiBPerHour: Double
        var leakBytesPerRequest: Double
        var minutes: Double
        var canaries: Int
        var gateFails: Share
        /// The memory signal alone.
        var memoryFails: Share
        var memoryPasses: Share
        var memoryOpen: Share
        var kayentaFails: Share
        /// With an allowed increase of 1.1.
        var kayentaFiltered: Share
        /// What the gate itself says it could have seen, the median.
        var smallestMiBPerHour: Double?

        enum CodingKeys: String, CodingKey {
            case minutes, canaries
            case leakMiBPerHour = "leak_mib_per_h"
            case leakBytesPerRequest = "leak_bytes_per_request"
            case gateFails = "gate_fails"
            case memoryFails = "memory_fails"
            case memoryPasses = "memory_passes"
            case memoryOpen = "memory_open"
            case kayentaFails = "kayenta_fails"
            case kayentaFiltered = "kayenta_allowed_1_1_fails"
            case smallestMiBPerHour = "smallest_seen_mib_per_h"
        }
    }

    struct Report: Codable, Sendable {
        var workers: Int
        var workersPerArm: Int
        var independentCanaries: Int
        var requestsPerSecond: Double
        var seed: UInt64
        /// The first rows are of equal arms.
        var rows: [Row]
        /// Signals that failed a canary of equal arms, with how often.
        var falseFailures: [String: Int]

        enum CodingKeys: String, CodingKey {
            case workers, seed, rows
            case workersPerArm = "workers_per_arm"
            case independentCanaries = "independent_canaries"
            case requestsPerSecond = "requests_per_s_per_worker"
            case falseFailures = "false_failures"
        }
    }

    var workers: [RecordedWorker]
    /// 1 or 2.
    var workersPerArm = 1
    var canaries = 200
    var minutes = [30.0, 60, 180]
    var leaksMiBPerHour = [12.0, 30, 60, 120]
    var limit: ByteCount? = .mebibytes(1_024)
    var settings = GateSettings.proving
    /// Readings that Kayenta's rule sees lie so far apart, seconds.
    var kayentaStep = 60.0
    var lookEvery = 60.0
    var seed: UInt64 = 1

    private static let mebibyte = 1_048_576.0

    /// What became of one canary, at each of the `minutes`.
    private struct Outcome {
        var members: [Int]
        var gateFails: [Bool]
        var memory: [GateVerdict]
        var smallest: [Double?]
        var kayenta: [Bool]
        var filtered: [Bool]
        var failing: [GateSignal]
    }

    func run() throws -> Report {
        let least = 2 * workersPerArm
        guard workers.count >= least, workersPerArm >= 1 else {
            throw RecordingProblem(description: "\(workers.count) recorded workers: at least \(least) are needed")
        }
        let rates = workers.map(\.requestsPerSecond)
        let rate = rates.reduce(0, +) / Double(rates.count)
        guard rate > 0 else { throw RecordingProblem(description: "no recorded worker has served a request") }
        var report = Report(
            workers: workers.count, workersPerArm: workersPerArm, independentCanaries: workers.count / least,
            requestsPerSecond: rate, seed: seed, rows: [], falseFailures: [:])
        for leak in [0] + leaksMiBPerHour {
            let perRequest = leak * Self.mebibyte / 3_600 / rate
            var draws = SeededGenerator(seed: seed)
            let outcomes = (0..<canaries).map { _ in canary(leakBytesPerRequest: perRequest, using: &draws) }
            if leak == 0 {
                for signal in outcomes.flatMap(\.failing) { report.falseFailures[signal.rawValue, default: 0] += 1 }
            }
            for index in minutes.indices {
                report.rows.append(row(outcomes, index, leak, perRequest, using: &draws))
            }
        }
        return report
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        return String(decoding: try encoder.encode(run()), as: UTF8.self)
    }

    // MARK: - One canary

    private func canary(leakBytesPerRequest leak: Double, using draws: inout SeededGenerator) -> Outcome {
        let members = Array(Array(workers.indices).shuffled(using: &draws).prefix(2 * workersPerArm))
        let candidate = members.prefix(workersPerArm).map { workers[$0].readings(leakBytesPerRequest: leak) }
        let baseline = members.suffix(workersPerArm).map { workers[$0].readings(leakBytesPerRequest: 0) }
        var outcome = Outcome(
            members: members, gateFails: [], memory: [], smallest: [], kayenta: [], filtered: [], failing: [])
        var latest: GateReport?
        var next = 0
        let played = SimulatedCanary(candidate: candidate, baseline: baseline, limit: limit)
        let last = played.play(settings, lookEvery: lookEvery) { report in
            latest = report
            while next < minutes.count, report.elapsedSeconds >= 60 * minutes[next], report.verdict != .fail {
                note(report, in: &outcome)
                next += 1
            }
        }
        while next < minutes.count {
            note(latest ?? last, in: &outcome)
            next += 1
        }
        outcome.failing = GateSignal.allCases.filter { last.verdict(of: $0) == .fail }
        for minute in minutes {
            let new = metric(candidate, until: 60 * minute)
            let old = metric(baseline, until: 60 * minute)
            outcome.kayenta.append(KayentaRule().fails(baseline: old, candidate: new))
            outcome.filtered.append(KayentaRule(allowedIncrease: 1.1).fails(baseline: old, candidate: new))
        }
        return outcome
    }

    private func note(_ report: GateReport, in outcome: inout Outcome) {
        outcome.gateFails.append(report.verdict == .fail)
        outcome.memory.append(report.memory.verdict)
        outcome.smallest.append(report.memory.evidence?.smallestBytesPerHour)
    }

    /// Bytes in use of all workers of an arm, as a metric store would have them.
    private func metric(_ arm: [[GateReading]], until end: Double) -> [Double] {
        arm.flatMap { readings in
            var due = kayentaStep
            return readings.compactMap { reading -> Double? in
                guard reading.at.seconds <= end, reading.at.seconds >= due else { return nil }
                due += kayentaStep
                return (reading.bytesInUse ?? reading.residentBytes).map { Double($0.bytes) } ?? .nan
            }
        }
    }

    // MARK: - Shares

    private func row(
        _ outcomes: [Outcome], _ index: Int, _ leak: Double, _ perRequest: Double, using draws: inout SeededGenerator
    ) -> Row {
        func share(_ isTrue: (Outcome) -> Bool) -> Share {
            Self.share(
                outcomes.map { ($0.members, isTrue($0)) }, workers: workers.count,
                independent: workers.count / (2 * workersPerArm), using: &draws)
        }
        let smallest = outcomes.compactMap { $0.smallest[index] }.sorted()
        return Row(
            leakMiBPerHour: leak, leakBytesPerRequest: perRequest, minutes: minutes[index], canaries: outcomes.count,
            gateFails: share { $0.gateFails[index] }, memoryFails: share { $0.memory[index] == .fail },
            memoryPasses: share { $0.memory[index] == .pass },
            memoryOpen: share { $0.memory[index] == .needMoreData }, kayentaFails: share { $0.kayenta[index] },
            kayentaFiltered: share { $0.filtered[index] },
            smallestMiBPerHour: smallest.isEmpty ? nil : smallest[smallest.count / 2] / Self.mebibyte)
    }

    static func share(
        _ outcomes: [(members: [Int], isTrue: Bool)], workers: Int, independent: Int,
        using draws: inout SeededGenerator
    ) -> Share {
        let hits = outcomes.count { $0.isTrue }
        let percent = 100 * Double(hits) / Double(max(1, outcomes.count))
        // None or all in so few independent ones: what would have shown with 95 %.
        let blind = 100 * (1 - pow(0.05, 1 / Double(max(1, independent))))
        guard hits > 0 else { return Share(percent: 0, low: 0, high: blind) }
        guard hits < outcomes.count else { return Share(percent: 100, low: 100 - blind, high: 100) }
        var shares: [Double] = []
        for _ in 0..<200 {
            var times = [Double](repeating: 0, count: workers)
            for _ in 0..<workers { times[draws.int(0...(workers - 1))] += 1 }
            var (sum, all) = (0.0, 0.0)
            for outcome in outcomes {
                let weight = outcome.members.reduce(1.0) { $0 * times[$1] }
                all += weight
                if outcome.isTrue { sum += weight }
            }
            if all > 0 { shares.append(100 * sum / all) }
        }
        shares.sort()
        guard !shares.isEmpty else { return Share(percent: percent, low: 0, high: 100) }
        return Share(
            percent: percent, low: shares[shares.count / 40], high: shares[shares.count - 1 - shares.count / 40])
    }
}
