package import OakumModel

/// How the candidate's memory grows with requests beyond the baseline's.
package struct MemoryEvidence: Hashable, Sendable, Codable {
    package enum Metric: String, Hashable, Sendable, Codable {
        case bytesInUse = "bytes_in_use"
        case residentBytes = "rss_bytes"
    }

    package var metric: Metric
    /// Of a straight line; each bound holds with 99 %.
    package var bytesPerRequest: Estimate
    /// By how much a straight line explains it better than what fills up and stops: the logarithm of a likelihood ratio. Nil
    /// before there is enough for a verdict.
    package var lineIsLikelier: Double?
    /// The line at the rate of requests that a worker serves.
    package var bytesPerHour: Estimate
    package var requestsPerSecond: Double
    package var blocks: Int
    /// Of a worker, in the compared stretch.
    package var requests: Double
    package var seconds: Double
    package var warmUpSeconds: Double
    package var levelBytes: Double
    /// What a worker may hold; nil: not known, a headroom is assumed.
    package var limitBytes: Double?
    /// From the steep end of the slope and from the flat one; nil: it does not rise.
    package var timeToLimit: TimeToLimit?
    package var expectedTimeToLimitSeconds: Double?
    package var failsBelowSeconds: Double
    package var passesAboveSeconds: Double
    /// The smallest leak this stretch could have shown: when it is long enough for a verdict, it would have failed.
    package var smallestBytesPerRequest: Double
    package var smallestBytesPerHour: Double
    /// Looks in a row that would have failed.
    package var looksInARow: Int
    /// Open descriptors for a thousand requests, when they grow too: a hint at what leaks.
    package var descriptorsPerThousandRequests: Estimate?

    private enum CodingKeys: String, CodingKey {
        case metric, blocks, requests
        case bytesPerRequest = "slope_bytes_per_request"
        case lineIsLikelier = "line_over_filling_log_likelihood_ratio"
        case bytesPerHour = "slope_bytes_per_h"
        case requestsPerSecond = "requests_per_s"
        case seconds = "compared_s"
        case warmUpSeconds = "warm_up_s"
        case levelBytes = "level_bytes"
        case limitBytes = "limit_bytes"
        case timeToLimit = "time_to_limit_s"
        case expectedTimeToLimitSeconds = "expected_time_to_limit_s"
        case failsBelowSeconds = "fails_below_s"
        case passesAboveSeconds = "passes_above_s"
        case smallestBytesPerRequest = "smallest_seen_bytes_per_request"
        case smallestBytesPerHour = "smallest_seen_bytes_per_h"
        case looksInARow = "looks_in_a_row"
        case descriptorsPerThousandRequests = "open_fds_per_1000_requests"
    }
}

/// The slope of the difference over requests, judged by the time it leaves.
///
/// A growth fails only when it is one beside anything that fills up too: a cache that the new release has, or made larger, is
/// no leak, and cannot be told from one before it slows down. Until then it is open.
struct MemorySignal: Sendable {
    let settings: GateSettings.Memory
    let limit: Double?
    /// How long the stage may last, seconds.
    private let stageSeconds: Double
    private var latest: SignalFinding<MemoryEvidence>?
    private var lookedAt: Double?
    private var judgedAt: Double?
    private var looksInARow = 0

    init(_ settings: GateSettings.Memory, limit: ByteCount?, stageSeconds: Double) {
        self.settings = settings
        self.stageSeconds = stageSeconds
        self.limit = limit.map { Double($0.bytes) }
    }

    /// Looks when enough is new; otherwise says what it said before. Seconds from the start of the comparison; `warmUp` is nil
    /// while the start is not left out, and there is no verdict then.
    mutating func finding(
        at seconds: Double, warmUp: Double?, silence: String?,
        compare: () throws(MissingMemory) -> ComparedMemory
    ) -> SignalFinding<MemoryEvidence> {
        let isDue = seconds - (judgedAt ?? -.infinity) >= settings.lookSeconds
        if isDue || latest == nil, seconds - (lookedAt ?? -.infinity) >= 10 || latest == nil {
            lookedAt = seconds
            do {
                latest = look(try compare(), at: seconds, warmUp: warmUp)
            } catch {
                latest = SignalFinding(.needMoreData, error.reason)
            }
        }
        guard let latest else { return SignalFinding(.needMoreData, "no memory was read") }
        if let silence, latest.verdict == .pass {
            return SignalFinding(.needMoreData, silence, evidence: latest.evidence)
        }
        return latest
    }

