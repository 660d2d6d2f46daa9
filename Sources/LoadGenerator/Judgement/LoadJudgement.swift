/// What a run says about its thresholds, and whether it says anything. Pure.
package struct LoadJudgement: Hashable, Sendable, Codable {
    package enum Verdict: String, Hashable, Sendable, Codable {
        case passed
        /// At least one threshold is crossed.
        case crossed
        /// It cannot be told, for the reasons given.
        case noEvidence = "no_evidence"
        /// Not one complete answer.
        case nothingMeasured = "nothing_measured"

        /// Of the command.
        package var exitCode: Int32 {
            switch self {
            case .passed: 0
            case .crossed: 1
            case .noEvidence: 3
            case .nothingMeasured: 4
            }
        }
    }

    package struct Result: Hashable, Sendable, Codable {
        package enum State: String, Hashable, Sendable, Codable {
            case held, crossed, undecided
        }

        package var threshold: String
        package var state: State
        /// The measured value in the threshold's unit, as text; nil when there was none.
        package var measured: String?
        /// Why it is undecided.
        package var why: String?
    }

    package var verdict: Verdict
    package var thresholds: [Result]
    /// Why the run is no evidence; empty when it is.
    package var reasons: [String]
    /// What to know when reading the figures.
    package var remarks: [String]

    /// Fewer complete answers than that are no evidence.
    package static let answersNeeded: UInt64 = 100
    /// So many slower requests are needed beyond a percentile for the point estimate to decide.
    static let tailNeeded = 10.0
    /// A generator's thread busier than that is at its own limit.
    static let busyLimit = 0.95
    /// Of the time its thread was ready and did not get a processor.
    static let waitLimit = 0.5

    package init(
        _ report: LoadReport, loop: LoadLoop, thresholds: [LoadThreshold] = [], memory: TargetMemory? = nil
    ) {
        reasons = Self.reasons(report, loop, memory)
        remarks = Self.remarks(report, loop)
        let spoilt = reasons.first
        self.thresholds = thresholds.map { Self.judge($0, report, memory, spoilt: spoilt) }
        if report.statuses.isEmpty {
            verdict = .nothingMeasured
        } else if self.thresholds.contains(where: { $0.state == .crossed }) {
            verdict = .crossed
        } else if !reasons.isEmpty || self.thresholds.contains(where: { $0.state == .undecided }) {
            verdict = .noEvidence
        } else {
            verdict = .passed
        }
    }

    // MARK: - Is it evidence

    private static func reasons(_ report: LoadReport, _ loop: LoadLoop, _ memory: TargetMemory?) -> [String] {
        var reasons: [String] = []
        if let text = report.noEvidence { reasons.append(text) }
        if let lost = memory?.lost { reasons.append("the target did not stay the same process: \(lost)") }
        let answers = report.statuses.reduce(0) { $0 + $1.value }
        if answers < answersNeeded {
            reasons.append(
                "\(answers) answers are too few (\(answersNeeded) at least): give it longer, or a higher rate")
        }
        if let busy = report.busyShare, busy > busyLimit {
            let percent = Figures.number(busy * 100, places: 0)
            reasons.append(
                """
                the generator was at its own limit (its thread used \(percent) % of a processor), so these are its \
                figures, not the service's: ask for less, or give it a processor of its own
                """)
        } else if loop == .open, let delay = report.sendDelayP99Milliseconds, let p99 = report.latency?.p99, delay > 1,
            delay > p99 / 2
        {
            reasons.append(
                """
                the generator itself sent \(Figures.milliseconds(delay)) late at the 99th percentile, more than half \
                of the \(Figures.milliseconds(p99)) it measured: give it more processor
                """)
        } else if loop == .closed, let wait = report.waitShare, wait > waitLimit {
            let percent = Figures.number(wait * 100, places: 0)
            reasons.append("for \(percent) % of the time other programs had the generator's processor")
        }
        return reasons
    }

    private static func remarks(_ report: LoadReport, _ loop: LoadLoop) -> [String] {
        var remarks: [String] = []
        if loop == .closed {
            remarks.append(
                "closed loop: a stuck service is asked less, so its latencies look better than users see them")
        }
        if let waited = report.waited, waited * 100 > report.requests {
            let percent = Figures.number(Double(waited) / Double(max(report.requests, 1)) * 100, places: 0)
            remarks.append(
                """
                \(percent) % of the requests waited for a connection, which is part of their latency: a slow service, or too \
                few connections for the rate
                """)
        }
        for stream in report.streams.prefix(50) where stream.failed == 0 {
            guard let statuses = stream.statuses, !statuses.isEmpty,
                statuses.keys.allSatisfy({ (400..<500).contains($0) })
            else { continue }
            let words = statuses.keys.sorted().map(String.init).joined(separator: " and ")
            remarks.append("\(stream.name) was answered \(words) alone, as was expected: its usual work was not loaded")
        }
        if report.endedEarly == true { remarks.append("ended before its time: the report covers what was sent") }
        if let wait = report.waitShare, wait > 0.1 {
            let percent = Figures.number(wait * 100, places: 0)
            remarks.append("for \(percent) % of the time other programs had the generator's processor")
        }
        return remarks
    }

    // MARK: - Thresholds

    /// - Parameter spoilt: why the run as a whole is no evidence; nil when it is.
    private static func judge(
        _ threshold: LoadThreshold, _ report: LoadReport, _ memory: TargetMemory?, spoilt: String?
    ) -> Result {
        var result: Result
        switch threshold.metric {
        case .percentile, .maximum, .mean: result = latency(threshold, report)
        case .memoryPeak, .memoryGrowth: return self.memory(threshold, memory)
        case .errorShare:
            let share = report.requests > 0 ? Double(report.failed) / Double(report.requests) * 100 : nil
            result = compared(threshold, share) { Figures.number($0, places: 3) + " %" }
        case .errorCount: result = compared(threshold, Double(report.failed)) { Figures.number($0, places: 0) }
        case .failures(let kind):
            result = compared(threshold, Double(report.failures[kind])) { Figures.number($0, places: 0) }
        case .rate:
            let good = Double(report.requests) - Double(report.failed)
            result = compared(threshold, good / max(report.seconds, 1e-9)) { Figures.number($0, places: 1) + "/s" }
        }
        guard let spoilt, result.state != .undecided else { return result }
        // Too many failures are a fact, however the generator fared; that there were few is none, and neither are
        // latencies and rates.
        let isFact = result.state == .crossed && !threshold.isAboutLatency && threshold.metric != .rate
        if !isFact {
            result.state = .undecided
            result.why = spoilt
        }
        return result
    }

    private static func compared(_ threshold: LoadThreshold, _ value: Double?, _ text: (Double) -> String) -> Result {
        guard let value else {
            return Result(threshold: threshold.text, state: .undecided, measured: nil, why: "nothing was measured")
        }
        let holds = threshold.comparison.holds(value, threshold.limit)
        return Result(threshold: threshold.text, state: holds ? .held : .crossed, measured: text(value), why: nil)
    }

    private static func latency(_ threshold: LoadThreshold, _ report: LoadReport) -> Result {
        let stream = threshold.endpoint.map { name in report.streams.first { $0.name == name } }
        let distribution = stream == nil ? report.distribution : stream??.distribution
        guard let distribution, distribution.count > 0 else {
            let why = threshold.endpoint.map { "there was no answer to \($0)" } ?? "there was no answer"
            return Result(threshold: threshold.text, state: .undecided, measured: nil, why: why)
        }
        switch threshold.metric {
        case .maximum: return compared(threshold, distribution.maxMilliseconds, Figures.milliseconds)
        case .mean: return compared(threshold, distribution.meanMilliseconds, Figures.milliseconds)
        case .percentile(let percentile):
            var result = compared(
                threshold, distribution.milliseconds(atPercentile: percentile), Figures.milliseconds)
            let tail = (100 - percentile) / 100
            guard Double(distribution.count) * tail < tailNeeded, threshold.comparison.isUpper else { return result }
            let decision = TailTest.decide(
                slower: distribution.count(above: threshold.limit), of: distribution.count, share: tail)
            switch decision {
            case .below: result.state = .held
            case .above: result.state = .crossed
            case .unknown:
                result.state = .undecided
                let needed = Int((tailNeeded / tail).rounded(.up))
                result.why =
                    "\(distribution.count) answers are too few for it: \(Figures.grouped(UInt64(needed))) decide"
            }
            return result
        default: return compared(threshold, nil, Figures.milliseconds)
        }
    }

    private static func memory(_ threshold: LoadThreshold, _ memory: TargetMemory?) -> Result {
        let value = threshold.metric == .memoryPeak ? memory?.peakBytes.map { Double($0) } : memory?.growthBytes
        guard value != nil else {
            let why = memory == nil ? "no process was watched" : "\(memory?.samples.count ?? 0) samples are too few"
            return Result(threshold: threshold.text, state: .undecided, measured: nil, why: memory?.lost ?? why)
        }
        var result = compared(threshold, value, Figures.bytes)
        if result.state == .held, let lost = memory?.lost {
            result.state = .undecided
            result.why = lost
        }
        return result
    }
}

extension LoadThreshold.Comparison {
    var isUpper: Bool { self == .below || self == .atMost }
}

/// Whether a share is below or above a limit, from few samples: an exact binomial test at 5 % on either side.
enum TailTest {
    enum Decision: Hashable { case below, above, unknown }

    /// - Parameter share: 0...1, the limit.
    static func decide(slower: UInt64, of count: UInt64, share: Double) -> Decision {
        if cumulative(slower, count, share) < 0.05 { return .below }
        if slower > 0, 1 - cumulative(slower - 1, count, share) < 0.05 { return .above }
        return .unknown
    }

    /// P(X ≤ k) of a binomial law, summed from its first term on; few terms count when the share is small.
    private static func cumulative(_ successes: UInt64, _ count: UInt64, _ share: Double) -> Double {
        guard successes < count else { return 1 }
        var term = Double(count) * logOnePlus(-share)
        var sum = expOf(term)
        let odds = logOf(share) - logOnePlus(-share)
        for k in 0..<min(successes, 100_000) {
            term += logOf(Double(count - k) / Double(k + 1)) + odds
            sum += expOf(term)
        }
        return min(sum, 1)
    }
}
