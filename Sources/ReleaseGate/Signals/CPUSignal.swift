import Glibc

/// What a request costs in CPU time, in both arms.
package struct CPUEvidence: Hashable, Sendable, Codable {
    package var candidateSecondsPerRequest: Double?
    package var baselineSecondsPerRequest: Double?
    package var ratio: RatioInterval?
    package var candidateRequests: Double
    package var baselineRequests: Double
    package var blocks: Int
    package var threshold: Double
    /// The ratio that would have failed.
    package var smallestRatio: Double?

    private enum CodingKeys: String, CodingKey {
        case ratio, blocks, threshold
        case candidateSecondsPerRequest = "candidate_cpu_s_per_request"
        case baselineSecondsPerRequest = "baseline_cpu_s_per_request"
        case candidateRequests = "candidate_requests"
        case baselineRequests = "baseline_requests"
        case smallestRatio = "smallest_seen_ratio"
    }
}

/// Requests, and the CPU seconds of the same stretch.
struct CPUWork: Hashable, Sendable {
    var requests = 0.0
    var seconds = 0.0

    mutating func add(_ other: CPUWork) {
        requests += other.requests
        seconds += other.seconds
    }

    var each: Double { seconds / requests }
}

struct CPUStretch: Stretch {
    var candidate = CPUWork()
    var baseline = CPUWork()

    mutating func merge(_ later: CPUStretch) {
        candidate.add(later.candidate)
        baseline.add(later.baseline)
    }
}

/// The ratio of CPU seconds for each request. Its interval comes from how the ratio varies from block to block of the same
/// time, which leaves out what both arms have in common; memory in that widens it.
struct CPUSignal: Sendable {
    let settings: GateSettings.CPU
    private var blocks = WorkBlocks<CPUStretch>()

    init(_ settings: GateSettings.CPU) {
        self.settings = settings
    }

    mutating func add(_ work: CPUWork, of arm: Arm) {
        blocks.add { stretch in
            switch arm {
            case .candidate: stretch.candidate.add(work)
            case .baseline: stretch.baseline.add(work)
            }
        }
    }

    mutating func pair(at seconds: Double) { blocks.end(at: seconds) }

    func finding(silence: String?) -> SignalFinding<CPUEvidence> {
        // A block in which one arm served nothing has no ratio.
        let used = blocks.complete.filter { $0.candidate.requests > 0 && $0.baseline.requests > 0 }
        var all = CPUStretch()
        for block in used { all.merge(block) }
        var evidence = CPUEvidence(
            candidateRequests: all.candidate.requests, baselineRequests: all.baseline.requests, blocks: used.count,
            threshold: settings.mostRatio)
        let (new, old) = (all.candidate, all.baseline)
        guard min(new.requests, old.requests) >= settings.leastRequests, used.count >= settings.leastBlocks else {
            return SignalFinding(
                .needMoreData,
                "CPU time of \(Words.count(new.requests)) and \(Words.count(old.requests)) requests in "
                    + "\(Words.plural(used.count, "block")) of \(Words.seconds(blocks.width)): "
                    + "\(Words.count(settings.leastRequests)) in each arm and \(settings.leastBlocks) are needed",
                evidence: evidence)
        }
        guard new.seconds > 0, old.seconds > 0 else {
            return SignalFinding(.needMoreData, "no CPU time was measured", evidence: evidence)
        }
        let uneven = max(new.requests / old.requests, old.requests / new.requests)
        guard uneven <= settings.mostUneven else {
            return SignalFinding(
                .needMoreData,
                "one arm served \(Words.ratio(uneven)) times as many requests as the other: what a worker uses "
                    + "without requests cannot be told apart", evidence: evidence)
        }
        measure(used, new, old, &evidence)
        return judge(evidence, silence)
    }

    private func measure(_ used: [CPUStretch], _ new: CPUWork, _ old: CPUWork, _ evidence: inout CPUEvidence) {
        evidence.candidateSecondsPerRequest = new.each
        evidence.baselineSecondsPerRequest = old.each
        // What each block adds to the error of the ratio's logarithm (linearised).
        let shares = used.map { block in
            (block.candidate.seconds - new.each * block.candidate.requests) / new.seconds
                - (block.baseline.seconds - old.each * block.baseline.requests) / old.seconds
        }
        let count = Double(shares.count)
        let memory = serialMemory(shares, fitted: 1)
        let variance =
            shares.reduce(0) { $0 + $1 * $1 } * count / (count - 1) * (1 + memory) / (1 - memory)
        let width = studentQuantile(settings.sigmas, freedom: count - 1) * variance.squareRoot()
        let middle = log(new.each / old.each)
        evidence.ratio = RatioInterval(estimate: exp(middle), low: exp(middle - width), high: exp(middle + width))
        evidence.smallestRatio = settings.mostRatio * exp(width)
    }

    private func judge(_ evidence: CPUEvidence, _ silence: String?) -> SignalFinding<CPUEvidence> {
        guard let ratio = evidence.ratio, let new = evidence.candidateSecondsPerRequest,
            let old = evidence.baselineSecondsPerRequest
        else { return SignalFinding(.needMoreData, "no ratio of CPU time", evidence: evidence) }
        let words =
            "\(Words.fixed(1_000 * new, 3)) ms of CPU a request, \(Words.fixed(1_000 * old, 3)) ms of the current "
            + "release: ratio \(Words.ratio(ratio)), at most \(Words.ratio(settings.mostRatio)) is allowed"
        if ratio.low > settings.mostRatio { return SignalFinding(.fail, words, evidence: evidence) }
        if let silence { return SignalFinding(.needMoreData, silence, evidence: evidence) }
        if let high = ratio.high, high <= settings.mostRatio { return SignalFinding(.pass, words, evidence: evidence) }
        let smallest = evidence.smallestRatio.map { "; \(Words.ratio($0)) would have failed" }
        return SignalFinding(.needMoreData, words + (smallest ?? ""), evidence: evidence)
    }
}