    private mutating func look(
        _ compared: ComparedMemory, at seconds: Double, warmUp: Double?
    ) -> SignalFinding<MemoryEvidence> {
        guard
            let line = SlopeFit(
                compared.requests, compared.bytes, resolution: settings.resolutionBytes, sigmas: settings.sigmas)
        else { return SignalFinding(.needMoreData, "readings of memory are missing in most blocks") }
        let rate = compared.requestsPerSecond
        let blocks = compared.requests.count
        let isEnough =
            warmUp != nil && blocks >= settings.leastBlocks
            && compared.span >= settings.blockSeconds * Double(settings.leastBlocks)
            && 3 * blocks >= 2 * compared.blocks
        let filling =
            isEnough
            ? FillingFit(
                compared.requests, compared.bytes, resolution: settings.resolutionBytes,
                mostScale: settings.fillingScale) : nil
        // Of simulated leaks of this size eight in ten are found (docs/release-gate.md).
        let smallest = max(
            1.3 * (line.estimate - line.low), 2 * (filling?.smallestSlope(margin: margin(at: seconds)) ?? 0))
        var evidence = MemoryEvidence(
            metric: compared.isResident ? .residentBytes : .bytesInUse,
            bytesPerRequest: Estimate(estimate: line.estimate, low: line.low, high: line.high),
            lineIsLikelier: filling?.lineIsLikelier, bytesPerHour: line.times(3_600 * rate), requestsPerSecond: rate,
            blocks: blocks, requests: (compared.requests.last ?? 0) - (compared.requests.first ?? 0),
            seconds: compared.span, warmUpSeconds: warmUp ?? 0, levelBytes: compared.level, limitBytes: limit,
            failsBelowSeconds: settings.soonSeconds, passesAboveSeconds: settings.laterSeconds,
            smallestBytesPerRequest: smallest, smallestBytesPerHour: smallest * rate * 3_600, looksInARow: 0,
            descriptorsPerThousandRequests: descriptors(compared))
        let room = max(0, limit.map { $0 - compared.level } ?? settings.assumedHeadroomBytes)
        func time(_ slope: Double) -> Double? { slope * rate > 0 ? room / (slope * rate) : nil }
        evidence.timeToLimit = time(line.high).map { TimeToLimit(low: $0, high: time(line.low)) }
        evidence.expectedTimeToLimitSeconds = time(line.estimate)
        guard isEnough else {
            return SignalFinding(
                .needMoreData,
                "\(Self.words(evidence)); a verdict needs \(settings.leastBlocks) blocks of "
                    + "\(Words.seconds(settings.blockSeconds)) after the warm-up", evidence: evidence)
        }
        judgedAt = seconds
        return judge(evidence, at: seconds)
    }

    private mutating func judge(_ found: MemoryEvidence, at seconds: Double) -> SignalFinding<MemoryEvidence> {
        var evidence = found
        let words = Self.words(evidence)
        let soonest = evidence.timeToLimit?.low ?? .infinity
        let isRising = evidence.bytesPerRequest.low > 0
        guard isRising, soonest <= settings.laterSeconds else {
            looksInARow = 0
            guard soonest > settings.laterSeconds else {
                return SignalFinding(.needMoreData, "\(words): it may be nothing", evidence: evidence)
            }
            if evidence.blocks >= settings.passingBlocks { return SignalFinding(.pass, words, evidence: evidence) }
            return SignalFinding(
                .needMoreData, "\(words): \(settings.passingBlocks) blocks are needed to pass", evidence: evidence)
        }
        let isSoon = soonest < settings.soonSeconds
        let isExpected = (evidence.expectedTimeToLimitSeconds ?? .infinity) < settings.laterSeconds
        let isUnbounded = (evidence.lineIsLikelier ?? 0) >= margin(at: seconds)
        looksInARow = isUnbounded && (isSoon || isExpected) ? looksInARow + 1 : 0
        evidence.looksInARow = looksInARow
        let isUrgent = (evidence.expectedTimeToLimitSeconds ?? .infinity) < settings.urgentSeconds
        if looksInARow >= (isUrgent ? 1 : 2) {
            return SignalFinding(.fail, words, evidence: evidence)
        }
        let doubt = isUnbounded ? "a second look is needed" : "it may be something that fills up"
        return SignalFinding(.needMoreData, "\(words): \(doubt)", evidence: evidence)
    }

    /// Waiting costs little before the end of the stage, and tells a leak from a fill better and better: so early the line must be
    /// the likelier by far.
    private func margin(at seconds: Double) -> Double {
        let share = stageSeconds > 0 ? min(1, max(0, seconds / stageSeconds)) : 1
        return settings.earlyMargin + (settings.endMargin - settings.earlyMargin) * share
    }

    private func descriptors(_ compared: ComparedMemory) -> Estimate? {
        guard compared.descriptors.count == compared.requests.count,
            let fit = SlopeFit(compared.requests, compared.descriptors, resolution: 1, sigmas: settings.sigmas),
            fit.low > 0
        else { return nil }
        return fit.times(1_000)
    }

    private static func words(_ evidence: MemoryEvidence) -> String {
        func perHour(_ bytes: Double) -> String { "\(Words.bytes(bytes))/h" }
        let slope = evidence.bytesPerHour
        var words =
            "\(perHour(slope.estimate)) more than the current release (\(perHour(slope.low)) to "
            + "\(perHour(slope.high))) at \(Words.fixed(evidence.requestsPerSecond, 1)) requests/s a worker, "
            + "\(Words.fixed(evidence.bytesPerRequest.estimate, 1)) bytes a request"
        if let time = evidence.timeToLimit {
            words += evidence.limitBytes == nil ? ", an assumed headroom" : ", the limit"
            words += " in \(Words.time(time))"
        }
        if let descriptors = evidence.descriptorsPerThousandRequests {
            words += "; open descriptors grow too, \(Words.fixed(descriptors.estimate, 1)) for 1000 requests"
        }
        return words + "; a leak of \(perHour(evidence.smallestBytesPerHour)) would have shown"
    }
}

extension SlopeFit {
    func times(_ factor: Double) -> Estimate {
        Estimate(estimate: estimate * factor, low: low * factor, high: high * factor)
    }
}
