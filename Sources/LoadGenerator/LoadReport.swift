package import OakumModel

/// What a load run measured. Latency counts from the scheduled time, so that a stall of the service shows in full.
package struct LoadReport: Hashable, Sendable, Codable {
    /// When the schedule started; seconds elsewhere in the report count from here.
    package var startedAt: Uptime
    package var seconds: Double
    /// Requests that were sent or would have been refused: all scheduled ones but `not_sent`.
    package var requests: UInt64
    package var failed: UInt64
    package var failures: FailureCounts
    /// When the first failed request was seen to fail; nil when none did.
    package var firstFailureSeconds: Double?
    package var lastFailureSeconds: Double?
    /// Of answered and timed out requests; nil when there was none.
    package var latency: LatencySummary?
    /// The worst 99th percentile of any one record of `timeline`, in milliseconds.
    package var worstP99Milliseconds: Double?
    package var statuses: [Int: UInt64]
    package var streams: [StreamReport]
    package var timeline: [LoadSecond]
    /// Seconds one record of `timeline` spans: 1 until a run outgrows its 7,200 records, then 2, 4, …
    package var timelineResolutionSeconds: Int
    package var connectionsOpened: UInt64
    /// Share of requests that the generator sent more than 50 ms after their time.
    package var lateShare: Double
    /// The 99th percentile of how late the generator sent, in milliseconds; nil when nothing was due.
    package var sendDelayP99Milliseconds: Double?
    /// Processor time of the generator's thread by wall time: near 1, and the rate is its own limit.
    package var busyShare: Double?
    /// Share of the time in which the generator was ready and another process had the processor.
    package var waitShare: Double?
    package var bytesReceived: UInt64?
    /// Requests that had to wait because all connections were busy; the wait is part of their latency.
    package var waited: UInt64?
    /// The schedule was ended before its time.
    package var endedEarly: Bool?
    /// Latencies of all streams, for percentiles beyond those of `latency`.
    package var distribution: LatencyDistribution?
    /// The first failures in words, at most 20.
    package var notes: [String]
    /// Why this run is no evidence (the generator could not keep up); nil when it is.
    package var noEvidence: String?

    private enum CodingKeys: String, CodingKey {
        case requests, failed, latency, statuses, streams, timeline, notes
        case startedAt = "started_uptime_s"
        case seconds = "duration_s"
        case failures = "failed_by_kind"
        case firstFailureSeconds = "first_failure_s"
        case lastFailureSeconds = "last_failure_s"
        case worstP99Milliseconds = "worst_p99_ms"
        case timelineResolutionSeconds = "timeline_resolution_s"
        case connectionsOpened = "connections_opened"
        case lateShare = "late_share"
        case sendDelayP99Milliseconds = "send_delay_p99_ms"
        case busyShare = "generator_busy_share"
        case waitShare = "generator_wait_share"
        case bytesReceived = "received_bytes"
        case waited = "waited_for_connection"
        case endedEarly = "ended_early"
        case noEvidence = "no_evidence"
    }

    package init(
        startedAt: Uptime, seconds: Double, requests: UInt64, failed: UInt64, failures: FailureCounts,
        firstFailureSeconds: Double?, lastFailureSeconds: Double?, latency: LatencySummary?,
        worstP99Milliseconds: Double?, statuses: [Int: UInt64] = [:], streams: [StreamReport] = [],
        timeline: [LoadSecond] = [], timelineResolutionSeconds: Int = 1, connectionsOpened: UInt64 = 0,
        lateShare: Double = 0, notes: [String] = [], noEvidence: String? = nil
    ) {
        self.startedAt = startedAt
        self.seconds = seconds
        self.requests = requests
        self.failed = failed
        self.failures = failures
        self.firstFailureSeconds = firstFailureSeconds
        self.lastFailureSeconds = lastFailureSeconds
        self.latency = latency
        self.worstP99Milliseconds = worstP99Milliseconds
        self.statuses = statuses
        self.streams = streams
        self.timeline = timeline
        self.timelineResolutionSeconds = timelineResolutionSeconds
        self.connectionsOpened = connectionsOpened
        self.lateShare = lateShare
        self.notes = notes
        self.noEvidence = noEvidence
    }
}

/// Percentiles in milliseconds, within 0.1 %.
package struct LatencySummary: Hashable, Sendable, Codable {
    package var p50: Double
    package var p90: Double
    package var p99: Double
    package var p999: Double
    package var max: Double
    package var mean: Double

    package init(p50: Double, p90: Double, p99: Double, p999: Double, max: Double, mean: Double) {
        self.p50 = p50
        self.p90 = p90
        self.p99 = p99
        self.p999 = p999
        self.max = max
        self.mean = mean
    }

    private enum CodingKeys: String, CodingKey {
        case p50 = "p50_ms"
        case p90 = "p90_ms"
        case p99 = "p99_ms"
        case p999 = "p999_ms"
        case max = "max_ms"
        case mean = "mean_ms"
    }
}

/// One stream of the plan.
package struct StreamReport: Hashable, Sendable, Codable {
    package var name: String
    package var requests: UInt64
    package var failed: UInt64
    package var latency: LatencySummary?
    /// Answers by status.
    package var statuses: [Int: UInt64]?
    /// Of this stream alone; not part of the JSON.
    package var distribution: LatencyDistribution?

    package init(name: String, requests: UInt64, failed: UInt64, latency: LatencySummary?) {
        self.name = name
        self.requests = requests
        self.failed = failed
        self.latency = latency
    }

    private enum CodingKeys: String, CodingKey {
        case name, requests, failed, latency, statuses
    }
}

/// Requests that ended within one stretch of the run.
package struct LoadSecond: Hashable, Sendable, Codable {
    /// When the stretch began, in seconds after the start.
    package var second: Int
    package var requests: UInt64
    package var failures: FailureCounts
    /// Nil when nothing was answered in this stretch.
    package var p99Milliseconds: Double?
    package var p50Milliseconds: Double?
    package var maxMilliseconds: Double?

    package init(
        second: Int, requests: UInt64, failures: FailureCounts, p99Milliseconds: Double?,
        p50Milliseconds: Double? = nil, maxMilliseconds: Double? = nil
    ) {
        self.second = second
        self.requests = requests
        self.failures = failures
        self.p99Milliseconds = p99Milliseconds
        self.p50Milliseconds = p50Milliseconds
        self.maxMilliseconds = maxMilliseconds
    }

    private enum CodingKeys: String, CodingKey {
        case second, requests
        case p50Milliseconds = "p50_ms"
        case maxMilliseconds = "max_ms"
        case failures = "failed_by_kind"
        case p99Milliseconds = "p99_ms"
    }
}

/// Where a run stands, for progress. At most a quarter of a second old.
package struct LoadSnapshot: Hashable, Sendable {
    package enum Phase: Hashable, Sendable {
        case waiting
        case preparing(done: Int, of: Int)
        case sending
        case finished
    }

    package var phase = Phase.waiting
    /// When the schedule started; nil before.
    package var startedAt: Uptime?
    package var seconds = 0.0
    package var requests: UInt64 = 0
    package var failed: UInt64 = 0
    /// Requests that were answered as expected, by stream, in the plan's order.
    package var answered: [UInt64] = []
    package var failures = FailureCounts()
    package var firstFailureSeconds: Double?
    package var inFlight = 0
    package var openConnections = 0
    /// Of a closed loop.
    package var users = 0
    /// Of the last full second.
    package var p99Milliseconds: Double?

    package init() {}
}
