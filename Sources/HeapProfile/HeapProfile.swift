import OakumModel

/// A heap image with names: its live memory by site, largest first.
///
/// Deterministic: the same image, frames and types give the same profile, in the same order.
package struct HeapProfile: Hashable, Sendable {
    package var image: HeapImage
    package var sites: [Site]
    /// All live bytes and blocks of the image.
    package var total: SampledTotal
    /// At which every interval covers the truth, 0 to 1.
    package var confidence: Double

    /// - Parameters:
    ///   - frames: for each return address of the image's stacks the functions there, innermost inlined one first. Look
    ///     up `address - 1`. Addresses without symbols may be left out.
    ///   - types: the type of the block at an address, where known.
    ///
    /// Cost: each distinct frame is parsed once; the rest is linear in records and frames of stacks that are in use.
    package init(
        _ image: HeapImage, frames: [UInt64: [Frame]] = [:], types: [UInt64: String] = [:],
        rules: FrameRules = FrameRules(), confidence: Double = 0.95
    ) {
        self.image = image
        self.confidence = confidence
        total = SampledTotal(image.live, confidence: confidence)
        var building = SiteBuilding(image: image, frames: frames, rules: rules)
        for index in image.live.indices { building.add(record: index) }
        for freed in image.freed { building.add(freed) }
        let (total, since) = (total, image.process.samplingSince)
        let lastBirth = image.live.lazy.map(\.born).max() ?? since
        sites = building.groups.map { group in
            group.site(
                of: image, types: types, total: total.bytes.estimate, activeSeconds: max(0, lastBirth - since),
                confidence: confidence)
        }
        .sorted { left, right in
            (right.live.bytes.estimate, left.fingerprint) < (left.live.bytes.estimate, right.fingerprint)
        }
    }
}

/// Collects records and lifetimes by fingerprint.
private struct SiteBuilding {
    private let image: HeapImage
    private var naming: StackNaming
    /// Index into `groups` for each of the image's stacks that is in use.
    private var groupOfStack: [Int: Int] = [:]
    private var groupOfFingerprint: [Fingerprint: Int] = [:]
    private(set) var groups: [SiteGroup] = []

    init(image: HeapImage, frames: [UInt64: [Frame]], rules: FrameRules) {
        self.image = image
        naming = StackNaming(image: image, frames: frames, rules: rules)
    }

    mutating func add(record index: Int) {
        let stack = image.live[index].stack
        groups[group(of: stack)].add(record: index, of: stack)
    }

    mutating func add(_ freed: FreedLifetimes) {
        groups[group(of: freed.stack)].freed += freed.buckets
    }

    private mutating func group(of stack: Int) -> Int {
        if let known = groupOfStack[stack] { return known }
        let trace = image.stacks.indices.contains(stack) ? image.stacks[stack] : StackTrace(addresses: [])
        let frames = naming.frames(of: trace)
        let fingerprint = Fingerprint(frames)
        let group = groupOfFingerprint[fingerprint] ?? groups.count
        if group == groups.count {
            groups.append(SiteGroup(fingerprint: fingerprint))
            groupOfFingerprint[fingerprint] = group
        }
        groupOfStack[stack] = group
        groups[group].add(stack: stack, trace, frames)
        return group
    }
}

/// What belongs to one fingerprint.
private struct SiteGroup {
    let fingerprint: Fingerprint
    var freed: [LifetimeBucket] = []
    private var records: [Int] = []
    private var stacks: [SiteStack] = []
    private var named: [[NamedFrame]] = []
    /// The symbolised stack that each of the image's stacks is.
    private var stackIndex: [Int: Int] = [:]
    private var indexOfFrames: [[Frame]: Int] = [:]

    init(fingerprint: Fingerprint) {
        self.fingerprint = fingerprint
    }

    mutating func add(stack: Int, _ trace: StackTrace, _ frames: [NamedFrame]) {
        let plain = frames.map(\.frame)
        if let known = indexOfFrames[plain] {
            stackIndex[stack] = known
            return
        }
        indexOfFrames[plain] = stacks.count
        stackIndex[stack] = stacks.count
        // The sampler and the allocator are at the top; thunks between them belong to them.
        let last = frames.prefix { $0.role == .allocator || $0.role == .glue }.lastIndex { $0.role == .allocator }
        stacks.append(
            SiteStack(
                frames: plain, allocatorFrames: last.map { $0 + 1 } ?? 0, quality: trace.quality,
                addresses: trace.addresses, samples: 0, bytes: 0, blocks: 0))
        named.append(frames)
    }

    mutating func add(record: Int, of stack: Int) {
        records.append(record)
        recordStacks.append(stackIndex[stack] ?? 0)
    }

    private var recordStacks: [Int] = []

    func site(
        of image: HeapImage, types: [UInt64: String], total: Double, activeSeconds: Double, confidence: Double
    ) -> Site {
        var stacks = stacks
        for (record, stack) in zip(records, recordStacks) {
            stacks[stack].samples += 1
            stacks[stack].bytes += image.live[record].weight
            stacks[stack].blocks += 1 / image.live[record].probability
        }
        let order = stacks.indices.sorted { (-stacks[$0].bytes, $0) < (-stacks[$1].bytes, $1) }
        let naming = order.first.flatMap { Self.namingFrame(named[$0]) }
        let live = SampledTotal(records.lazy.map { image.live[$0] }, confidence: confidence)
        let since = image.process.samplingSince
        let ages = records.map { index in
            let record = image.live[index]
            return (born: max(0, record.born - since), age: max(0, image.observed - record.born), record: record)
        }
        let survival = Survival(
            freed: freed, live: ages.lazy.map { ($0.age, $0.record.weight) }, confidence: confidence)
        let judge = SiteJudge(
            activeSeconds: activeSeconds, live: ages, survival: survival, confidence: confidence)
        return Site(
            fingerprint: fingerprint, frame: naming?.frame, role: naming?.role,
            label: naming?.label ?? "unknown (no stack)", live: live,
            share: total > 0 ? live.bytes.estimate / total : 0, types: Self.types(records, image, types),
            survival: survival, verdict: judge.verdict(), stacks: order.map { stacks[$0] },
            records: records.sorted { Self.isOlder(image.live[$0], image.live[$1]) })
    }

    private static func isOlder(_ left: AllocationRecord, _ right: AllocationRecord) -> Bool {
        (left.bornNanoseconds, left.address) < (right.bornNanoseconds, right.address)
    }

    private static func namingFrame(_ frames: [NamedFrame]) -> NamedFrame? {
        for role in [FrameRole.own, .dependency, .runtime] {
            if let frame = frames.first(where: { $0.role == role }) { return frame }
        }
        return frames.first
    }

    private static func types(_ records: [Int], _ image: HeapImage, _ types: [UInt64: String]) -> [TypeTotal] {
        var totals: [String: TypeTotal] = [:]
        for record in records {
            guard let type = types[image.live[record].address] else { continue }
            totals[type, default: TypeTotal(type: type, samples: 0, bytes: 0)].samples += 1
            totals[type]?.bytes += image.live[record].weight
        }
        return totals.values.sorted { ($1.bytes, $0.type) < ($0.bytes, $1.type) }
    }
}
