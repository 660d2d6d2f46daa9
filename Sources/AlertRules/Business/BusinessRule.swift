package import OakumModel

/// One thing the business counts: what is expected of it, and whether it stays away.
package struct BusinessRule: Sendable {
    package let settings: BusinessSettings
    private let service: String
    private var expectation: BusinessExpectation
    private var flow = BusinessFlow()
    private var test = DropTest()
    private var bucket: (number: Int, count: Double, covered: Double)?
    /// The expectation of the bucket of this number, kept while it lasts.
    private var known: (number: Int, rate: BusinessExpectation.Rate?)?
    /// What was expected when the drop began, of ways that would get used to it.
    private var frozen: BusinessExpectation.Rate?
    private var lastMoment: Moment?
    private var distrustUntil: Uptime?
    private var latest: BusinessExpectation.Rate?
    private var isKnown = false

    /// The clock was set by more than this, seconds.
    private static let stepSeconds = 60.0
    /// After that it is not trusted alone for a day.
    private static let distrustSeconds = 86_400.0

    package init(_ settings: BusinessSettings, service: String, zone: ZoneOffsets = .utc) {
        self.settings = settings
        self.service = service
        expectation = BusinessExpectation(zone: zone)
    }

    package mutating func load(_ buckets: [BusinessBucket]) {
        expectation.load(buckets)
        known = nil
    }

    /// It was down when Oakum ended.
    ///
    /// - Parameter lost: until then; nil: not known.
    package mutating func assume(since: Moment, lost: Impact?) {
        test.assume(since: since, actual: lost?.actual ?? 0, expected: lost?.expected.estimate ?? 0)
    }

    /// Takes in a reading of all workers. Returns the bucket that is over, to be stored.
    package mutating func add(
        _ reading: ServiceReading, isSilent: (WorkerReading) -> Bool
    ) -> BusinessBucket? {
        let name = settings.name
        noteClock(reading.at)
        let step = flow.add(reading, value: { $0.business[name] }, isSilent: isSilent)
        isKnown = step != .unknown
        guard case .known(let span) = step else { return nil }
        judge(span)
        return store(span)
    }

    private mutating func noteClock(_ now: Moment) {
        defer { lastMoment = now }
        guard let last = lastMoment else { return }
        let wall = Double(now.wall.milliseconds - last.wall.milliseconds) / 1_000
        guard abs(wall - (now.uptime - last.uptime)) > Self.stepSeconds else { return }
        bucket = nil
        known = nil
        expectation.clockWasSet()
        test.restart()
        distrustUntil = now.uptime + Self.distrustSeconds
    }

    private mutating func judge(_ span: BusinessFlow.Span) {
        guard let rate = rate(at: span.until) else { return }
        latest = rate
        let seconds = span.until.uptime - span.from.uptime
        let wasOn = test.begin != nil
        test.add(
            actual: span.count, expected: rate.perSecond * seconds, low: rate.low * seconds,
            dispersion: rate.dispersion,
            threshold: DropTest.threshold(perDay: rate.perSecond * 86_400, probability: settings.probability),
            from: span.from, until: span.until)
        if !wasOn, test.begin != nil, !rate.isSeasonal { frozen = rate }
        if test.begin == nil { frozen = nil }
    }

    private mutating func rate(at moment: Moment) -> BusinessExpectation.Rate? {
        if let frozen { return frozen }
        let number = BusinessBucket.number(moment.wall)
        if let known, known.number == number { return known.rate }
        let trusts = distrustUntil.map { moment.uptime > $0 } ?? true
        let rate = expectation.rate(at: BusinessBucket.start(number), trustsClock: trusts)
        known = (number, rate)
        return rate
    }

    private mutating func store(_ span: BusinessFlow.Span) -> BusinessBucket? {
        let number = BusinessBucket.number(span.until.wall)
        let seconds = span.until.uptime - span.from.uptime
        guard let open = bucket, open.number == number else {
            let finished = bucket.map {
                BusinessBucket(
                    start: BusinessBucket.start($0.number), count: $0.count,
                    coveredSeconds: min($0.covered, Double(BusinessBucket.seconds)))
            }
            // Which part of it belongs to which bucket nobody knows: the later one, for a span is short beside it.
            bucket = (number, span.count, seconds)
            guard let finished else { return nil }
            expectation.add(finished)
            return finished
        }
        bucket = (number, open.count + span.count, open.covered + seconds)
        return nil
    }
}

// MARK: - What is told

extension BusinessRule {
    package var condition: Condition {
        guard isKnown else { return .unknown }
        guard test.begin != nil, let sums = test.sums, sums.expected > 0 else { return .low }
        let drop = 1 - sums.actual / sums.expected
        guard sums.expected >= settings.minimumExpected, drop >= settings.minimumDrop else { return .between }
        return .high(drop >= settings.worseDrop ? settings.worseSeverity : settings.severity)
    }

    /// What is missing now, or was last: nil when there was nothing yet.
    package var impact: Impact? {
        guard let sums = test.sums, let rate = frozen ?? latest, sums.expected > 0 else { return nil }
        return Impact(
            what: settings.name, service: service, actual: sums.actual, expected: rate.estimate(sums.expected),
            from: sums.from.wall, until: sums.until?.wall, basis: rate.basis, isOfBusiness: true)
    }

    /// What is expected now, per second; nil: not enough is known.
    package var expected: BusinessExpectation.Rate? { known?.rate }

    func text(over: Bool, at now: Moment) -> AlertText {
        guard let impact, let sums = test.sums else { return AlertText("\(service): \(settings.name)") }
        let end = sums.until ?? now
        let length = Words.seconds(max(0, end.uptime - sums.from.uptime))
        let numbers =
            "\(settings.name) \(Words.count(impact.actual)) of \(Words.count(impact.expected.estimate)) expected, "
            + "\(Words.change((impact.percent ?? 0) / 100)), "
        let interval =
            "Expected from \(impact.basis): \(Words.count(impact.expected.estimate)) "
            + "(\(Words.count(impact.expected.low)) to \(Words.count(impact.expected.high)))"
        let labels = ["metric": settings.name, "counter": settings.counter]
        return AlertText(
            "\(service): " + (over ? "\(numbers)in \(length); back to what is expected" : "\(numbers)in \(length)"),
            details: [interval], labels: labels, since: sums.from, impact: [impact])
    }
}
