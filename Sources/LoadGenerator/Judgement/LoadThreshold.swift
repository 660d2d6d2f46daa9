/// A limit that a run must keep: "p99 < 200ms", "errors < 0.1%", "memory < 512MiB".
package struct LoadThreshold: Hashable, Sendable {
    package enum Metric: Hashable, Sendable {
        /// 0 < percentile < 100.
        case percentile(Double)
        case maximum
        case mean
        /// Failed requests as a share of all, in percent.
        case errorShare
        case errorCount
        case failures(FailureKind)
        /// Requests answered as expected, a second.
        case rate
        /// The target's resident memory, at its highest.
        case memoryPeak
        /// Its growth after a first fifth of the run.
        case memoryGrowth
    }

    package enum Comparison: String, Hashable, Sendable {
        case below = "<"
        case atMost = "<="
        case above = ">"
        case atLeast = ">="

        package func holds(_ value: Double, _ limit: Double) -> Bool {
            switch self {
            case .below: value < limit
            case .atMost: value <= limit
            case .above: value > limit
            case .atLeast: value >= limit
            }
        }
    }

    package var metric: Metric
    /// The request it is about; nil: all.
    package var endpoint: String?
    package var comparison: Comparison
    /// In milliseconds, percent, requests, requests a second, or bytes: as the metric says.
    package var limit: Double
    /// As it was written.
    package var text: String

    /// Why a text is no threshold.
    package struct Failure: Error, Hashable, Sendable {
        package var message: String
    }

    package static let hint = """
        such as p99 < 200ms, p99.9 of sign-up < 1s, max < 2s, errors < 0.1%, errors < 10, timed_out < 1, rate > 500/s, \
        memory < 512MiB, memory_growth < 10MiB
        """

    /// Reads one of the forms in `hint`.
    package init(parsing text: String) throws(Failure) {
        self.text = text.split(separator: " ").joined(separator: " ")
        guard let sign = text.firstIndex(where: { $0 == "<" || $0 == ">" }) else {
            throw Failure(message: "`\(text)` has no < or >: \(Self.hint)")
        }
        var end = text.index(after: sign)
        if end < text.endIndex, text[end] == "=" { end = text.index(after: end) }
        guard let comparison = Comparison(rawValue: String(text[sign..<end])) else {
            throw Failure(message: "`\(text)` has no < or >: \(Self.hint)")
        }
        self.comparison = comparison
        var words = text[..<sign].split(separator: " ").map(String.init)
        if let place = words.firstIndex(of: "of"), place > 0, place + 1 < words.count {
            endpoint = words[(place + 1)...].joined(separator: " ")
            words.removeSubrange(place...)
        }
        let value = text[end...].split(separator: " ").joined()
        guard words.count == 1, let read = Self.metric(words[0], value) else {
            throw Failure(message: "`\(text)` cannot be read: \(Self.hint)")
        }
        (metric, limit) = read
        if endpoint != nil, !isAboutLatency {
            throw Failure(message: "`\(text)`: only latencies can be those of one request")
        }
    }

    package var isAboutLatency: Bool {
        switch metric {
        case .percentile, .maximum, .mean: true
        default: false
        }
    }

    package var isAboutMemory: Bool { metric == .memoryPeak || metric == .memoryGrowth }

    private static func metric(_ name: String, _ value: String) -> (Metric, Double)? {
        switch name {
        case "max": return Self.amount(value, times).map { (.maximum, $0) }
        case "mean": return Self.amount(value, times).map { (.mean, $0) }
        case "rate": return Self.amount(value, [("/s", 1), ("/min", 1 / 60.0), ("", 1)]).map { (.rate, $0) }
        case "memory": return Self.amount(value, memories).map { (.memoryPeak, $0) }
        case "memory_growth": return Self.amount(value, memories).map { (.memoryGrowth, $0) }
        case "errors":
            if value.hasSuffix("%") { return Self.amount(value, [("%", 1)]).map { (.errorShare, $0) } }
            return Self.amount(value, [("", 1)]).map { (.errorCount, $0) }
        default: break
        }
        if let kind = FailureKind(rawValue: name) { return Self.amount(value, [("", 1)]).map { (.failures(kind), $0) } }
        guard name.hasPrefix("p"), let percentile = Double(name.dropFirst()), percentile > 0, percentile < 100,
            name.dropFirst().utf8.allSatisfy({ $0 == 46 || (48...57).contains($0) })
        else { return nil }
        return Self.amount(value, times).map { (.percentile(percentile), $0) }
    }

    private static let times: [(String, Double)] = [
        ("ms", 1), ("us", 0.001), ("µs", 0.001), ("min", 60_000), ("s", 1_000),
    ]
    private static let memories: [(String, Double)] = [
        ("KiB", 1_024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("B", 1),
    ]

    /// A number with one of the units.
    private static func amount(_ text: String, _ units: [(String, Double)]) -> Double? {
        for (unit, factor) in units where text.hasSuffix(unit) {
            let digits = text.dropLast(unit.count)
            guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 == 46 || (48...57).contains($0) }),
                let number = Double(digits), (number * factor).isFinite
            else { continue }
            return number * factor
        }
        return nil
    }
}
