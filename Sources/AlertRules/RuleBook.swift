package import OakumModel

/// All rules of one service: readings in, alerts out. Pure: no clock, no I/O.
///
/// An alert is returned when it begins, when its severity changes, once a minute while it lasts (with the numbers of then) and
/// when it is over. About 120 KiB a service and 70 KiB more for each business metric, whatever is read.
package struct RuleBook: Sendable {
    /// What came of a reading.
    package struct News: Hashable, Sendable {
        package var alerts: [Alert] = []
        /// Five minutes that are over, by the metric's name: to be stored.
        package var buckets: [String: BusinessBucket] = [:]
    }

    package let service: String
    package let settings: AlertSettings
    var traffic: TrafficRules
    var unresponsive: (rule: UnresponsiveRule, slot: AlertSlot)
    private var workers: WorkerRules
    private var occurrences: OccurrenceRules
    private var business: [(rule: BusinessRule, slot: AlertSlot)]
    private var absence: (rule: AbsenceRule, slot: AlertSlot)?

    /// - Parameter zones: what the time zones of `settings.business` add to UTC, by name; nil: the host's.
    package init(service: String, settings: AlertSettings, zones: [String?: ZoneOffsets] = [:]) {
        self.service = service
        self.settings = settings
        let runbooks = settings.runbooks
        traffic = TrafficRules(service: service, settings: settings)
        // Its states are needed by the others too, told or not.
        let unresponsive = settings.unresponsive ?? UnresponsiveSettings()
        self.unresponsive = (
            UnresponsiveRule(unresponsive),
            AlertSlot(
                .unresponsive, service: service, raiseSeconds: 0, clearSeconds: unresponsive.clearSeconds,
                runbooks: runbooks)
        )
        workers = WorkerRules(service: service, settings: settings)
        occurrences = OccurrenceRules(service: service, settings: settings)
        business = settings.business.prefix(AlertSettings.businessLimit).map { metric in
            let slot = AlertSlot(
                .businessRate, service: service, subject: metric.name, raiseSeconds: metric.raiseSeconds,
                clearSeconds: metric.clearSeconds, runbooks: runbooks)
            return (
                BusinessRule(metric, service: service, zone: zones[metric.timeZone] ?? zones[nil] ?? .utc), slot
            )
        }
        absence = settings.noData.map { noData in
            let slot = AlertSlot(
                .noData, service: service, raiseSeconds: 0, clearSeconds: noData.clearSeconds, runbooks: runbooks)
            return (AbsenceRule(noData), slot)
        }
    }

    /// What was counted earlier of a metric; once, before the first reading. A metric that was counted of late is missed if it
    /// is not there.
    package mutating func load(_ metric: String, _ buckets: [BusinessBucket], at now: Moment) {
        guard let index = business.firstIndex(where: { $0.rule.settings.name == metric }) else { return }
        business[index].rule.load(buckets)
        let day = now.wall.milliseconds - 86_400_000
        if buckets.contains(where: { $0.start.milliseconds > day && $0.rate != nil }) {
            absence?.rule.know(metric, at: now.uptime)
        }
    }

    /// Alerts that fired when Oakum ended: they are gone on with, and end here if they are over. Those of other services and
    /// of rules that are off are left alone; they are returned.
    package mutating func assume(_ alerts: [Alert], at now: Moment) -> [Alert] {
        alerts.filter { alert in
            guard alert.status == .firing, alert.source == .rule, alert.service == service else { return true }
            for index in business.indices where business[index].slot.fingerprint == alert.fingerprint {
                let name = business[index].rule.settings.name
                business[index].rule.assume(since: alert.since, lost: alert.impact?.last { $0.what == name })
                business[index].slot.assume(alert, at: now)
                return false
            }
            if absence?.slot.fingerprint == alert.fingerprint {
                absence?.slot.assume(alert, at: now)
                return false
            }
            if settings.unresponsive != nil, unresponsive.slot.fingerprint == alert.fingerprint {
                unresponsive.slot.assume(alert, at: now)
                return false
            }
            return
                !(traffic.assume(alert, at: now) || workers.assume(alert, at: now)
                || occurrences.assume(alert, at: now))
        }
    }

    /// What fires now, as it was told last.
    package var firing: [Alert] {
        let own = [unresponsive.slot.told, absence?.slot.told] + business.map(\.slot.told)
        return own.compactMap { $0 } + traffic.firing + workers.firing + occurrences.firing
    }

    /// What users and the business lose now, or lost last: at most one for each rule that can tell.
    package var impacts: [Impact] {
        traffic.impacts + business.compactMap { $0.rule.impact }
    }

    /// What is expected of a metric now, per second.
    package func expectation(of metric: String) -> BusinessExpectation.Rate? {
        business.first { $0.rule.settings.name == metric }?.rule.expected
    }

    package mutating func add(_ reading: ServiceReading) -> News {
        var news = News()
        let now = reading.at
        let silence = unresponsive.rule.condition(reading)
        if settings.unresponsive != nil {
            let rule = unresponsive.rule
            let told = unresponsive.slot.take(silence, at: now) { rule.text(service: service, over: $0) }
            news.alerts += [told].compactMap { $0 }
        }
        news.alerts += traffic.add(reading)
        news.alerts += workers.add(reading)
        news.alerts += occurrences.add(reading)
        addBusiness(reading, to: &news)
        news.alerts += [lookForMissing(reading)].compactMap { $0 }
        return news
    }

    private mutating func addBusiness(_ reading: ServiceReading, to news: inout News) {
        let silent = unresponsive.rule
        for index in business.indices {
            let name = business[index].rule.settings.name
            let bucket = business[index].rule.add(reading) { silent.isSilent($0.process, at: reading.at.uptime) }
            if let bucket { news.buckets[name] = bucket }
            let rule = business[index].rule
            let told = business[index].slot.take(rule.condition, at: reading.at) { rule.text(over: $0, at: reading.at) }
            if let told { news.alerts.append(told) }
        }
    }
}

