import OakumModel

/// Memory, CPU and descriptors of a service's workers.
struct WorkerRules: Sendable {
    private let service: String
    private let reactionSeconds: Double
    private var memory: ThresholdRule?
    private var fileDescriptors: ThresholdRule?
    private var cpu: ThresholdRule?
    private var cpuSeconds = CounterMemory()
    private var cpuSums = WindowSums()
    private var cpuSince: Uptime?
    /// CPU is averaged over so many seconds.
    private static let cpuWindow = 15.0

    init(service: String, settings: AlertSettings) {
        self.service = service
        reactionSeconds = settings.reactionSeconds
        func rule(_ kind: AlertKind, _ threshold: ThresholdSettings?) -> ThresholdRule? {
            threshold.map { ThresholdRule(kind, $0, service: service, runbooks: settings.runbooks) }
        }
        memory = rule(.memory, settings.memory)
        fileDescriptors = rule(.fileDescriptors, settings.fileDescriptors)
        cpu = rule(.cpu, settings.cpu)
    }

    var firing: [Alert] { [memory, fileDescriptors, cpu].compactMap { $0?.slot.told } }

    mutating func assume(_ alert: Alert, at now: Moment) -> Bool {
        if memory?.slot.fingerprint == alert.fingerprint {
            memory?.slot.assume(alert, at: now)
        } else if fileDescriptors?.slot.fingerprint == alert.fingerprint {
            fileDescriptors?.slot.assume(alert, at: now)
        } else if cpu?.slot.fingerprint == alert.fingerprint {
            cpu?.slot.assume(alert, at: now)
        } else {
            return false
        }
        return true
    }

    mutating func add(_ reading: ServiceReading) -> [Alert] {
        [takeMemory(reading), takeDescriptors(reading), takeCPU(reading)].compactMap { $0 }
    }

    private mutating func takeMemory(_ reading: ServiceReading) -> Alert? {
        let fullest = Self.fullest(reading) { worker in
            guard let rss = worker.rss, let budget = worker.budget, budget.bytes > 0 else { return nil }
            return Double(rss.bytes) / Double(budget.bytes)
        }
        let left = fullest?.worker.timeToLimit
        let isUrgent = left.map { $0.low <= reactionSeconds } ?? false
        return memory?.take(fullest?.value, isUrgent: isUrgent, at: reading.at) { [service] over in
            guard let (worker, share) = fullest, let rss = worker.rss, let budget = worker.budget else {
                return AlertText("\(service): memory is within its budget again")
            }
            let holds = "\(service)/\(worker.number) holds \(rss) of its \(budget) (\(Words.percent(share)))"
            guard !over else { return AlertText("\(service): memory is within its budget again; \(holds)") }
            let rest = left.map { "; the limit is reached in \(Words.interval($0))" } ?? ""
            return AlertText(holds + rest, labels: ["worker": "\(worker.number)"])
        }
    }

    private mutating func takeDescriptors(_ reading: ServiceReading) -> Alert? {
        let fullest = Self.fullest(reading) { worker in
            guard let open = worker.fileDescriptors, let limit = worker.fileDescriptorLimit, limit > 0 else {
                return nil
            }
            return Double(open) / Double(limit)
        }
        return fileDescriptors?.take(fullest?.value, at: reading.at) { [service] over in
            guard let (worker, share) = fullest, !over else {
                return AlertText("\(service): file descriptors are within their limit again")
            }
            return AlertText(
                "\(service)/\(worker.number) has \(Words.count(Double(worker.fileDescriptors ?? 0))) of at most "
                    + "\(Words.count(Double(worker.fileDescriptorLimit ?? 0))) file descriptors open "
                    + "(\(Words.percent(share)))",
                labels: ["worker": "\(worker.number)"])
        }
    }

