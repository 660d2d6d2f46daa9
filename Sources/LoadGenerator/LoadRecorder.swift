import Histogram
import OakumModel

/// How one request ended.
enum RequestOutcome: Hashable {
    case answered(status: Int)
    /// `status` when there was an answer at all.
    case failed(FailureKind, status: Int?, detail: String)
}

/// Counts what happened. Pure: times come in. Bounded: one histogram a stream and one for the running second, a
/// timeline (stretches without an ending request are left out) of at most `timelineCapacity` records (then pairs of
/// records are merged and each spans twice the time), 20 notes.
struct LoadRecorder {
    static let timelineCapacity = 7_200
    static let noteLimit = 20
    /// A send later than this after its time is the generator's fault.
    static let lateNanoseconds: Int64 = 50_000_000
    /// More late sends than this share, and the run says nothing about the service.
    static let lateShareLimit = 0.01

    private struct Stream {
        var name: String
        var requests: UInt64 = 0
        var failed: UInt64 = 0
        var latency: Histogram<UInt64>
        var statuses = [UInt64](repeating: 0, count: 600)

        var report: StreamReport {
            var report = StreamReport(name: name, requests: requests, failed: failed, latency: summary(of: latency))
            report.distribution = LatencyDistribution(histogram: latency)
            report.statuses = counted(statuses)
            return report
        }
    }

    /// With more streams than that their histograms are within 1 % instead of 0.1 %, and an eighth as large.
    private static let preciseStreams = 100

    private var streams: [Stream]
    private var timeline: [LoadSecond] = []
    private var resolution = 1
    private var running = LoadSecond(second: 0, requests: 0, failures: FailureCounts(), p99Milliseconds: nil)
    private var runningLatency = makeHistogram(.two)
    private var lastP99: Double?
    private(set) var requests: UInt64 = 0
    private(set) var failures = FailureCounts()
    private(set) var firstFailure: Double?
    private var lastFailure: Double?
    private var latency = makeHistogram(.three)
    private var dispatched: UInt64 = 0
    private var late: UInt64 = 0
    private var sendDelay = makeHistogram(.two)
    private var notes: [String] = []
    var connectionsOpened: UInt64 = 0
    var bytesReceived: UInt64 = 0
    /// Requests that had to wait for a connection.
    var waited: UInt64 = 0
    var effort: ThreadEffort?

    init(streamNames: [String]) {
        let digits = streamNames.count > Self.preciseStreams ? SignificantDigits.two : .three
        streams = streamNames.map { Stream(name: $0, latency: makeHistogram(digits)) }
    }

    /// What has been counted so far.
    var snapshot: LoadSnapshot {
        var snapshot = LoadSnapshot()
        snapshot.requests = requests
        snapshot.answered = answered
        snapshot.failures = failures
        snapshot.failed = failures.failed
        snapshot.firstFailureSeconds = firstFailure
        snapshot.p99Milliseconds = lastP99
        return snapshot
    }

    /// Requests that were answered as expected, by stream.
    var answered: [UInt64] { streams.map { $0.requests - $0.failed } }

    /// The generator took up a request so many nanoseconds after its time.
    mutating func dispatched(lateBy nanoseconds: Int64) {
        dispatched += 1
        sendDelay.record(min(max(UInt64(clamping: nanoseconds / 1000), 1), histogramLimit))
        if nanoseconds > Self.lateNanoseconds { late += 1 }
    }

    /// A request of `stream` ended `seconds` after the start, `latency` nanoseconds after its scheduled time.
    mutating func ended(stream: Int, _ outcome: RequestOutcome, latency nanoseconds: Int64, at seconds: Double) {
        advance(to: seconds)
        if case .failed(let kind, let status, let detail) = outcome {
            failures[kind] += 1
            running.failures[kind] += 1
            note(seconds, streams[stream].name, kind, status, detail)
            if kind == .notSent { return }
            firstFailure = firstFailure ?? seconds
            lastFailure = seconds
            streams[stream].failed += 1
        }
        requests += 1
        running.requests += 1
        streams[stream].requests += 1
        if let status = outcome.status, (0..<600).contains(status) { streams[stream].statuses[status] += 1 }
        guard outcome.hasLatency else { return }
        let microseconds = min(max(UInt64(clamping: nanoseconds / 1000), 1), histogramLimit)
        streams[stream].latency.record(microseconds)
        latency.record(microseconds)
        runningLatency.record(microseconds)
    }

    /// Closes the records that ended before `seconds`.
    mutating func advance(to seconds: Double) {
        let now = Int(seconds)
        guard now >= running.second + resolution else { return }
        closeRunning()
        running.second = now - now % resolution
    }

    private mutating func closeRunning() {
        if runningLatency.totalCount > 0 {
            running.p99Milliseconds = Double(runningLatency.valueAtPercentile(99)) / 1000
            running.p50Milliseconds = Double(runningLatency.valueAtPercentile(50)) / 1000
            running.maxMilliseconds = Double(runningLatency.max) / 1000
            runningLatency.reset()
        }
        lastP99 = running.p99Milliseconds
        if running.requests > 0 || running.failures != FailureCounts() { append(running) }
        running = LoadSecond(
            second: running.second + resolution, requests: 0, failures: FailureCounts(), p99Milliseconds: nil)
        while timeline.count >= Self.timelineCapacity { halveTimeline() }
    }

