/// One signal of one service: what is usual, and whether it is far from that. Bounded: about 4 KiB.
struct SymptomTrack: Sendable {
    typealias Change = SymptomWatch.Change

    private struct Point: Sendable {
        var seconds: Double
        var value: Double
        var isUsed: Bool
    }

    /// What is usual is learnt from so much time, in readings at least `leastUsual` over `leastSpan` seconds.
    private static let memory = 1_800.0
    private static let leastUsual = 8
    private static let leastSpan = 15.0
    private static let capacity = 180
    /// So long, and so many readings, until it is a symptom, and until it is over.
    private static let patience = 20.0
    private static let endPatience = 20.0
    private static let readings = 3
    /// The median of at least three readings and so many seconds is what counts: short ones are noisy.
    private static let width = 10.0

    let key: SymptomReading.Key
    let traits: SymptomTraits
    private(set) var symptom: Symptom?
    /// Readings from before anything was suspected.
    private var past: [Point] = []
    /// The latest ones.
    private var latest: [Point] = []
    private var usual: (median: Double, high: Double, at: Double)?
    private var over: (since: Double, count: Int)?
    private var back: (since: Double, count: Int)?

    init?(_ key: SymptomReading.Key) {
        guard let traits = SymptomTraits.of(key.kind) else { return nil }
        self.key = key
        self.traits = traits
    }

    /// Something may be wrong: worth a closer look.
    var isSuspicious: Bool { symptom != nil || over != nil }

    mutating func add(_ value: Double, _ reading: SymptomReading) -> Change? {
        let seconds = reading.seconds
        if let last = latest.last, seconds <= last.seconds { return nil }
        let isUsed = reading.requestsPerSecond.map { $0 >= 0.5 } ?? true
        let point = Point(seconds: seconds, value: value, isUsed: isUsed || !traits.followsUse)
        if traits.followsUse, reading.isSettling, symptom == nil {
            over = nil
            return nil
        }
        latest.append(point)
        while latest.count > Self.readings, seconds - latest[1].seconds >= Self.width { learn(latest.removeFirst()) }
        guard latest.count >= Self.readings else { return nil }
        let level = latest.map(\.value).sorted()[latest.count / 2]
        return symptom == nil ? begin(level, at: seconds) : end(level, at: seconds)
    }

    /// What was read under suspicion is not usual.
    private mutating func learn(_ point: Point) {
        guard !isSuspicious, point.isUsed else { return }
        past.append(point)
        guard past.count > Self.capacity else { return }
        past.removeAll { point.seconds - $0.seconds > Self.memory }
        // More readings than room: every other one tells the same.
        if past.count > Self.capacity {
            past = past.enumerated().compactMap { $0.offset.isMultiple(of: 2) ? $0.element : nil }
        }
    }

    private mutating func begin(_ level: Double, at seconds: Double) -> Change? {
        guard isFar(level, at: seconds) else {
            over = nil
            return nil
        }
        let first = latest.first { isFar($0.value, at: seconds) } ?? latest[0]
        let over = (since: self.over?.since ?? first.seconds, count: (self.over?.count ?? 0) + 1)
        self.over = over
        guard over.count >= Self.readings, seconds - over.since >= Self.patience else { return nil }
        let found = Symptom(
            kind: key.kind, name: key.name, since: over.since, usual: traits.isFloor ? nil : usual?.median, level: level
        )
        symptom = found
        back = nil
        return .began(found)
    }

    private mutating func end(_ level: Double, at seconds: Double) -> Change? {
        guard let symptom else { return nil }
        if !traits.isFloor, traits.least == 0, seconds - symptom.since > Self.memory {
            forget()
            past = []
            usual = nil
            return .becameUsual(symptom)
        }
        guard isNear(level) else {
            back = nil
            return nil
        }
        let back = (since: self.back?.since ?? seconds, count: (self.back?.count ?? 0) + 1)
        self.back = back
        guard back.count >= Self.readings, seconds - back.since >= Self.endPatience else { return nil }
        forget()
        return .ended(symptom)
    }

    private mutating func forget() {
        (symptom, over, back) = (nil, nil, nil)
    }

    private mutating func isFar(_ level: Double, at seconds: Double) -> Bool {
        if traits.isFloor { return level <= traits.least }
        guard level >= traits.least, let usual = usualLevels(at: seconds) else { return false }
        return level >= traits.factor * usual.median && level >= usual.median + traits.more
            && level >= traits.overHigh * usual.high
    }

    /// Back by more than half of the way: at the edge it would come and go.
    private func isNear(_ level: Double) -> Bool {
        if traits.isFloor { return level >= traits.cleared }
        guard let usual, let symptom else { return true }
        let limit = max(
            traits.least, traits.factor * usual.median, usual.median + traits.more, traits.overHigh * usual.high)
        return level < (usual.median + min(limit, symptom.level)) / 2
    }

    /// Looked at anew now and then while nothing is suspected: sorting costs.
    private mutating func usualLevels(at seconds: Double) -> (median: Double, high: Double)? {
        if over == nil, usual.map({ seconds - $0.at >= 60 }) ?? true {
            guard past.count >= Self.leastUsual, let first = past.first, let last = past.last,
                last.seconds - first.seconds >= Self.leastSpan
            else { return nil }
            let sorted = past.map(\.value).sorted()
            usual = (sorted[sorted.count / 2], sorted[sorted.count * 9 / 10], seconds)
        }
        return usual.map { ($0.median, $0.high) }
    }
}
