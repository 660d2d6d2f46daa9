package import OakumModel

/// A file mapped as code into the sampled process, kept so that a process that is gone can still be symbolised.
package struct LoadedModule: Hashable, Sendable {
    /// What to subtract from an address in the process to get the one in the file's symbol table.
    package var loadBias: UInt64
    package var addresses: Range<UInt64>
    /// The GNU build id; empty when the file has none.
    package var buildID: [UInt8]
    package var path: String
    /// When it was first seen, in nanoseconds of `CLOCK_BOOTTIME`, and when it was gone; nil while it is mapped. An
    /// address belongs to the module that was mapped there when its stack was first seen.
    package var loadedNanoseconds: UInt64
    package var unloadedNanoseconds: UInt64?

    package init(
        loadBias: UInt64, addresses: Range<UInt64>, buildID: [UInt8] = [], path: String, loadedNanoseconds: UInt64 = 0,
        unloadedNanoseconds: UInt64? = nil
    ) {
        self.loadedNanoseconds = loadedNanoseconds
        self.unloadedNanoseconds = unloadedNanoseconds
        self.loadBias = loadBias
        self.addresses = addresses
        self.buildID = buildID
        self.path = path
    }

    /// The last part of the path.
    package var name: Substring {
        path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path[path.index(after: $0)...] } ?? path[...]
    }
}

/// The calls that led to an allocation.
package struct StackTrace: Hashable, Sendable {
    /// Return addresses, innermost call first. A call's own place is the address before: look up `address - 1`.
    package var addresses: [UInt64]
    package var quality: StackQuality
    /// Nanoseconds of `CLOCK_BOOTTIME`.
    package var firstSeenNanoseconds: UInt64

    package init(addresses: [UInt64], quality: StackQuality = .complete, firstSeenNanoseconds: UInt64 = 0) {
        self.firstSeenNanoseconds = firstSeenNanoseconds
        self.addresses = addresses
        self.quality = quality
    }
}

/// How far the sampler could follow a stack.
package enum StackQuality: String, Hashable, Sendable, Codable, CaseIterable {
    /// To the beginning of the thread.
    case complete
    /// Cut at the sampler's frame limit: the outermost calls are missing.
    case cutAtLimit = "cut_at_limit"
    /// Ended early, mostly in code that keeps no frame pointer: outer calls are missing, inner ones may be.
    case endedEarly = "ended_early"
    /// There are no frames: the sampler had no room for the stack, or its entry was damaged.
    case missing
}

/// A sampled block that is alive.
package struct AllocationRecord: Hashable, Sendable {
    package var address: UInt64
    /// The size that was asked for, in bytes.
    package var size: UInt64
    /// How many live bytes this sample stands for: size / (1 − e^(−size / mean)), or the size in exact mode.
    package var weight: Double
    /// Nanoseconds of `CLOCK_BOOTTIME` at the allocation.
    package var bornNanoseconds: UInt64
    package var thread: Int32
    /// Index into the image's stacks.
    package var stack: Int

    package init(
        address: UInt64, size: UInt64, weight: Double, bornNanoseconds: UInt64, thread: Int32 = 0, stack: Int
    ) {
        self.address = address
        self.size = size
        self.weight = weight
        self.bornNanoseconds = bornNanoseconds
        self.thread = thread
        self.stack = stack
    }

    package var born: Uptime { Uptime(seconds: Double(bornNanoseconds) / 1e9) }
}

/// How long the sampled blocks of one stack lived that are freed by now.
package struct FreedLifetimes: Hashable, Sendable {
    /// Index into the image's stacks.
    package var stack: Int
    package var count: UInt64
    /// Sum of the sizes asked for, in bytes.
    package var bytes: UInt64
    /// Buckets that are not empty, by rising index.
    package var buckets: [LifetimeBucket]

    package init(stack: Int, count: UInt64, bytes: UInt64, buckets: [LifetimeBucket]) {
        self.stack = stack
        self.count = count
        self.bytes = bytes
        self.buckets = buckets
    }
}

/// Freed samples whose lifetimes lie in one bucket.
///
/// Bucket 0 ends at 1 ms; bucket i ≥ 1 begins at 1 ms · 2^((i − 1) / 2), two an octave; the last one has no end.
package struct LifetimeBucket: Hashable, Sendable {
    package var index: Int
    package var count: UInt64
    /// Sum of the samples' weights in bytes.
    package var weight: Double

    package init(index: Int, count: UInt64, weight: Double) {
        self.index = index
        self.count = count
        self.weight = weight
    }

    package static let indices = 0..<64
}

/// One function at one place of a stack, as a symboliser names it.
package struct Frame: Hashable, Sendable {
    /// Demangled; the raw symbol where it cannot be demangled; empty when there is none.
    package var function: String
    package var file: String?
    package var line: Int?
    /// Path of the file mapped there.
    package var module: String
    /// The compiler put this function's body into its caller's.
    package var isInlined: Bool

    package init(
        function: String, file: String? = nil, line: Int? = nil, module: String = "", isInlined: Bool = false
    ) {
        self.function = function
        self.file = file
        self.line = line
        self.module = module
        self.isInlined = isInlined
    }
}
