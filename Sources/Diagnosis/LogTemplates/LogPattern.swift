package import OakumModel

/// A kind of log line, and how often it came.
package struct LogPattern: Hashable, Sendable {
    /// Numbers only grow and are never reused within one miner; 0 stands for the lines of forgotten templates.
    package var id: UInt32
    /// The line with `<*>` wherever lines of its kind differ: "info registrar: scanned <*> entries in <*> ms".
    package var template: String
    /// Seconds, as given with the lines.
    package var firstSeen: Double
    package var lastSeen: Double
    /// Lines since the miner began.
    package var total: Int
    /// Lines in each bucket that is still kept, empty ones too, the oldest first; the time is the bucket's middle.
    package var counts: [SeriesPoint]

    package init(
        id: UInt32, template: String, firstSeen: Double, lastSeen: Double, total: Int, counts: [SeriesPoint]
    ) {
        self.id = id
        self.template = template
        self.firstSeen = firstSeen
        self.lastSeen = lastSeen
        self.total = total
        self.counts = counts
    }
}

/// What a miner keeps at most, and what happens beyond.
package struct MinerLimits: Hashable, Sendable {
    /// Templates. A new one takes the place of the one with the fewest lines lately (counts halve over time), the
    /// longest unseen among equals; its lines then count as "other lines", so totals stay true.
    package var templates: Int
    /// Templates that begin alike and have the same number of words: bounds the work for one line.
    package var alike: Int
    /// Words of a line; what follows is one `<*>`.
    package var words: Int
    /// Bytes of a line; the rest is not looked at.
    package var lineBytes: Int
    /// Longer words are `<*>`: no constant text has them, and keys, tokens and addresses do.
    package var wordBytes: Int
    package var bucketSeconds: Double
    /// Buckets kept for each template; the oldest go.
    package var buckets: Int
    /// Share of the constant words that must agree for a line to join a template, 0 to 1.
    package var likeness: Double

    package init(
        templates: Int, alike: Int, words: Int, lineBytes: Int, wordBytes: Int, bucketSeconds: Double, buckets: Int,
        likeness: Double
    ) {
        self.templates = max(1, templates)
        self.alike = max(1, alike)
        self.words = max(2, words)
        self.lineBytes = max(16, lineBytes)
        self.wordBytes = max(4, wordBytes)
        self.bucketSeconds = max(0.001, bucketSeconds)
        self.buckets = max(2, buckets)
        self.likeness = min(1, max(0, likeness))
    }

    /// 256 templates at five seconds for half an hour: at most 1.5 MiB, whatever is logged.
    package static let standard = MinerLimits(
        templates: 256, alike: 64, words: 48, lineBytes: 1_024, wordBytes: 48, bucketSeconds: 5, buckets: 360,
        likeness: 0.6)
}
