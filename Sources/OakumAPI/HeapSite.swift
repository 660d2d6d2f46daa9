package import OakumModel

/// A place where memory was allocated.
package struct HeapSite: Hashable, Sendable, Codable {
    /// "function (file:line)".
    package var site: String
    package var fingerprint: String
    package var role: HeapRole?
    /// `leaks`, `turns_over`, `settled` or `not_enough_data`; see docs/glossary.md.
    package var verdict: String
    /// The verdict in words, and why.
    package var verdictWords: String
    package var reason: String
    package var live: Estimate
    /// Of all live bytes, 0 to 1.
    package var share: Double
    package var growth: Estimate?
    /// The fraction of its bytes that is never freed, 0 to 1; nil when too little was seen.
    package var neverFreed: Estimate?
    /// The types of most of its bytes, largest first; at most three.
    package var types: [HeapTypeShare]
    /// Who holds its blocks, the most frequent chain first; empty when nobody looked.
    package var chains: [HeapChain]
    /// The bounded cache that most of its blocks are entries of; nil when there is none, or nobody looked.
    package var cache: HoldingCache?

    package init(
        site: String, fingerprint: String, role: HeapRole?, verdict: String, verdictWords: String, reason: String,
        live: Estimate, share: Double, growth: Estimate?, neverFreed: Estimate?, types: [HeapTypeShare],
        chains: [HeapChain], cache: HoldingCache? = nil
    ) {
        self.site = site
        self.fingerprint = fingerprint
        self.role = role
        self.verdict = verdict
        self.verdictWords = verdictWords
        self.reason = reason
        self.live = live
        self.share = share
        self.growth = growth
        self.neverFreed = neverFreed
        self.types = types
        self.chains = chains
        self.cache = cache
    }

    private enum CodingKeys: String, CodingKey {
        case site, fingerprint, role, verdict, reason, share, types, chains, cache
        case verdictWords = "verdict_words"
        case live = "live_bytes"
        case growth = "growth_bytes"
        case neverFreed = "never_freed"
    }
}

/// Live bytes of one type at a site.
package struct HeapTypeShare: Hashable, Sendable, Codable {
    package var type: String
    package var bytes: Int64

    package init(type: String, bytes: Int64) {
        self.type = type
        self.bytes = bytes
    }
}

/// The references that keep blocks alive.
package struct HeapChain: Hashable, Sendable, Codable {
    /// From the root to the type of the blocks.
    package var path: [String]
    /// The same as a sentence, from the blocks to the root.
    package var words: String
    /// So many of the examined blocks are held so.
    package var blocks: Int
    package var examined: Int

    package init(path: [String], words: String, blocks: Int, examined: Int) {
        self.path = path
        self.words = words
        self.blocks = blocks
        self.examined = examined
    }
}

/// A file format for other tools.
package enum HeapFileForm: String, Hashable, Sendable, Codable, CaseIterable {
    /// `profile.proto`: `go tool pprof`, speedscope.
    case pprof
    /// Folded stacks: flamegraph.pl, inferno, speedscope.
    case folded
}
