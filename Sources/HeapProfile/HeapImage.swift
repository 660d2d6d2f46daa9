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
    /// Bytes the program holds from its allocator, by the sampler's own count: of every block, not of samples alone, and
    /// with what the allocator adds to each. nil when it was told not to count.
    package var bytesInUse: Int64?
    /// `bytesInUse` may be off by this much for each living thread.
    package var bytesInUseErrorPerThread: UInt64
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
        process: SampledProcess, mode: SamplingMode, meanBytes: UInt64, bytesInUse: Int64?,
        bytesInUseErrorPerThread: UInt64 = 0, counters: SamplerCounters = SamplerCounters(),
        state: SamplerState = .running, observed: Uptime,
        modules: [LoadedModule] = [], stacks: [StackTrace] = [], live: [AllocationRecord] = [],
        freed: [FreedLifetimes] = [], skipped: SkippedRecords = SkippedRecords()
    ) {
        self.process = process
        self.mode = mode
        self.meanBytes = meanBytes
        self.bytesInUse = bytesInUse
        self.bytesInUseErrorPerThread = bytesInUseErrorPerThread
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
    /// The pid as the process itself sees it: in another pid namespace it has another one.
    package var identity: ProcessIdentity
    /// When the sampler began to record: what was allocated before is not in the image.
    package var samplingSince: Uptime
    package var executable: String
    package var samplerVersion: String
    package var blindSpots: Set<BlindSpot>

    package init(
        identity: ProcessIdentity, samplingSince: Uptime, executable: String, samplerVersion: String = "",
        blindSpots: Set<BlindSpot> = []
    ) {
        self.identity = identity
        self.samplingSince = samplingSince
        self.executable = executable
        self.samplerVersion = samplerVersion
        self.blindSpots = blindSpots
    }
}

/// What the sampler says it cannot see as usual in this process.
package enum BlindSpot: String, Hashable, Sendable, Codable, CaseIterable {
    /// The allocator below is not glibc's: block sizes are its own.
    case otherAllocator = "other_allocator"
    /// That allocator brings its own `operator new`: C++ objects are not sampled.
    case cxxNewUnseen = "cxx_new_unseen"
    /// The process was forked; blocks of its parent may be missing.
    case forked
}

/// What the sampler counted about itself since it began.
package struct SamplerCounters: Hashable, Sendable {
    package var samples: UInt64 = 0
    /// Samples that found the table of live blocks full, and the bytes they stand for. They are missing from the image.
    package var droppedSamples: UInt64 = 0
    package var droppedWeight: UInt64 = 0
    /// Samples whose stack found no room: they count for the unknown stack.
    package var droppedStacks: UInt64 = 0
    /// Stacks cut at the frame limit, and stacks that ended at code without frame pointers.
    package var cutStacks: UInt64 = 0
    package var stacksEndedEarly: UInt64 = 0
    package var droppedModules: UInt64 = 0
    /// Times the sampler could not take a sample that was due.
    package var passedUnsampled: UInt64 = 0
    package var forks: UInt64 = 0
    /// Records taken over from the parent by a forked process, and those lost on the way.
    package var inherited: UInt64 = 0
    package var inheritedLost: UInt64 = 0

    package init() {}
}

/// Whether the sampler still records.
package enum SamplerState: Hashable, Sendable {
    case running
    /// It records no more; why, in the sampler's words.
    case stopped(reason: String)
}

/// Entries that could not be used, by why. A writer that dies or is under way leaves a few; they are never guessed at.
package struct SkippedRecords: Hashable, Sendable {
    /// Live blocks being written at the moment of reading, or changed by it.
    package var torn = 0
    /// Live blocks that are complete, but with a value that cannot be (an impossible weight, …).
    package var invalid = 0
    /// Stacks; their blocks count for the unknown stack.
    package var stacks = 0
    package var modules = 0
    package var lifetimes = 0

    package init() {}
}
