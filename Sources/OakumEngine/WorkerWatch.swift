package import Diagnosis
package import LeakDetection
package import OakumModel
package import Recycling

/// What is known of one process: its detector, its last samples, its verdict.
package struct WorkerWatch: Sendable {
    package let process: ProcessIdentity
    /// Nil when it was taken over: it had been running for some time.
    package let startedAt: Moment?
    package private(set) var verdict = Verdict(code: .notEnoughData)
    package private(set) var latest: Sample?
    package private(set) var cpuCores: Double?
    private var descriptors: (reading: DescriptorReading, at: Uptime)?
    /// The smallest resident set of the first samples after it began to serve: what a fresh worker holds.
    package private(set) var freshFloor: ByteCount?
    /// The same without file pages, where they are told apart: what a diagnosis compares its memory with.
    private var freshOwn: ByteCount?
    /// Since when it serves.
    package var servingSince: Uptime?
    private var detector: LeakDetector
    /// Whether memory that grows is that of requests which wait.
    private var surge = SurgeWatch()
    private let limit: ByteCount
    private var news = VerdictNews()
    private var samplesOverShare = 0
    private var freshSamples = 0
    /// What a look into its heap named.
    package private(set) var leaks: [HeapFinding] = []
    private var heapLook = HeapLook.notAsked
    /// Its whole life, for diagnoses.
    private var record = WorkerRecord()
    /// The latest one; nil while nothing was asked.
    package private(set) var diagnosis: Diagnosis?
    private var diagnosisAskedAt: Uptime?

    /// Where the look into its heap stands. There is one at most.
    private enum HeapLook: Hashable, Sendable {
        case notAsked
        case asked(Uptime)
        case answered
    }

    /// A recycle waits this long for the look into the heap, seconds, and not at all with this share of the budget used.
    private static let heapPatience = 10.0
    private static let heapShare = 0.97

    /// How many samples after the begin of serving make up `freshFloor`.
    private static let freshCount = 5

    package init(process: ProcessIdentity, startedAt: Moment?, limit: ByteCount, settings: DetectionSettings = .worker)
    {
        self.process = process
        self.startedAt = startedAt
        self.limit = limit
        self.detector = LeakDetector(settings: settings, limit: Double(limit.bytes))
    }

    /// Takes in what was sampled before `oakum` was started again.
    mutating func restore(_ samples: [Sample], trigger: RecycleTrigger) {
        for sample in samples { _ = add(sample, trigger: trigger) }
        news = VerdictNews()
        news.assume(verdict.code)
    }

    /// Takes in a sample. Returns true when the verdict is worth an event.
    package mutating func add(_ sample: Sample, trigger: RecycleTrigger) -> Bool {
        if let last = latest, sample.at <= last.at { return false }
        if let last = latest, let before = last.cpuSeconds, let now = sample.cpuSeconds, now >= before {
            cpuCores = (now - before) / (sample.at - last.at)
        }
        latest = sample
        record.add(sample)
        if servingSince != nil, freshSamples < Self.freshCount {
            freshSamples += 1
            freshFloor = min(freshFloor ?? sample.rss, sample.rss)
            let own = sample.anonymous ?? sample.rss
            freshOwn = min(freshOwn ?? own, own)
        }
        let share = Double(sample.rss.bytes) / Double(max(1, limit.bytes))
        samplesOverShare = share >= trigger.budgetShare ? samplesOverShare + 1 : 0
        // The budget is about the resident set, so the forecast is too.
        detector.add(SeriesPoint(seconds: sample.at.seconds, value: Double(sample.rss.bytes), work: sample.requests))
        surge.add(memory: Double(sample.rss.bytes))
        verdict = surge.judge(detector.verdict(), at: sample.at.seconds)
        return news.isNews(verdict.code, at: sample.at)
    }

    mutating func add(_ descriptors: DescriptorReading?, _ measures: ServiceMeasures?, at now: Uptime) {
        self.descriptors = descriptors.map { ($0, now) }
        if let underWay = measures?.inFlight { surge.add(underWay: underWay, at: now.seconds) }
        record.add(fileDescriptors: descriptors?.open, measures, at: now)
    }

    /// The latest count of its descriptors; nil when it is older than two rounds of counting.
    func descriptors(at now: Uptime) -> DescriptorReading? {
        guard let (reading, at) = descriptors, now - at <= Self.descriptorsAge else { return nil }
        return reading
    }

    /// They are counted every ten seconds at least.
    private static let descriptorsAge = 20.0

    /// Requests a second over its last readings.
    var requestRate: Double? { record.requestRate }

    /// Young or leaking: what it tells of itself is read more often.
    func isOfInterest(at now: Uptime) -> Bool {
        verdict.code == .leak || now.seconds - (record.begin ?? now.seconds) < Self.youthSeconds
    }

    private static let youthSeconds = 60.0
    /// A diagnosis is made anew so often while it leaks, seconds.
    private static let diagnosisInterval = 10.0

    /// True when it leaks and a diagnosis is due: at once, when its heap has answered, and every ten seconds.
    mutating func asksForDiagnosis(at now: Uptime) -> Bool {
        guard verdict.code == .leak else { return false }
        if let last = diagnosisAskedAt, now - last < Self.diagnosisInterval { return false }
        diagnosisAskedAt = now
        return true
    }

    mutating func diagnosed(_ diagnosis: Diagnosis) {
        self.diagnosis = diagnosis
    }

    /// Everything that is known of it now, and what is measured of the machine.
    func observations(machine: [Signal], until now: Uptime) -> Observations {
        Observations(
            from: record.begin ?? now.seconds, until: now.seconds, signals: record.signals + machine,
            restarts: [], verdict: verdict, heap: leaks, budget: limit, freshLevel: freshOwn,
            descriptorLimit: descriptors?.reading.limit, caches: record.caches)
    }

    /// True the first time: its heap is to be looked into now.
    mutating func asksForHeap(at now: Uptime) -> Bool {
        guard heapLook == .notAsked else { return false }
        heapLook = .asked(now)
        return true
    }

    /// - Returns: the same with what the worker's caches publish of themselves.
    mutating func heapAnswered(_ examination: HeapExamination) -> HeapExamination {
        heapLook = .answered
        diagnosisAskedAt = nil
        guard case .named(var findings) = examination else { return examination }
        for index in findings.indices { findings[index].cache = completed(findings[index].cache) }
        leaks = findings
        return .named(findings)
    }

    /// With what the cache of that name published last.
    func completed(_ cache: HoldingCache?) -> HoldingCache? {
        guard var cache, let told = record.cache(named: cache.name) else { return cache }
        cache.heldBytes = Int64(exactly: told.bytes.rounded())
        if let bound = told.bound.flatMap({ Int64(exactly: $0.rounded()) }) { cache.boundBytes = bound }
        return cache
    }

    /// Somebody looks into its heap, and there is still time to let them: after a recycle it is gone.
    func waitsForHeap(at now: Uptime) -> Bool {
        guard case .asked(let since) = heapLook, now - since < Self.heapPatience, let latest else { return false }
        return Double(latest.rss.bytes) < Self.heapShare * Double(limit.bytes)
    }

    /// Seconds to the early end of the forecast; nil when there is no leak.
    var leakForecast: Double? {
        verdict.code == .leak ? verdict.timeToLimit?.low : nil
    }

    /// Whether this worker should be replaced, and why in words; nil while it should not.
    ///
    /// - Parameter queue: seconds by which it must go earlier, because others go one by one.
    package func recycleRequest(number: UInt32, trigger: RecycleTrigger, queue: Double = 0) -> RecycleRequest? {
        guard servingSince != nil, let latest else { return nil }
        if let left = leakForecast, let forecast = verdict.timeToLimit, left <= trigger.lead + queue {
            let reason =
                "leak: \(latest.rss) of \(limit), the budget is reached in \(Words.interval(forecast)); "
                + "workers are replaced \(Words.seconds(trigger.lead)) ahead"
                + (queue > 0 ? ", earlier when several leak, as they go one by one" : "")
            return RecycleRequest(worker: number, cause: .leak, reason: reason)
        }
        if samplesOverShare >= 3 {
            let reason =
                "budget: \(latest.rss) of \(limit) for 3 samples, over \(Words.fixed(trigger.budgetShare * 100, 0)) %; "
                + "verdict \(Words.verdict(verdict.code))"
            return RecycleRequest(worker: number, cause: verdict.code == .leak ? .leak : .budget, reason: reason)
        }
        return nil
    }

    /// One sentence for tables: "leak: 0.8 MiB/s, budget reached in 41–52 s".
    package var summary: String {
        guard let fill = cacheFill else { return Words.summary(verdict) }
        let text = Words.summary(verdict)
        return text + (text.contains(":") ? ", " : ": ") + fill
    }

    /// "profiles cache at 63 % of its 256.0 MiB": what fills, when memory grows within bounds and the process publishes a
    /// bounded cache that holds a good part of it.
    private var cacheFill: String? {
        guard [.cacheFill, .warmUp].contains(verdict.code), let rss = latest?.rss else { return nil }
        let largest = record.fullestCache
        guard let largest, largest.bytes > Double(rss.bytes) / 16 else { return nil }
        let bound = ByteCount(Int64(largest.bound))
        return "\(largest.name) cache at \(Words.fixed(100 * largest.bytes / largest.bound, 0)) % of its \(bound)"
    }
}
