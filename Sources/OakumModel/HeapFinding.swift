/// What leaks in a worker: where its memory was allocated, what it is, and who holds it. Types and sites, never values.
package struct HeapFinding: Hashable, Sendable, Codable {
    /// "function (file:line)".
    package var site: String
    package var function: String
    /// nil where the binary carries no debug information.
    package var file: String?
    package var line: Int?
    /// The same for the same place in another build: functions and files, no addresses.
    package var fingerprint: String
    /// The Swift type of most of its bytes; nil when it is not known.
    package var type: String?
    /// From the root to the leaked type, in words; empty when nobody looked or nothing was found.
    package var chain: [String]
    /// The bounded cache its blocks are entries of; nil when none is on the way to the root.
    package var cache: HoldingCache?
    /// Live bytes of the site, an estimate without bias.
    package var liveBytes: Int64
    /// Of all live bytes of the worker, 0 to 1.
    package var share: Double
    /// The fraction of the site's bytes that is never freed, 0 to 1; nil when too little was seen.
    package var neverFreed: Estimate?
    /// How long looking took, seconds.
    package var tookSeconds: Double

    package init(
        site: String, function: String, file: String? = nil, line: Int? = nil, fingerprint: String, type: String? = nil,
        chain: [String] = [], cache: HoldingCache? = nil, liveBytes: Int64, share: Double, neverFreed: Estimate? = nil,
        tookSeconds: Double
    ) {
        self.site = site
        self.function = function
        self.file = file
        self.line = line
        self.fingerprint = fingerprint
        self.type = type
        self.chain = chain
        self.cache = cache
        self.liveBytes = liveBytes
        self.share = share
        self.neverFreed = neverFreed
        self.tookSeconds = tookSeconds
    }

    private enum CodingKeys: String, CodingKey {
        case site, function, file, line, fingerprint, type, chain, cache, share
        case liveBytes = "live_bytes"
        case neverFreed = "never_freed"
        case tookSeconds = "took_s"
    }
}
