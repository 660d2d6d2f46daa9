import AlertRules
import Diagnosis
import OakumModel
import Recycling

extension Engine {
    private struct RuleJob: Sendable {
        var service: String
        var process: ProcessIdentity
        var adminSocket: String
        var path: String
        var choices: [CounterChoice]
    }

    private struct RuleAnswer: Sendable {
        var process: ProcessIdentity
        var isHealthy: Bool
        var tally: WorkerTally?
    }

    /// Seconds from one round of rules to the next: what asking costs grows with the workers.
    var ruleSeconds: UInt64 {
        switch services.values.reduce(0, { $0 + $1.watches.count }) {
        case ...20: 2
        case ...60: 5
        default: 10
        }
    }

    /// Every second where a worker may soon be killed for its memory: what it has counted since it was asked last goes with it.
    var asksOften: Bool {
        services.values.contains { service in
            service.watches.values.contains { ($0.leakForecast ?? .infinity) < Self.nearSeconds }
        }
    }

    private static var nearSeconds: Double { 60 }

    /// Asks every worker whether it is well and what it has counted, and lets the rules judge. Eight at a time, so that some
    /// that hang do not starve the others.
    func followRuleRounds() async -> Ending? {
        for await _ in ruleRound.stream {
            var jobs = ruleJobs().makeIterator()
            var answers: [ProcessIdentity: RuleAnswer] = [:]
            await withTaskGroup(of: RuleAnswer.self) { group in
                for _ in 0..<8 {
                    guard let job = jobs.next() else { break }
                    group.addTask { await self.ask(job) }
                }
                while let answer = await group.next() {
                    answers[answer.process] = answer
                    guard let job = jobs.next() else { continue }
                    group.addTask { await self.ask(job) }
                }
            }
            judge(answers)
        }
        return nil
    }

    private func ruleJobs() -> [RuleJob] {
        services.sorted { $0.key < $1.key }.flatMap { name, watch in
            watch.pool.workers.values.sorted { $0.number < $1.number }.compactMap { worker -> RuleJob? in
                guard worker.counts, let process = worker.process, let socket = worker.adminSocket else { return nil }
                return RuleJob(
                    service: name, process: process, adminSocket: socket, path: watch.configuration.healthPath,
                    choices: rules.choices(of: name))
            }
        }
    }

    private func ask(_ job: RuleJob) async -> RuleAnswer {
        let probe = probe
        async let health = within(seconds: 1.5) {
            await probe.isHealthy(adminSocket: job.adminSocket, path: job.path, timeout: 1)
        }
        async let tally = within(seconds: 1.5) {
            await probe.tally(adminSocket: job.adminSocket, counting: job.choices, timeout: 1)
        }
        return RuleAnswer(process: job.process, isHealthy: await health ?? false, tally: await tally ?? nil)
    }

    private func judge(_ answers: [ProcessIdentity: RuleAnswer]) {
        let now = host.now()
        let reading = host.machine()
        rules.noteKernelKills(reading.kernelKills)
        var alerts = rules.add(reading, at: now)
        for name in services.keys.sorted() {
            guard let watch = services[name] else { continue }
            let told = Self.reading(of: watch, answers, cores: reading.cores, at: now)
            guard let news = rules.add(told, of: name) else { continue }
            measures[name, default: MeasureRecord()].add(told) { rules.expectation(of: $0, service: name) }
            alerts += news.alerts.map { explained($0, watch) }
            for (metric, bucket) in news.buckets.sorted(by: { $0.key < $1.key }) {
                tell(.bucket(service: name, metric: metric, bucket))
            }
        }
        if !alerts.isEmpty { tell(.alerts(alerts)) }
        tellImpacts()
    }

    /// With what is known of the cause, if anything is.
    private func explained(_ alert: Alert, _ watch: ServiceWatch) -> Alert {
        var alert = alert
        if alert.evidence == nil, let diagnosis = watch.trouble.diagnosis, let cause = CauseFinding(diagnosis) {
            alert.evidence = Evidence(cause: cause, logs: diagnosis.logs.map(\.sentence))
        }
        return alert
    }

    /// Losses that changed: told with the numbers of now while they last, and once when they are over.
    private func tellImpacts() {
        for name in services.keys.sorted() {
            let impacts = rules.impacts(of: name)
            guard impacts != toldImpacts[name, default: []] else { continue }
            toldImpacts[name] = impacts
            tell(.impacts(name, impacts))
        }
    }

    private static func reading(
        of watch: ServiceWatch, _ answers: [ProcessIdentity: RuleAnswer], cores: Int?, at now: Moment
    ) -> ServiceReading {
        let workers = watch.pool.workers.values.sorted { $0.number < $1.number }.compactMap {
            worker -> WorkerReading? in
            guard worker.counts, let process = worker.process, let known = watch.watches[worker.number],
                known.process == process
            else { return nil }
            let answer = answers[process]
            let descriptors = known.descriptors(at: now.uptime)
            return WorkerReading(
                number: worker.number, process: process, startedAt: known.startedAt?.uptime,
                isDraining: worker.phase == .draining,
                probe: worker.phase != .serving ? nil : answer.map { $0.isHealthy ? .answered : .failed },
                wasAsked: answer != nil, counters: answer?.tally.map(WorkerCounters.init),
                cpuSeconds: known.latest?.cpuSeconds, rss: known.latest?.rss, budget: watch.configuration.budget,
                timeToLimit: known.verdict.code == .leak ? known.verdict.timeToLimit : nil,
                fileDescriptors: descriptors?.open, fileDescriptorLimit: descriptors?.limit)
        }
        let serving = watch.pool.serving.count
        return ServiceReading(
            at: now, workers: workers, desired: watch.pool.settings.desired,
            notServing: max(0, watch.pool.settings.desired - serving), cores: cores)
    }
}

extension PoolWorker {
    /// It may have answered users: from its readiness on, before it is held to serve.
    fileprivate var counts: Bool { [.serving, .draining].contains(phase) || (phase == .starting && saidReady) }
}

extension WorkerCounters {
    init(_ tally: WorkerTally) {
        self.init(
            requests: tally.measures.requests, failures: tally.measures.failures,
            durationSum: tally.measures.durationSum, durationCount: tally.measures.durationCount,
            durations: tally.durations.sorted { $0.key < $1.key }.map {
                DurationBucket(bound: $0.key, count: $0.value)
            },
            inFlight: tally.measures.inFlight, business: tally.business)
    }
}
