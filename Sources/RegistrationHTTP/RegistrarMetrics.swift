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

    package enum ProfileRead: String, CaseIterable, Sendable {
        case answered, none, failed
    }

    package enum Logout: String, CaseIterable, Sendable {
        case ended, none, failed
    }

    private struct Counts: Sendable {
        var signUps: [SignUp: Int] = [:]
        var logins: [Login: Int] = [:]
        var sessionChecks: [SessionCheck: Int] = [:]
        var profileReads: [ProfileRead: Int] = [:]
        var logouts: [Logout: Int] = [:]
    }

    private let counts = Mutex(Counts())

    package init() {}

    func count(_ outcome: SignUp) { counts.withLock { $0.signUps[outcome, default: 0] += 1 } }
    func count(_ outcome: Login) { counts.withLock { $0.logins[outcome, default: 0] += 1 } }
    func count(_ outcome: SessionCheck) { counts.withLock { $0.sessionChecks[outcome, default: 0] += 1 } }
    func count(_ outcome: ProfileRead) { counts.withLock { $0.profileReads[outcome, default: 0] += 1 } }
    func count(_ outcome: Logout) { counts.withLock { $0.logouts[outcome, default: 0] += 1 } }

    /// The counters and what the hashing queue says, as Prometheus text. Every outcome is there from the start, at zero.
    package func text(_ hashing: HashingStatistics) -> String {
        let counts = counts.withLock { $0 }
        var writer = PrometheusText.Writer()
        Self.write(counts.signUps, "signups_total", "Sign-ups answered, by outcome.", to: &writer)
        Self.write(counts.logins, "logins_total", "Logins answered, by outcome.", to: &writer)
        Self.write(counts.sessionChecks, "session_checks_total", "Session checks answered, by outcome.", to: &writer)
        Self.write(counts.profileReads, "profile_reads_total", "Profiles answered, by outcome.", to: &writer)
        Self.write(counts.logouts, "logouts_total", "Logouts answered, by outcome.", to: &writer)
        Self.write(hashing, to: &writer)
        return writer.text
    }

    private static func write<Outcome: CaseIterable & RawRepresentable & Hashable>(
        _ counts: [Outcome: Int], _ name: String, _ help: String, to writer: inout PrometheusText.Writer
    ) where Outcome.RawValue == String {
        writer.family(name, .counter, help: help)
        for outcome in Outcome.allCases {
            writer.sample(name, Double(counts[outcome] ?? 0), labels: [("outcome", outcome.rawValue)])
        }
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
