package import OakumModel

/// What the sampler's shared file says at one moment: the sampled blocks that are alive, and how long the others lived.
///
/// A value without symbols or types: those come from outside (`HeapProfile`). Records refer to stacks by their index in
/// `stacks`; every index in `live` and `freed` is valid.
package struct HeapImage: Hashable, Sendable {
    package var process: SampledProcess
    package var mode: SamplingMode
    /// Mean distance of two samples in bytes; 1 in exact mode.
    package var meanBytes: UInt64
    /// Bytes the program holds from its allocator, by the sampler's own count: of every block, not of samples alone.
    package var bytesInUse: Int64
    package var counters: SamplerCounters
    package var state: SamplerState
    /// When the image was true, on the clock of `AllocationRecord.born`: live blocks have reached the age that they had
    /// then. For a process that is gone this is its last sign of life, not the time of reading.
    package var observed: Uptime
    package var modules: [LoadedModule]
    package var stacks: [StackTrace]
    package var live: [AllocationRecord]
    package var freed: [FreedLifetimes]
    package var skipped: SkippedRecords

    package init(
        process: SampledProcess, mode: SamplingMode, meanBytes: UInt64, bytesInUse: Int64,
        counters: SamplerCounters = SamplerCounters(), state: SamplerState = .running, observed: Uptime,
        modules: [LoadedModule] = [], stacks: [StackTrace] = [], live: [AllocationRecord] = [],
        freed: [FreedLifetimes] = [], skipped: SkippedRecords = SkippedRecords()
    ) {
        self.process = process
        self.mode = mode
        self.meanBytes = meanBytes
        self.bytesInUse = bytesInUse
        self.counters = counters
        self.state = state
        self.observed = observed
        self.modules = modules
        self.stacks = stacks
        self.live = live
        self.freed = freed
        self.skipped = skipped
    }
}

/// Which blocks the sampler records.
package enum SamplingMode: String, Hashable, Sendable, Codable {
    /// Each byte with the same small probability, so a block of `size` bytes with 1 − e^(−size / mean).
    case sampled
    /// Every block.
    case exact
}

/// The process that the sampler is loaded into.
package struct SampledProcess: Hashable, Sendable {
    package var identity: ProcessIdentity
    /// When the sampler began to record: what was allocated before is not in the image.
    package var samplingSince: Uptime
    package var executable: String
    package var samplerVersion: String

    package init(
        identity: ProcessIdentity, samplingSince: Uptime, executable: String, samplerVersion: String = ""
    ) {
        self.identity = identity
        self.samplingSince = samplingSince
        self.executable = executable
        self.samplerVersion = samplerVersion
    }
}

/// What the sampler counted about itself since it began.
package struct SamplerCounters: Hashable, Sendable {
    package var samples: UInt64 = 0
    /// Samples that found the table of live blocks full. They are missing from the image.
    package var droppedSamples: UInt64 = 0
    /// Samples whose stack found the table of stacks full.
    package var droppedStacks: UInt64 = 0
    /// Stacks cut at the frame limit.
    package var truncatedStacks: UInt64 = 0
    package var forks: UInt64 = 0

    package init() {}
}

/// Whether the sampler still records.
package enum SamplerState: Hashable, Sendable {
    case running
    /// It records no more; why, in the sampler's words.
    case stopped(reason: String)
}

/// Records that could not be used, by why. A writer that dies or is under way leaves a few; they are never guessed at.
package struct SkippedRecords: Hashable, Sendable {
    /// Being written at the moment of reading.
    package var torn = 0
    /// Complete, but with a value that cannot be (a stack that does not exist, an impossible weight, …).
    package var invalid = 0

    package init(torn: Int = 0, invalid: Int = 0) {
        self.torn = torn
        self.invalid = invalid
    }
}