    /// Halving the timeline may have cut a record in two: what ended later in its stretch belongs to it.
    private mutating func append(_ record: LoadSecond) {
        guard let last = timeline.indices.last, timeline[last].second == record.second else {
            return timeline.append(record)
        }
        timeline[last].add(record)
    }

    private mutating func halveTimeline() {
        resolution *= 2
        let records = timeline
        timeline.removeAll(keepingCapacity: true)
        for var record in records {
            record.second -= record.second % resolution
            append(record)
        }
    }

    private mutating func note(_ seconds: Double, _ name: String, _ kind: FailureKind, _ status: Int?, _ detail: String)
    {
        guard notes.count < Self.noteLimit else { return }
        let tenths = Int64((seconds * 10).rounded())
        let answer = status.map { " (status \($0))" } ?? ""
        notes.append("\(tenths / 10).\(tenths % 10) s: \(name) \(kind.rawValue)\(answer): \(detail)")
    }

    /// The report of a run that took `seconds`.
    mutating func report(startedAt: Uptime, seconds: Double, endedEarly: Bool = false) -> LoadReport {
        advance(to: seconds)
        closeRunning()
        var report = LoadReport(
            startedAt: startedAt, seconds: seconds, requests: requests, failed: failures.failed, failures: failures,
            firstFailureSeconds: firstFailure, lastFailureSeconds: lastFailure, latency: summary(of: latency),
            worstP99Milliseconds: timeline.compactMap(\.p99Milliseconds).max(), statuses: statusCounts,
            streams: streams.map(\.report), timeline: timeline, timelineResolutionSeconds: resolution,
            connectionsOpened: connectionsOpened, lateShare: lateShare, notes: notes, noEvidence: noEvidence)
        report.distribution = LatencyDistribution(histogram: latency)
        report.bytesReceived = bytesReceived
        report.waited = waited
        report.endedEarly = endedEarly ? true : nil
        report.busyShare = effort?.busyShare
        report.waitShare = effort?.waitShare
        if sendDelay.totalCount > 0 {
            report.sendDelayP99Milliseconds = Double(sendDelay.valueAtPercentile(99)) / 1000
        }
        return report
    }

    private var statusCounts: [Int: UInt64] {
        counted(
            streams.reduce(into: [UInt64](repeating: 0, count: 600)) { sums, stream in
                for status in sums.indices { sums[status] += stream.statuses[status] }
            })
    }

    private var lateShare: Double { dispatched == 0 ? 0 : Double(late) / Double(dispatched) }

    private var noEvidence: String? {
        if failures[.notSent] > 0 {
            return "the generator could not send \(failures[.notSent]) requests: \(notes.first ?? "no detail")"
        }
        if dispatched == 0 { return "no request was scheduled" }
        guard lateShare > Self.lateShareLimit else { return nil }
        let percent = (lateShare * 1000).rounded() / 10
        return "the generator sent \(percent) % of the requests more than 50 ms late: give it more CPU, or ask for less"
    }
}

extension RequestOutcome {
    var status: Int? {
        switch self {
        case .answered(let status): status
        case .failed(_, let status, _): status
        }
    }

    /// A refused or broken request has no latency, and would make a failing service look fast.
    var hasLatency: Bool {
        if case .failed(.timedOut, _, _) = self { return true }
        return status != nil
    }
}

private func counted(_ statuses: [UInt64]) -> [Int: UInt64] {
    var counts: [Int: UInt64] = [:]
    for (status, count) in statuses.enumerated() where count > 0 { counts[status] = count }
    return counts
}

extension LoadSecond {
    fileprivate mutating func add(_ other: LoadSecond) {
        requests += other.requests
        failures.add(other.failures)
        p99Milliseconds = worse(p99Milliseconds, other.p99Milliseconds)
        p50Milliseconds = worse(p50Milliseconds, other.p50Milliseconds)
        maxMilliseconds = worse(maxMilliseconds, other.maxMilliseconds)
    }
}

private func worse(_ first: Double?, _ second: Double?) -> Double? {
    [first, second].compactMap(\.self).max()
}

/// One hour in microseconds.
private let histogramLimit: UInt64 = 3_600_000_000

private func makeHistogram(_ digits: SignificantDigits) -> Histogram<UInt64> {
    Histogram(highestTrackableValue: histogramLimit, numberOfSignificantValueDigits: digits)
}

private func summary(of histogram: Histogram<UInt64>) -> LatencySummary? {
    guard histogram.totalCount > 0 else { return nil }
    func milliseconds(_ percentile: Double) -> Double {
        Double(histogram.valueAtPercentile(percentile)) / 1000
    }
    return LatencySummary(
        p50: milliseconds(50), p90: milliseconds(90), p99: milliseconds(99), p999: milliseconds(99.9),
        max: Double(histogram.max) / 1000, mean: histogram.mean / 1000)
}
