import OakumModel

/// A kind of log line that belongs to the trouble: new since it began, or more frequent than the requests explain.
package struct LogEvidence: Hashable, Sendable, Codable {
    package var template: String
    /// Lines a second, before the onset and since.
    package var before: Double
    package var since: Double
    /// Of its rate with the worker's memory, −1 to 1; nil where there are too few lines or readings.
    package var withMemory: Double?
    /// On the axis of the diagnosis.
    package var firstSeen: Double
    package var sentence: String
    /// What a line of this wording usually means.
    var hint: CauseCode?

    private enum CodingKeys: String, CodingKey {
        case template, sentence
        case before = "before_per_s"
        case since = "since_per_s"
        case withMemory = "correlation_with_memory"
        case firstSeen = "first_seen_s"
    }

    /// The most that one diagnosis shows.
    static let maximum = 5

    /// - Parameter onset: since when memory grows; nil when it does not: the first thing that changed counts then.
    static func found(
        in observations: Observations, span: ClosedRange<Double>, onset: Double?, readings: [Reading]
    ) -> [LogEvidence] {
        guard let since = onset ?? readings.compactMap({ $0.change?.fit.onset }).min() else { return [] }
        // Without a stretch from before, the first third of the window stands in for it.
        let length = span.upperBound - span.lowerBound
        let split = since - span.lowerBound < 0.1 * length ? span.lowerBound + length / 3 : since
        let requests = readings.first { $0.kind == .requests }
        let memory = readings.first { $0.kind == .memory }
        let scored = observations.logs.prefix(Observations.maximumPatterns).compactMap { pattern in
            !pattern.firstSeen.isFinite
                ? nil : score(pattern, span, split, scale(requests, split)).map { (pattern, $0) }
        }
        return scored.sorted { $0.1.certainty > $1.1.certainty }.prefix(maximum).map { pattern, score in
            evidence(pattern, score, memory, span, onset: split)
        }
    }

    private struct Score {
        var before: Double
        var since: Double
        var certainty: Double
    }

    /// How many more requests there were since; 1 when it is not known.
    private static func scale(_ requests: Reading?, _ split: Double) -> Double {
        guard let requests else { return 1 }
        func mean(_ values: [Double]) -> Double? { values.isEmpty ? nil : values.reduce(0, +) / Double(values.count) }
        let parts = zip(requests.series.times, requests.series.values)
        guard let before = mean(parts.filter { $0.0 < split }.map(\.1)),
            let after = mean(parts.filter { $0.0 >= split }.map(\.1)), before > 0
        else { return 1 }
        return max(0.1, after / before)
    }

    /// Counts as Poisson draws: how many standard deviations more than the rate before and the requests explain.
    private static func score(
        _ pattern: LogPattern, _ span: ClosedRange<Double>, _ split: Double, _ scale: Double
    ) -> Score? {
        var (before, since) = (0.0, 0.0)
        for point in pattern.counts where span.contains(point.seconds) && point.value.isFinite {
            if point.seconds < split { before += point.value } else { since += point.value }
        }
        let (early, late) = (max(split - span.lowerBound, 1), max(span.upperBound - split, 1))
        let expected = before * late / early * scale
        guard since >= 3, since > 1.5 * expected else { return nil }
        let ratio = late / early * scale
        let certainty = (since - expected) / (since + expected * ratio + 1).squareRoot()
        guard certainty >= 4 || (before == 0 && since >= 3) else { return nil }
        return Score(before: before / early, since: since / late, certainty: certainty)
    }

    private static func evidence(
        _ pattern: LogPattern, _ score: Score, _ memory: Reading?, _ span: ClosedRange<Double>, onset: Double
    ) -> LogEvidence {
        var correlation: Double?
        if let memory,
            let rates = Reading(Signal(.work, points: pattern.counts), in: span, restarts: []),
            let moves = CoMovement(rates, with: memory)
        {
            correlation = moves.levels
        }
        let text =
            score.before == 0
            ? "new since \(Phrases.duration(max(0, pattern.firstSeen - onset))) after the onset, "
                + "\(Phrases.number(score.since * 60)) a minute"
            : "\(Phrases.number(score.before * 60)) a minute before the onset, "
                + "\(Phrases.number(score.since * 60)) since"
        let along = correlation.map { $0 > 0.6 ? ", in step with memory (r \(Phrases.decimal($0, 2)))" : "" } ?? ""
        return LogEvidence(
            template: pattern.template, before: score.before, since: score.since, withMemory: correlation,
            firstSeen: pattern.firstSeen, sentence: "log line “\(pattern.template)”: \(text)\(along)",
            hint: hint(pattern.template))
    }

    /// Wordings of the C library's and common servers' errors.
    private static let hints: [(words: String, cause: CauseCode)] = [
        ("no space left on device", .diskFull), ("disk full", .diskFull), ("database or disk is full", .diskFull),
        ("too many open files", .fileDescriptors), ("out of memory", .memory), ("cannot allocate memory", .memory),
        ("timed out", .slowDependency), ("timeout", .slowDependency), ("deadline exceeded", .slowDependency),
        ("no route to host", .network), ("network is unreachable", .network), ("connection reset", .network),
    ]

    static func hint(_ template: String) -> CauseCode? {
        let text = template.lowercased()
        return hints.first { text.contains($0.words) }?.cause
    }
}