// MARK: - What is missing

extension RuleBook {
    private mutating func lookForMissing(_ reading: ServiceReading) -> Alert? {
        guard absence != nil else { return nil }
        let workers = reading.workers.filter { !$0.isDraining }
        noteSeries(workers, at: reading.at)
        for worker in workers where worker.wasAsked {
            absence?.rule.note(
                Self.answers(worker.number, worker.process), worker.counters == nil ? .missing : .told, at: reading.at)
        }
        let living = Set(workers.map { Self.answers($0.number, $0.process) })
        absence?.rule.forget { $0.hasPrefix(Self.answersPrefix) && !living.contains($0) }
        guard let rule = absence?.rule else { return nil }
        return absence?.slot.take(rule.condition, at: reading.at) { rule.text(service: service, over: $0) }
    }

    /// A series of the service is told when one worker tells it, and asked for when one that tells something was asked: of
    /// workers that say nothing at all it is their silence that is told.
    private mutating func noteSeries(_ workers: [WorkerReading], at now: Moment) {
        let telling = workers.compactMap(\.counters)
        func note(_ name: String, _ isTold: Bool) {
            absence?.rule.note(name, isTold ? .told : telling.isEmpty ? .notAsked : .missing, at: now)
        }
        note("requests", telling.contains { $0.requests != nil })
        note("durations of requests", telling.contains { $0.durationCount != nil })
        for (rule, _) in business {
            let name = rule.settings.name
            note(name, telling.contains { $0.business[name] != nil })
        }
        guard !workers.isEmpty else { return }
        absence?.rule.note("memory", workers.contains { $0.rss != nil } ? .told : .missing, at: now)
    }

    private static let answersPrefix = "the metrics of worker "

    private static func answers(_ number: UInt32, _ process: ProcessIdentity) -> String {
        "\(answersPrefix)\(number) (pid \(process.pid))"
    }
}
