import PrometheusText
import Synchronization

/// What a worker counts of its own traffic; exact, shared by all its connections.
final class TrafficCounters: Sendable {
    /// Why a connection was ended by us before its client was done.
    enum Timeout: Int, CaseIterable { case header, body }

    /// The counts at one moment.
    struct Counts: Sendable, Equatable {
        /// Answers whose end was handed to the kernel, by hundreds of the status code: index 1 is 1xx.
        var answered = [UInt64](repeating: 0, count: 10)
        var aborted: UInt64 = 0
        var inFlight = 0
        /// Answered requests by the time they took: below each of `durationBounds`, and above.
        var durations = [UInt64](repeating: 0, count: TrafficCounters.durationBounds.count + 1)
        var durationNanoseconds: UInt64 = 0
        var accepted: UInt64 = 0
        var connections = 0
        var cutRequests: UInt64 = 0
        var cutIdle: UInt64 = 0
        var timeouts = [UInt64](repeating: 0, count: Timeout.allCases.count)

        /// Requests answered, whatever the code.
        var answeredTotal: UInt64 { answered.reduce(0, +) }
    }

    /// Seconds.
    static let durationBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    private let counts = Mutex(Counts())

    /// The counts now.
    var snapshot: Counts { counts.withLock { $0 } }

    func connectionOpened() {
        counts.withLock {
            $0.accepted += 1
            $0.connections += 1
        }
    }

    func connectionClosed() { counts.withLock { $0.connections -= 1 } }

    func requestBegan() { counts.withLock { $0.inFlight += 1 } }

    /// An answer was handed to the kernel whole, so long after the request's head was read; nil for complaints about bytes
    /// that are no request.
    func answered(code: Int, after nanoseconds: UInt64?) {
        let place = nanoseconds.map { nanoseconds in
            Self.durationBounds.firstIndex { Double(nanoseconds) <= $0 * 1e9 } ?? Self.durationBounds.count
        }
        counts.withLock {
            $0.answered[min(max(code / 100, 0), 9)] += 1
            guard let place, let nanoseconds else { return }
            $0.inFlight -= 1
            $0.durations[place] += 1
            $0.durationNanoseconds &+= nanoseconds
        }
    }

    /// Requests that ended without a whole answer.
    func aborted(_ requests: Int) {
        counts.withLock {
            $0.aborted += UInt64(requests)
            $0.inFlight -= requests
        }
    }

    func timedOut(_ timeout: Timeout) { counts.withLock { $0.timeouts[timeout.rawValue] += 1 } }

    func cut(_ cut: ConnectionState.Cut) {
        counts.withLock {
            switch cut {
            case .request: $0.cutRequests += 1
            case .idle: $0.cutIdle += 1
            case .alreadyEnding: break
            }
        }
    }

    /// The counts as Prometheus text.
    func text(isDraining: Bool, processStart: Double?) -> String {
        let now = snapshot
        var writer = PrometheusText.Writer()
        writer.family("http_requests_total", .counter, help: "Requests answered whole, by class of status code.")
        for hundreds in 1...5 {
            writer.sample("http_requests_total", Double(now.answered[hundreds]), labels: [("code", "\(hundreds)xx")])
        }
        let others = now.answered[0] + now.answered[6...].reduce(0, +)
        if others > 0 {
            writer.sample("http_requests_total", Double(others), labels: [("code", "other")])
        }
        Self.write(now, to: &writer)
        writer.single(
            "http_requests_aborted_total", .counter, help: "Requests that ended without a whole answer.",
            value: Double(now.aborted))
        writer.single(
            "http_requests_in_flight", .gauge, help: "Requests read and not yet answered.", value: Double(now.inFlight))
        writer.single("http_connections", .gauge, help: "Connections open.", value: Double(now.connections))
        writer.single(
            "http_connections_accepted_total", .counter, help: "Connections accepted.", value: Double(now.accepted))
        writer.family("http_timeouts_total", .counter, help: "Connections ended because the client was too slow.")
        for timeout in TrafficCounters.Timeout.allCases {
            writer.sample(
                "http_timeouts_total", Double(now.timeouts[timeout.rawValue]), labels: [("waiting_for", "\(timeout)")])
        }
        writer.single("http_draining", .gauge, help: "1 while the worker drains.", value: isDraining ? 1 : 0)
        writer.family("http_drain_cuts_total", .counter, help: "Connections cut at the deadline of a drain.")
        writer.sample("http_drain_cuts_total", Double(now.cutRequests), labels: [("what", "request")])
        writer.sample("http_drain_cuts_total", Double(now.cutIdle), labels: [("what", "idle")])
        if let processStart {
            writer.single(
                "process_start_time_seconds", .gauge, help: "When the process started, seconds since 1970.",
                value: processStart)
        }
        return writer.text
    }

    private static func write(_ counts: Counts, to writer: inout PrometheusText.Writer) {
        let name = "http_request_duration_seconds"
        writer.family(name, .histogram, help: "Time from a request's head to the end of its answer.")
        var count: UInt64 = 0
        for (bound, added) in zip(durationBounds, counts.durations) {
            count += added
            writer.sample("\(name)_bucket", Double(count), labels: [("le", "\(bound)")])
        }
        let total = counts.durations.reduce(0, +)
        writer.sample("\(name)_bucket", Double(total), labels: [("le", "+Inf")])
        writer.sample("\(name)_sum", Double(counts.durationNanoseconds) / 1e9)
        writer.sample("\(name)_count", Double(total))
    }
}