    private mutating func takeCPU(_ reading: ServiceReading) -> Alert? {
        guard cpu != nil else { return nil }
        let now = reading.at.uptime
        cpuSeconds.keep(Set(reading.workers.map(\.process)))
        var isTold = false
        for worker in reading.workers {
            guard let seconds = worker.cpuSeconds else { continue }
            isTold = true
            let grown = cpuSeconds.increase(of: worker.process, to: seconds, startedAt: worker.startedAt, at: now)
            guard let grown else { continue }
            cpuSums.add(WindowSums.Sums(all: 0, bad: grown.amount), from: grown.from, until: now)
        }
        if isTold { cpuSince = cpuSince ?? now } else { cpuSince = nil }
        var used: Double?
        if let cpuSince, now - cpuSince >= Self.cpuWindow {
            used = cpuSums.sum(seconds: Self.cpuWindow, until: now).bad / Self.cpuWindow
        }
        let cores = reading.cores.map { Double(max(1, $0)) }
        let share = used.flatMap { used in cores.map { used / $0 } }
        return cpu?.take(share, at: reading.at) { [service] over in
            let use =
                "\(Words.fixed(used ?? 0, 1)) of \(Words.fixed(cores ?? 0, 0)) cores (\(Words.percent(share ?? 0)))"
            guard !over else { return AlertText("\(service): CPU use is ordinary again: \(use)") }
            return AlertText("\(service) uses \(use)")
        }
    }

    /// The worker of which most is used; draining ones too, for they share the host.
    private static func fullest(
        _ reading: ServiceReading, _ share: (WorkerReading) -> Double?
    ) -> (worker: WorkerReading, value: Double)? {
        reading.workers.compactMap { worker in share(worker).map { (worker, $0) } }
            .max { ($0.1, $1.0.number) < ($1.1, $0.0.number) }
    }
}

/// Restarts and kills.
struct OccurrenceRules: Sendable {
    private let service: String
    private var restarts: (rule: OccurrenceRule, slot: AlertSlot)?
    private var kills: (rule: OccurrenceRule, slot: AlertSlot)?

    init(service: String, settings: AlertSettings) {
        self.service = service
        // The rule holds itself: an end is an end.
        func rule(_ kind: AlertKind, _ occurrences: OccurrenceSettings?) -> (OccurrenceRule, AlertSlot)? {
            occurrences.map { occurrences in
                let slot = AlertSlot(
                    kind, service: service, raiseSeconds: 0, clearSeconds: 5, runbooks: settings.runbooks)
                return (OccurrenceRule(occurrences), slot)
            }
        }
        restarts = rule(.restarts, settings.restarts)
        kills = rule(.outOfMemoryKill, settings.outOfMemoryKills)
    }

    var firing: [Alert] { [restarts?.slot.told, kills?.slot.told].compactMap { $0 } }

    mutating func assume(_ alert: Alert, at now: Moment) -> Bool {
        if restarts?.slot.fingerprint == alert.fingerprint {
            restarts?.slot.assume(alert, at: now)
        } else if kills?.slot.fingerprint == alert.fingerprint {
            kills?.slot.assume(alert, at: now)
        } else {
            return false
        }
        return true
    }

    mutating func add(_ reading: ServiceReading) -> [Alert] {
        let now = reading.at
        var alerts: [Alert?] = []
        if let condition = restarts?.rule.condition(reading.unaskedEnds, at: now.uptime), let rule = restarts?.rule {
            let told = restarts?.slot.take(condition, at: now) { [service] over in
                guard !over else { return AlertText("\(service): workers live on again") }
                return AlertText(
                    "\(service): workers ended \(Words.times(rule.count(at: now.uptime))) in "
                        + "\(Words.seconds(rule.settings.windowSeconds)) without having been told to")
            }
            alerts.append(told ?? nil)
        }
        if let condition = kills?.rule.condition(reading.outOfMemoryKills, at: now.uptime), let rule = kills?.rule {
            let told = kills?.slot.take(condition, at: now) { [service] over in
                guard !over else { return AlertText("\(service): no worker was killed for want of memory of late") }
                return AlertText(
                    "\(service): the kernel killed workers for want of memory "
                        + "\(Words.times(rule.count(at: now.uptime))) in \(Words.seconds(rule.settings.windowSeconds))")
            }
            alerts.append(told ?? nil)
        }
        return alerts.compactMap { $0 }
    }
}

extension Words {
    /// "once", "3 times".
    static func times(_ count: Int) -> String { count == 1 ? "once" : "\(count) times" }
}
