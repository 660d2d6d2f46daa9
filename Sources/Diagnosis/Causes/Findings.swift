import OakumModel

/// All facts read off the observations, before anything is blamed.
struct Findings {
    let observations: Observations
    /// The window that counts: without the time before the service was first used.
    let span: ClosedRange<Double>
    let readings: [Reading]
    let growth: MemoryGrowth
    let logs: [LogEvidence]

    init?(_ observations: Observations) {
        let (from, until) = (observations.from, observations.until)
        guard from.isFinite, until.isFinite, until > from else { return nil }
        self.observations = observations
        let signals = observations.signals.prefix(Observations.maximumSignals)
        span = Self.used(from...until, signals)
        let span = span
        let restarts = (observations.restarts ?? []).filter(\.isFinite).sorted()
        var readings = signals.compactMap { signal in
            signal.kind == .cpuPerRequest ? nil : Reading(signal, in: span, restarts: restarts)
        }
        if let derived = Self.cpuPerRequest(signals, span),
            let reading = Reading(derived, in: span, restarts: restarts)
        {
            readings.append(reading)
        }
        self.readings = readings
        growth = MemoryGrowth(observations, readings.first { $0.kind == .memory }, span: span)
        logs = LogEvidence.found(
            in: observations, span: span, onset: growth.change?.fit.onset, readings: readings)
    }

    /// The one of a kind that changed most, or any.
    func reading(_ kind: SignalKind) -> Reading? {
        let all = readings.filter { $0.kind == kind }
        return all.max { ($0.change?.strength ?? 0) < ($1.change?.strength ?? 0) }
    }

    func change(_ kind: SignalKind, up: Bool = true) -> Change? {
        guard let change = reading(kind)?.change, change.isUp == up else { return nil }
        return change
    }

    /// Known, and nothing that matters happened to it.
    func isQuiet(_ kind: SignalKind) -> Bool {
        readings.contains { $0.kind == kind } && change(kind, up: SignalTraits.of(kind).worseIsUp) == nil
    }

    /// What users notice.
    var harm: [Reading] {
        readings.filter { reading in
            guard let change = reading.change else { return false }
            return (reading.kind == .latency || reading.kind == .errors) && change.isUp
        }
    }

    /// The one that had begun earliest for sure.
    var firstHarm: Change? { harm.compactMap(\.change).min { $0.fit.high < $1.fit.high } }

    func together(_ first: SignalKind, _ second: SignalKind) -> CoMovement? {
        guard let one = reading(first), let other = reading(second) else { return nil }
        return CoMovement(one, with: other)
    }

    /// A release shortly before a change may have begun. The share is of the window: how much of a coincidence it would
    /// be.
    func deploy(before change: Change) -> (deploy: Deploy, chance: Double)? {
        let length = span.upperBound - span.lowerBound
        let slack = max(0.04 * length, 2 * change.fit.grain)
        let (low, high) = (change.fit.low - slack, change.fit.high + change.fit.grain)
        guard let deploys = observations.deploys,
            let deploy = deploys.last(where: { (low...high).contains($0.seconds) })
        else { return nil }
        return (deploy, min(1, (high - low) / length))
    }

    // MARK: - Derived

    /// The window without the time before the first requests: from idle to in use, everything rises, and nothing is
    /// wrong.
    private static func used(_ span: ClosedRange<Double>, _ signals: ArraySlice<Signal>) -> ClosedRange<Double> {
        guard let requests = signals.first(where: { $0.kind == .requests }) else { return span }
        let points = requests.points.filter { $0.value.isFinite && span.contains($0.seconds) }
        let sorted = points.map(\.value).sorted()
        guard points.count >= 4, sorted[sorted.count / 2] > 0 else { return span }
        let idle = points.prefix { $0.value < 0.05 * sorted[sorted.count / 2] }
        // The reading after may have been idle for a part of its time.
        guard !idle.isEmpty, idle.count + 1 < points.count else { return span }
        let begin = points[idle.count + 1].seconds
        let left = span.upperBound - begin
        return left > 0.2 * (span.upperBound - span.lowerBound) ? begin...span.upperBound : span
    }

    private static func cpuPerRequest(_ signals: ArraySlice<Signal>, _ span: ClosedRange<Double>) -> Signal? {
        guard let cpu = signals.first(where: { $0.kind == .cpu }),
            let requests = signals.first(where: { $0.kind == .requests })
        else { return nil }
        let used = Reduced(cpu.points, in: span, traits: .of(.cpu))
        let asked = Reduced(requests.points, in: span, traits: .of(.requests))
        let width =
            max(used.spacing, asked.spacing, (span.upperBound - span.lowerBound) / Double(Reduced.maximum)) * 1.001
        guard width > 0, asked.count >= Reduced.minimum else { return nil }
        let usual = asked.values.sorted()[asked.count / 2]
        var sums: [Int: (cpu: Double, cpuCount: Double, asked: Double, askedCount: Double)] = [:]
        for (time, value) in zip(used.times, used.values) {
            sums[Int((time - span.lowerBound) / width), default: (0, 0, 0, 0)].cpu += value
            sums[Int((time - span.lowerBound) / width)]?.cpuCount += 1
        }
        for (time, value) in zip(asked.times, asked.values) {
            sums[Int((time - span.lowerBound) / width)]?.asked += value
            sums[Int((time - span.lowerBound) / width)]?.askedCount += 1
        }
        let points = sums.sorted { $0.key < $1.key }.compactMap { bucket, sum -> SeriesPoint? in
            guard sum.askedCount > 0 else { return nil }
            let rate = sum.asked / sum.askedCount
            // A quotient by next to nothing is no reading.
            guard rate > 0.1 * usual, rate > 0 else { return nil }
            return SeriesPoint(
                seconds: span.lowerBound + (Double(bucket) + 0.5) * width, value: sum.cpu / sum.cpuCount / rate)
        }
        return Signal(.cpuPerRequest, points: points)
    }
}
