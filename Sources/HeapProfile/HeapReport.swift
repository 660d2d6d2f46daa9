package import OakumModel

/// What `oakum heap --json` prints: docs/heap-profile.md describes it. Fields may be added, never renamed; one that is not
/// known is absent.
package struct HeapReport: Hashable, Sendable, Codable {
    package var process: Process
    package var mode: SamplingMode
    package var meanBytes: UInt64
    /// Since sampling began.
    package var observedSeconds: Double
    /// "running", or why the sampler stopped.
    package var state: String
    /// By the allocator's own count.
    package var bytesInUse: Int64?
    package var liveBytes: Estimate
    package var liveBlocks: Estimate
    package var samples: Int
    package var confidence: Double
    package var notes: [String]
    /// Of the whole heap, where an earlier image was compared.
    package var growthBytes: Estimate?
    package var sites: [SiteReport]
    /// Sites that `limit` left out.
    package var sitesLeftOut: Int

    package struct Process: Hashable, Sendable, Codable {
        package var pid: Int32
        package var startTicks: UInt64
        package var executable: String
        package var samplerVersion: String

        private enum CodingKeys: String, CodingKey {
            case pid, executable
            case startTicks = "start_ticks"
            case samplerVersion = "sampler_version"
        }
    }

    private enum CodingKeys: String, CodingKey {
        case process, mode, state, samples, confidence, notes, sites
        case meanBytes = "mean_bytes"
        case observedSeconds = "observed_s"
        case bytesInUse = "bytes_in_use"
        case liveBytes = "live_bytes"
        case liveBlocks = "live_blocks"
        case growthBytes = "growth_bytes"
        case sitesLeftOut = "sites_left_out"
    }
}

/// One site of the report.
package struct SiteReport: Hashable, Sendable, Codable {
    /// "function (file:line)".
    package var site: String
    package var fingerprint: String
    package var survivesRebuild: Bool
    package var role: String?
    /// The type with most live bytes.
    package var type: String?
    package var types: [TypeReport]
    package var liveBytes: Estimate
    package var liveBlocks: Estimate
    package var samples: Int
    /// Of all live bytes, 0 to 1.
    package var share: Double
    package var growthBytes: Estimate?
    package var verdict: SiteVerdictCode
    package var reason: String
    package var leakBytesPerSecond: Estimate?
    package var survival: SurvivalReport?
    package var stacks: [StackReport]
    /// The bounded cache that most of its blocks are entries of, where somebody looked.
    package var cache: HoldingCache?

    private enum CodingKeys: String, CodingKey {
        case site, fingerprint, role, type, types, samples, share, verdict, reason, survival, stacks, cache
        case survivesRebuild = "survives_rebuild"
        case liveBytes = "live_bytes"
        case liveBlocks = "live_blocks"
        case growthBytes = "growth_bytes"
        case leakBytesPerSecond = "leak_bytes_per_s"
    }
}

package struct TypeReport: Hashable, Sendable, Codable {
    package var type: String
    package var bytes: Double
    package var samples: Int
}

package struct SurvivalReport: Hashable, Sendable, Codable {
    /// Of its bytes, the share that outlives the horizon, 0 to 1.
    package var neverFreed: Estimate
    package var horizonSeconds: Double
    package var medianSeconds: Double?
    package var freedSamples: Int
    package var liveSamples: Int
    package var freedBytes: Double
    package var curve: [Point]

    package struct Point: Hashable, Sendable, Codable {
        package var seconds: Double
        package var share: Estimate
    }

    private enum CodingKeys: String, CodingKey {
        case curve
        case neverFreed = "never_freed_share"
        case horizonSeconds = "horizon_s"
        case medianSeconds = "median_s"
        case freedSamples = "freed_samples"
        case liveSamples = "live_samples"
        case freedBytes = "freed_bytes"
    }
}

package struct StackReport: Hashable, Sendable, Codable {
    package var bytes: Double
    package var blocks: Double
    package var quality: StackQuality
    package var frames: [FrameReport]
}

