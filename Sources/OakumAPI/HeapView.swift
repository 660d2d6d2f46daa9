package import OakumModel

/// Whose heap is to be looked at.
package struct HeapQuery: Hashable, Sendable, Codable {
    package var service: String
    package var worker: UInt32

    package init(service: String, worker: UInt32) {
        self.service = service
        self.worker = worker
    }

    /// As the query of a URL.
    package var parameters: String { "service=\(PercentEncoding.encode(service))&worker=\(worker)" }
}

/// What a look into the heap of one worker saw: the JSON of `GET /api/v1/heap`.
///
/// All bytes are estimates from samples, but for `bytesInUse`. Bounded: at most `nodeLimit` functions, `siteLimit` places,
/// and names of `textLimit` characters. Types, places and names of variables, never a value.
package struct HeapView: Hashable, Sendable, Codable {
    /// The smallest functions beyond are left out; their bytes stay in their callers.
    package static let nodeLimit = 1_500
    package static let siteLimit = 20
    package static let textLimit = 400

    package var service: String
    package var worker: UInt32
    package var process: ProcessIdentity
    /// When the heap was as it is shown.
    package var at: Moment
    /// How long looking took, seconds.
    package var tookSeconds: Double
    /// False: the process is gone; this is what it left.
    package var isAlive: Bool
    /// What growth is measured from; nil when no earlier moment was kept yet.
    package var base: Moment?
    package var live: Estimate
    package var growth: Estimate?
    /// What the program holds from its allocator, counted, not estimated; nil when it does not count.
    package var bytesInUse: Int64?
    /// Live samples, and the mean distance of two in bytes: 1 when every allocation is recorded.
    package var samples: Int
    package var meanBytes: UInt64
    /// At which every interval covers the truth, 0 to 1.
    package var confidence: Double
    /// The calls that lead to live memory, callers before what they call; the first is the root.
    package var tree: [HeapNode]
    package var nodesLeftOut: Int
    /// The worst places first: what leaks, then what grew most, or holds most.
    package var sites: [HeapSite]
    package var sitesLeftOut: Int
    /// What is missing or to be known, one sentence each.
    package var remarks: [String]

    package init(
        of query: HeapQuery, process: ProcessIdentity, at: Moment, tookSeconds: Double, isAlive: Bool, base: Moment?,
        live: Estimate, growth: Estimate?, bytesInUse: Int64?, samples: Int, meanBytes: UInt64, confidence: Double,
        tree: [HeapNode], nodesLeftOut: Int, sites: [HeapSite], sitesLeftOut: Int, remarks: [String]
    ) {
        service = query.service
        worker = query.worker
        self.process = process
        self.at = at
        self.tookSeconds = tookSeconds
        self.isAlive = isAlive
        self.base = base
        self.live = live
        self.growth = growth
        self.bytesInUse = bytesInUse
        self.samples = samples
        self.meanBytes = meanBytes
        self.confidence = confidence
        self.tree = tree
        self.nodesLeftOut = nodesLeftOut
        self.sites = sites
        self.sitesLeftOut = sitesLeftOut
        self.remarks = remarks
    }

    private enum CodingKeys: String, CodingKey {
        case service, worker, process, at, base, samples, confidence, tree, sites, remarks
        case tookSeconds = "took_s"
        case isAlive = "alive"
        case live = "live_bytes"
        case growth = "growth_bytes"
        case bytesInUse = "in_use_bytes"
        case meanBytes = "mean_bytes"
        case nodesLeftOut = "nodes_left_out"
        case sitesLeftOut = "sites_left_out"
    }
}

/// Whose code a function is.
package enum HeapRole: String, Hashable, Sendable, Codable, CaseIterable {
    /// The program's own, as far as anything tells.
    case own
    /// A package or library.
    case library
    /// The language's and the system's own.
    case runtime
}

/// One function in the tree of calls.
package struct HeapNode: Hashable, Sendable, Codable {
    /// Index of its caller in the tree; absent at the root.
    package var parent: Int?
    package var function: String
    /// "file:line".
    package var place: String?
    package var role: HeapRole
    /// Live bytes allocated by it and by what it calls.
    package var bytes: Int64
    /// Of them, by itself.
    package var ownBytes: Int64
    /// More than at the base; below zero when it has shrunk.
    package var growth: Int64?

    package init(
        parent: Int?, function: String, place: String?, role: HeapRole, bytes: Int64, ownBytes: Int64, growth: Int64?
    ) {
        self.parent = parent
        self.function = function
        self.place = place
        self.role = role
        self.bytes = bytes
        self.ownBytes = ownBytes
        self.growth = growth
    }

    private enum CodingKeys: String, CodingKey {
        case parent, function, place, role, bytes
        case ownBytes = "own_bytes"
        case growth = "growth_bytes"
    }
}
