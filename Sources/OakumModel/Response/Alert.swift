/// What a condition is about. Raw values are stored and shown: added to, never renamed.
package enum AlertKind: String, Hashable, Sendable, Codable, CaseIterable {
    /// A worker's memory grows without a bound in sight.
    case memoryLeak = "memory_leak"
    /// Memory in use is near its limit, whatever the reason.
    case memory
    case errorRate = "error_rate"
    case latency
    /// Workers do not answer their probe.
    case unresponsive
    case cpu
    /// Pressure stall of the host.
    case pressure
    case fileDescriptors = "file_descriptors"
    /// Workers die and are started again.
    case restarts
    case outOfMemoryKill = "oom_kill"
    case disk
    /// Something the business counts (sign-ups, orders) is well below what is expected.
    case businessRate = "business_rate"
    /// What should be measured is not.
    case noData = "no_data"
    /// A page could not be delivered, or nobody is left to page.
    case delivery
    /// A diagnosis without a leak: a deploy that burns CPU, a slow dependency.
    case diagnosis
    /// Told by another system or a person.
    case outside
}

/// A condition that holds, or no longer holds, as told by whatever noticed it.
package struct Alert: Hashable, Sendable, Codable {
    package enum Source: String, Hashable, Sendable, Codable {
        case verdict
        case rule
        case intake
        case hand
    }

    package enum Status: String, Hashable, Sendable, Codable {
        case firing
        case resolved
    }

    package var source: Source
    package var status: Status
    /// Stable identity of the condition, at most 512 bytes: the same one told again is no news.
    package var fingerprint: String
    package var kind: AlertKind
    /// nil: of the host, or of nothing Oakum knows.
    package var service: String?
    package var severity: Severity
    /// One sentence, at most 1,024 bytes: "registrar/3 leaks 1.2 MiB/s; 255 MiB in 38 to 52 s".
    package var summary: String
    /// Since when it holds, as far as the source knows.
    package var since: Moment
    /// When it was told.
    package var at: Moment
    /// Further plain sentences with numbers, the most important first; at most 20.
    package var details: [String]
    /// Of the source: names and values, at most 64.
    package var labels: [String: String]
    /// What to do: an address of a document.
    package var runbook: String?
    /// Where it comes from, as an address.
    package var link: String?
    /// What is known of the cause when it is told.
    package var evidence: Evidence?
    /// More is being looked for right now (the heap): it is told again when that is known.
    package var awaitsEvidence = false
    /// What users or the business lose by it, measured; nil: not known, or nothing. One that has an end is over.
    package var impact: [Impact]?

    package init(
        source: Source, status: Status, fingerprint: String, kind: AlertKind, service: String? = nil,
        severity: Severity, summary: String, since: Moment, at: Moment, details: [String] = [],
        labels: [String: String] = [:], runbook: String? = nil, link: String? = nil, evidence: Evidence? = nil,
        impact: [Impact]? = nil
    ) {
        self.source = source
        self.status = status
        self.fingerprint = fingerprint
        self.kind = kind
        self.service = service
        self.severity = severity
        self.summary = summary
        self.since = since
        self.at = at
        self.details = details
        self.labels = labels
        self.runbook = runbook
        self.link = link
        self.evidence = evidence
        self.impact = impact
    }
}
