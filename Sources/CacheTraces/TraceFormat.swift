/// How a trace of cache accesses is written. The name of a folder above the file tells which format it is.
package enum TraceFormat: String, Sendable, CaseIterable {
    /// Text, "start count ignored request": `count` accesses to the blocks `start`, `start + 1`, …
    case arc
    /// Text, one block number a line; `*` and empty lines are marks.
    case lirs
    /// Big-endian 32-bit integers.
    case cache2k
    /// Big-endian 64-bit integers.
    case corda
    /// Big-endian 64-bit integers.
    case scarab
    /// Little-endian 32-bit block numbers.
    case cloudPhysics = "cloud_physics"
    /// Text, "time id size", size in bytes.
    case adaptSize = "adapt_size"
    /// CSV "version,time,op,size,lbn" with a header, size in bytes.
    case libCacheSim = "libcachesim"

    /// Whether the accesses tell sizes, so that the bound is one of bytes.
    package var isWeighted: Bool { self == .adaptSize || self == .libCacheSim }

    /// Bytes of one access; nil for text.
    var width: Int? {
        switch self {
        case .cache2k, .cloudPhysics: 4
        case .corda, .scarab: 8
        case .arc, .lirs, .adaptSize, .libCacheSim: nil
        }
    }

    /// The format that the folder nearest to the file names; nil when none does. Upper and lower case are the same.
    /// - Parameter path: of the file, with the folders above it.
    package init?(path: String) {
        for folder in path.split(separator: "/").dropLast().reversed() {
            if let format = TraceFormat(rawValue: folder.lowercased()) {
                self = format
                return
            }
        }
        return nil
    }
}

/// One use of a key.
package struct TraceAccess: Hashable, Sendable {
    package var key: UInt64
    /// Bytes of its value, at least 1; 1 where the format tells no size.
    package var weight: Int

    package init(key: UInt64, weight: Int = 1) {
        self.key = key
        self.weight = weight
    }
}

/// A place in a trace that is not as its format says.
package struct TraceDamage: Error, Hashable, CustomStringConvertible {
    package enum Place: Hashable, Sendable {
        case line(Int)
        /// Bytes from the start, decompressed.
        case offset(Int)
    }

    package var place: Place
    package var reason: String

    package var description: String {
        switch place {
        case .line(let line): "line \(line): \(reason)"
        case .offset(let offset): "byte \(offset): \(reason)"
        }
    }
}
