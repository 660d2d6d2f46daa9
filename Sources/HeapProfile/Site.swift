/// A place where memory was allocated: everything whose innermost own frames are the same.
package struct Site: Hashable, Sendable {
    package var fingerprint: Fingerprint
    /// The frame that names the site: the innermost of a person's own code; where there is none, of a package, else of
    /// the runtime. nil when the sampler has no stack.
    package var frame: Frame?
    package var role: FrameRole?
    /// "function (file:line)".
    package var label: String
    /// Live bytes and blocks, without bias.
    package var live: SampledTotal
    /// Of all live bytes of the image, 0 to 1.
    package var share: Double
    /// Live bytes by type, largest first; samples whose type is not known are not in it.
    package var types: [TypeTotal]
    /// nil when there are too few samples.
    package var survival: Survival?
    package var verdict: SiteVerdict
    /// The ways there, largest live bytes first.
    package var stacks: [SiteStack]
    /// Its records, as indices into the image's live ones, oldest first: what to look at to find out who holds them.
    package var records: [Int]

    package init(
        fingerprint: Fingerprint, frame: Frame?, role: FrameRole?, label: String, live: SampledTotal, share: Double,
        types: [TypeTotal] = [], survival: Survival? = nil, verdict: SiteVerdict, stacks: [SiteStack] = [],
        records: [Int] = []
    ) {
        self.fingerprint = fingerprint
        self.frame = frame
        self.role = role
        self.label = label
        self.live = live
        self.share = share
        self.types = types
        self.survival = survival
        self.verdict = verdict
        self.stacks = stacks
        self.records = records
    }
}

/// Live bytes of one type at a site.
package struct TypeTotal: Hashable, Sendable {
    package var type: String
    package var samples: Int
    package var bytes: Double

    package init(type: String, samples: Int, bytes: Double) {
        self.type = type
        self.samples = samples
        self.bytes = bytes
    }
}

/// One symbolised way to a site.
package struct SiteStack: Hashable, Sendable {
    /// Innermost first, inlined functions before the ones they are in; the allocator's own are in it.
    package var frames: [Frame]
    /// How many of `frames`, from the innermost, belong to the sampler and the allocator: what displays leave out.
    package var allocatorFrames: Int
    package var quality: StackQuality
    /// Return addresses, innermost first, of the first of the image's stacks that looks like this.
    package var addresses: [UInt64]
    package var samples: Int
    package var bytes: Double
    package var blocks: Double

    package init(
        frames: [Frame], allocatorFrames: Int, quality: StackQuality, addresses: [UInt64], samples: Int, bytes: Double,
        blocks: Double
    ) {
        self.frames = frames
        self.allocatorFrames = allocatorFrames
        self.quality = quality
        self.addresses = addresses
        self.samples = samples
        self.bytes = bytes
        self.blocks = blocks
    }

    /// What displays show, innermost first: never empty unless `frames` is.
    package var shown: ArraySlice<Frame> {
        allocatorFrames < frames.count ? frames[allocatorFrames...] : frames[...]
    }
}
