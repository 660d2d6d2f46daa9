/// How a request failed, seen from the client. Raw values are part of the JSON: added to, never renamed.
package enum FailureKind: String, Hashable, Sendable, Codable, CaseIterable {
    /// Nobody accepted the connection (`ECONNREFUSED`, unreachable).
    case refused
    /// The connection was reset while the request was under way (`ECONNRESET`, `EPIPE`).
    case reset
    /// The connection ended before the answer was complete.
    case closedEarly = "closed_early"
    /// No complete answer within the plan's timeout, counted from the scheduled time.
    case timedOut = "timed_out"
    /// Answered 500...599, except 503.
    case http5xx = "http_5xx"
    /// Answered 503.
    case http503 = "http_503"
    /// What came back is not HTTP/1.1, or more came than was asked.
    case protocolError = "protocol_error"
    /// A complete answer that is not the expected one.
    case wrongAnswer = "wrong_answer"
    /// The generator itself could not send it: no descriptors or ports left, or its bounded queue was full. Says
    /// nothing about the service, and is not part of `failed`.
    case notSent = "not_sent"
}

/// Counts by kind.
package struct FailureCounts: Hashable, Sendable {
    private var counts: [FailureKind: UInt64] = [:]

    package init() {}

    package subscript(kind: FailureKind) -> UInt64 {
        get { counts[kind, default: 0] }
        set { counts[kind] = newValue == 0 ? nil : newValue }
    }

    /// All failures of the service: everything but `notSent`.
    package var failed: UInt64 {
        counts.reduce(0) { $1.key == .notSent ? $0 : $0 + $1.value }
    }

    package mutating func add(_ other: FailureCounts) {
        for (kind, count) in other.counts { counts[kind, default: 0] += count }
    }
}

extension FailureCounts: Codable {
    private struct Name: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Name.self)
        for key in container.allKeys {
            guard let kind = FailureKind(rawValue: key.stringValue) else { continue }
            counts[kind] = try container.decode(UInt64.self, forKey: key)
        }
    }

    /// Only kinds that happened are written.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Name.self)
        for kind in FailureKind.allCases {
            guard let count = counts[kind] else { continue }
            try container.encode(count, forKey: Name(stringValue: kind.rawValue))
        }
    }
}

extension FailureCounts: CustomStringConvertible {
    /// "12 refused, 3 reset", in the order of the kinds; "none" when empty.
    package var description: String {
        let parts = FailureKind.allCases.compactMap { kind in counts[kind].map { "\($0) \(kind.rawValue)" } }
        return parts.isEmpty ? "none" : parts.joined(separator: ", ")
    }
}
