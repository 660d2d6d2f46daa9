package import OakumModel

/// Everything a diagnosis weighs: values, on one time axis, of one worker and of what it shares with others.
///
/// What is not known is left out (a signal without points, a nil), and then neither blamed nor ruled out.
///
/// How `oakum up` feeds it, every time a verdict becomes a leak, while an incident is open, or when asked:
/// - **axis**: `Uptime.seconds`; `until` is now, `from` at most 15 minutes earlier at one reading a second
///   (`HistoryStore.recent`), or hours at ten-second buckets; the window should hold a stretch from before the trouble.
/// - **from each `Sample`** (`HostReadings.sample`, once a second, `ProcSampler`): `.memory` from `anonymous` (else
///   `rss`), `.cpu` as `Signal.rate` of `cpuSeconds`, `.threads`; every ten seconds `.fileDescriptors`, and `.requests` as
///   `Signal.rate` of `requests`. A field that is nil gives no point. A recycled or respawned worker is another process:
///   join the lives of one slot and give their starts as `restarts`.
/// - **from `WorkerWatch`**: `verdict`, `leaks` as `heap`, `freshFloor` as `freshLevel`; the budget of the service.
/// - **from the worker's `/metrics`** (`AdminProbe`, every ten seconds, every two of workers that leak or are young):
///   `.latency` (sum by count of a histogram, or a quantile), `.errors` (share of 5xx), `.inFlight`, `.work` (rate of every
///   counter of its own, such as entries scanned), `.dependencyLatency` and `.dependencyErrors` by name, and
///   `caches`. Several workers: the sum of rates, the mean of shares and times, and this worker's own `.work` and caches.
/// - **from `ProcessReadings`**: `Pressure` of memory (also `/proc/pressure/cpu` and `io`, the same format) as `average10`;
///   `/proc/meminfo`'s MemAvailable by MemTotal as `.hostMemory`; `statvfs` of the volumes of logs and state as `.diskFree`;
///   `/proc/net/snmp`'s retransmitted by sent segments as `.network`.
/// - **from the journal**: `worker_started` after a `worker_exited` or a recycle as `restarts`; releases as `deploys` (`ServiceTrouble`).
/// - **from the log files**: every line of the worker to a `TemplateMiner` a service (`LogMining`), its `patterns` as `logs`.
///
/// Cost: O(points) to reduce, then O(1) a signal; 3 ms for 17 signals of 900 readings in a release build.
package struct Observations: Hashable, Sendable {
    /// More are left out, from the end of the list.
    package static let maximumSignals = 64
    package static let maximumPatterns = 1_024

    /// The window, seconds on the axis of the signals.
    package var from: Double
    package var until: Double
    package var signals: [Signal]
    /// When the worker's process began, within the window and before; nil when it is not known whether it did.
    package var restarts: [Double]?
    /// Nil when nobody tells of releases: none is then ruled out.
    package var deploys: [Deploy]?
    /// What `LeakDetection` holds the worker's memory to be; while a fresh process has no verdict yet, its predecessor's.
    package var verdict: Verdict?
    /// What its heap showed, the largest site first.
    package var heap: [HeapFinding]
    /// The memory the worker may hold.
    package var budget: ByteCount?
    /// What a fresh worker of this service holds once it serves; nil when none was seen.
    package var freshLevel: ByteCount?
    /// The most descriptors it may open (`RLIMIT_NOFILE`).
    package var descriptorLimit: Int?
    /// Caches that publish what they hold.
    package var caches: [CacheFill]
    /// Log lines by template.
    package var logs: [LogPattern]

    package init(
        from: Double, until: Double, signals: [Signal] = [], restarts: [Double]? = nil, deploys: [Deploy]? = nil,
        verdict: Verdict? = nil, heap: [HeapFinding] = [], budget: ByteCount? = nil, freshLevel: ByteCount? = nil,
        descriptorLimit: Int? = nil, caches: [CacheFill] = [], logs: [LogPattern] = []
    ) {
        self.from = from
        self.until = until
        self.signals = signals
        self.restarts = restarts
        self.deploys = deploys
        self.verdict = verdict
        self.heap = heap
        self.budget = budget
        self.freshLevel = freshLevel
        self.descriptorLimit = descriptorLimit
        self.caches = caches
        self.logs = logs
    }
}

/// A release that took the place of another.
package struct Deploy: Hashable, Sendable, Codable {
    package var seconds: Double
    package var release: String

    package init(seconds: Double, release: String) {
        self.seconds = seconds
        self.release = release
    }
}

/// A cache that publishes what it holds.
package struct CacheFill: Hashable, Sendable {
    package var name: String
    /// Bytes held, over time.
    package var points: [SeriesPoint]
    /// Nil: no bound in bytes.
    package var bound: ByteCount?
    /// Entries evicted a second; nil when it does not tell.
    package var evictionsPerSecond: Double?

    package init(name: String, points: [SeriesPoint], bound: ByteCount?, evictionsPerSecond: Double? = nil) {
        self.name = name
        self.points = points
        self.bound = bound
        self.evictionsPerSecond = evictionsPerSecond
    }
}
