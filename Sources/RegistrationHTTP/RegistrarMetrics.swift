internal import PrometheusText
internal import RegistrationCore
internal import Synchronization

/// Counters of the service's own, for `/metrics`. Fixed size.
package final class RegistrarMetrics: Sendable {
    package enum SignUp: String, CaseIterable, Sendable {
        case created, duplicate, invalid, busy, failed
    }

    package enum Login: String, CaseIterable, Sendable {
        case opened, refused, invalid, busy, failed
    }

    package enum SessionCheck: String, CaseIterable, Sendable {
        case live, none, failed
    }

    private struct Counts: Sendable {
        var signUps: [SignUp: Int] = [:]
        var logins: [Login: Int] = [:]
        var sessionChecks: [SessionCheck: Int] = [:]
    }

    private let counts = Mutex(Counts())

    package init() {}

    func count(_ outcome: SignUp) { counts.withLock { $0.signUps[outcome, default: 0] += 1 } }
    func count(_ outcome: Login) { counts.withLock { $0.logins[outcome, default: 0] += 1 } }
    func count(_ outcome: SessionCheck) { counts.withLock { $0.sessionChecks[outcome, default: 0] += 1 } }

    /// The counters and what the hashing queue says, as Prometheus text. Every outcome is there from the start, at zero.
    package func text(_ hashing: HashingStatistics) -> String {
        let counts = counts.withLock { $0 }
        var writer = PrometheusText.Writer()
        writer.family("signups_total", .counter, help: "Sign-ups answered, by outcome.")
        for outcome in SignUp.allCases {
            writer.sample(
                "signups_total", Double(counts.signUps[outcome] ?? 0), labels: [("outcome", outcome.rawValue)])
        }
        writer.family("logins_total", .counter, help: "Logins answered, by outcome.")
        for outcome in Login.allCases {
            writer.sample("logins_total", Double(counts.logins[outcome] ?? 0), labels: [("outcome", outcome.rawValue)])
        }
        writer.family("session_checks_total", .counter, help: "Session checks answered, by outcome.")
        for outcome in SessionCheck.allCases {
            writer.sample(
                "session_checks_total", Double(counts.sessionChecks[outcome] ?? 0),
                labels: [("outcome", outcome.rawValue)])
        }
        Self.write(hashing, to: &writer)
        return writer.text
    }

    private static func write(_ hashing: HashingStatistics, to writer: inout PrometheusText.Writer) {
        let gauges = [
            ("hash_slots", "Password hashes that may run at once.", hashing.slots),
            ("hash_running", "Password hashes running.", hashing.running),
            ("hash_waiters", "Requests waiting for a hash slot.", hashing.waiting),
            ("hash_waiting_room", "Requests that may wait at the present pace.", hashing.room),
        ]
        for (name, help, value) in gauges { writer.single(name, .gauge, help: help, value: Double(value)) }
        writer.family("hash_rejected_total", .counter, help: "Requests refused a hash slot, by lane and reason.")
        for lane in AdmissionQueue.Lane.allCases {
            for reason in AdmissionQueue.Refusal.allCases {
                let count = hashing.refused[.init(lane: lane, reason: reason)] ?? 0
                writer.sample(
                    "hash_rejected_total", Double(count), labels: [("lane", lane.name), ("reason", reason.name)])
            }
        }
        writer.single(
            "hash_cancelled_total", .counter, help: "Requests whose client left while they waited.",
            value: Double(hashing.cancelled))
        writer.single(
            "hash_unverifiable_total", .counter, help: "Stored hashes refused: malformed, or dearer than the limit.",
            value: Double(hashing.unverifiable))
        write(hashing.wait, "hash_wait_seconds", "Time from request to the start of its hash.", to: &writer)
        write(hashing.work, "hash_seconds", "Time of a hash.", to: &writer)
    }

    private static func write(
        _ histogram: DurationHistogram, _ name: String, _ help: String, to writer: inout PrometheusText.Writer
    ) {
        writer.family(name, .histogram, help: help)
        var count = 0
        for (index, bound) in DurationHistogram.bounds.enumerated() {
            count += histogram.counts[index]
            writer.sample("\(name)_bucket", Double(count), labels: [("le", "\(bound)")])
        }
        count += histogram.counts[DurationHistogram.bounds.count]
        writer.sample("\(name)_bucket", Double(count), labels: [("le", "+Inf")])
        writer.sample("\(name)_sum", histogram.total / .seconds(1))
        writer.sample("\(name)_count", Double(count))
    }
}

extension AdmissionQueue.Lane {
    fileprivate var name: String {
        switch self {
        case .login: "login"
        case .signUp: "signup"
        }
    }
}

extension AdmissionQueue.Refusal {
    fileprivate static let allCases: [Self] = [.full, .displaced, .expired, .closed]

    fileprivate var name: String {
        switch self {
        case .full: "full"
        case .displaced: "displaced"
        case .expired: "expired"
        case .closed: "closed"
        }
    }
}
