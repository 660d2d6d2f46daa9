/// One reading of one worker. A field that could not be read is nil, never zero.
package struct Sample: Hashable, Sendable, Codable {
    package var at: Uptime
    /// Resident set, `/proc/PID/statm` field 2.
    package var rss: ByteCount
    /// Resident set without file pages (`statm` field 2 − field 3): what a leak grows.
    package var anonymous: ByteCount?
    /// User and system time since the process started, in seconds.
    package var cpuSeconds: Double?
    package var threads: Int?
    package var fileDescriptors: Int?
    /// Requests answered since the process started, as the service itself counts them.
    package var requests: Double?

    package init(
        at: Uptime, rss: ByteCount, anonymous: ByteCount? = nil, cpuSeconds: Double? = nil, threads: Int? = nil,
        fileDescriptors: Int? = nil, requests: Double? = nil
    ) {
        self.at = at
        self.rss = rss
        self.anonymous = anonymous
        self.cpuSeconds = cpuSeconds
        self.threads = threads
        self.fileDescriptors = fileDescriptors
        self.requests = requests
    }

    private enum CodingKeys: String, CodingKey {
        case at = "uptime_s"
        case rss = "rss_bytes"
        case anonymous = "anon_bytes"
        case cpuSeconds = "cpu_seconds"
        case threads
        case fileDescriptors = "open_fds"
        case requests = "requests_total"
    }
}

/// One point of a recorded or live series: what `LeakDetection` reads.
package struct SeriesPoint: Hashable, Sendable {
    /// Seconds from any fixed origin; never decreasing within a series.
    package var seconds: Double
    /// Bytes, or percent of the limit: the series says which.
    package var value: Double
    /// Work done so far (requests), cumulative; nil when unknown.
    package var work: Double?

    package init(seconds: Double, value: Double, work: Double? = nil) {
        self.seconds = seconds
        self.value = value
        self.work = work
    }
}