package struct FrameReport: Hashable, Sendable, Codable {
    package var function: String
    package var file: String?
    package var line: Int?
    package var module: String?
    package var inlined: Bool
}

// MARK: - From a profile

extension HeapReport {
    /// - Parameters:
    ///   - growth: adds what changed since an earlier image; sites then stand by growth.
    ///   - limit: at most so many sites.
    ///   - stacksPerSite: the largest ones.
    package init(_ profile: HeapProfile, growth: HeapGrowth? = nil, limit: Int = 100, stacksPerSite: Int = 3) {
        let image = profile.image
        process = Process(
            pid: image.process.identity.pid, startTicks: image.process.identity.startTicks,
            executable: image.process.executable, samplerVersion: image.process.samplerVersion)
        mode = image.mode
        meanBytes = image.meanBytes
        observedSeconds = max(0, image.observed - image.process.samplingSince)
        switch image.state {
        case .running: state = "running"
        case .stopped(let reason): state = reason
        }
        bytesInUse = image.bytesInUse
        liveBytes = profile.total.bytes
        liveBlocks = profile.total.blocks
        samples = profile.total.samples
        confidence = profile.confidence
        notes = profile.notes
        growthBytes = growth?.total
        let grown = growth?.sites.map { ($0.after ?? $0.before, Optional($0.bytes), $0.after == nil) }
        let rows = grown ?? profile.sites.map { ($0, nil, false) }
        sites = rows.prefix(max(0, limit)).compactMap { site, growth, isGone in
            site.map { SiteReport(isGone ? $0.emptied : $0, growth: growth, stacks: stacksPerSite) }
        }
        sitesLeftOut = max(0, rows.count - sites.count)
    }
}

extension Site {
    /// The site of an earlier image that holds nothing any more.
    fileprivate var emptied: Site {
        let none = Estimate(estimate: 0, low: 0, high: 0)
        return Site(
            fingerprint: fingerprint, frame: frame, role: role, label: label,
            live: SampledTotal(samples: 0, bytes: none, blocks: none), share: 0,
            verdict: SiteVerdict(code: .turnsOver, reason: "nothing of it is left"))
    }
}

extension SiteReport {
    init(_ site: Site, growth: Estimate?, stacks: Int) {
        self.site = site.label
        fingerprint = site.fingerprint.text
        survivesRebuild = site.fingerprint.survivesRebuild
        role = site.role?.word
        type = site.types.first?.type
        types = site.types.map { TypeReport(type: $0.type, bytes: $0.bytes, samples: $0.samples) }
        liveBytes = site.live.bytes
        liveBlocks = site.live.blocks
        samples = site.live.samples
        share = site.share
        growthBytes = growth
        verdict = site.verdict.code
        reason = site.verdict.reason
        leakBytesPerSecond = site.verdict.leakBytesPerSecond
        survival = site.survival.map(SurvivalReport.init)
        self.stacks = site.stacks.prefix(max(0, stacks)).map(StackReport.init)
    }
}

extension SurvivalReport {
    init(_ survival: Survival) {
        neverFreed = survival.neverFreed
        horizonSeconds = survival.horizonSeconds
        medianSeconds = survival.medianSeconds
        freedSamples = survival.freedSamples
        liveSamples = survival.liveSamples
        freedBytes = survival.freedBytes
        curve = survival.curve.map { Point(seconds: $0.seconds, share: $0.share) }
    }
}

extension StackReport {
    init(_ stack: SiteStack) {
        bytes = stack.bytes
        blocks = stack.blocks
        quality = stack.quality
        frames = stack.shown.map { frame in
            FrameReport(
                function: frame.function, file: frame.file, line: frame.line,
                module: frame.module.isEmpty ? nil : frame.module, inlined: frame.isInlined)
        }
    }
}

extension FrameRole {
    /// In reports.
    package var word: String {
        switch self {
        case .own: "own"
        case .dependency: "dependency"
        case .runtime: "runtime"
        case .glue: "glue"
        case .allocator: "allocator"
        }
    }
}
