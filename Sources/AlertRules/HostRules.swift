package import OakumModel

/// The rules of the host: readings in, alerts out. Pure.
package struct HostRules: Sendable {
    package let settings: HostAlertSettings
    private var memory: ThresholdRule?
    private var pressures: [(name: String, value: @Sendable (HostReading) -> Double?, rule: ThresholdRule)] = []
    /// By path, made when a volume is first read.
    private var volumes: [String: ThresholdRule] = [:]
    private var absence: (rule: AbsenceRule, slot: AlertSlot)?
    /// Alerts of volumes that were not read yet.
    private var assumed: [Alert] = []

    package init(_ settings: HostAlertSettings) {
        self.settings = settings
        let runbooks = settings.runbooks
        memory = settings.memory.map { ThresholdRule(.memory, $0, service: nil, runbooks: runbooks) }
        let all: [(String, @Sendable (HostReading) -> Double?, ThresholdSettings?)] = [
            ("memory", { $0.memoryPressure }, settings.memoryPressure),
            ("cpu", { $0.cpuPressure }, settings.cpuPressure),
            ("io", { $0.ioPressure }, settings.ioPressure),
        ]
        pressures = all.compactMap { name, value, threshold in
            threshold.map {
                (name, value, ThresholdRule(.pressure, $0, service: nil, subject: name, runbooks: runbooks))
            }
        }
        absence = settings.noData.map { noData in
            let slot = AlertSlot(
                .noData, service: nil, raiseSeconds: 0, clearSeconds: noData.clearSeconds, runbooks: runbooks)
            return (AbsenceRule(noData), slot)
        }
    }

    package var firing: [Alert] {
        let slots = [memory?.slot, absence?.slot] + pressures.map(\.rule.slot) + volumes.values.map(\.slot)
        return slots.compactMap { $0?.told }.sorted { $0.fingerprint < $1.fingerprint }
    }

    /// Alerts that fired when Oakum ended; returns those that are none of these rules'.
    package mutating func assume(_ alerts: [Alert], at now: Moment) -> [Alert] {
        alerts.filter { alert in
            guard alert.status == .firing, alert.source == .rule, alert.service == nil else { return true }
            if memory?.slot.fingerprint == alert.fingerprint {
                memory?.slot.assume(alert, at: now)
            } else if absence?.slot.fingerprint == alert.fingerprint {
                absence?.slot.assume(alert, at: now)
            } else if let index = pressures.firstIndex(where: { $0.rule.slot.fingerprint == alert.fingerprint }) {
                pressures[index].rule.slot.assume(alert, at: now)
            } else if alert.kind == .disk, settings.disk != nil, assumed.count < HostReading.volumeLimit {
                assumed.append(alert)
            } else {
                return true
            }
            return false
        }
    }

    package mutating func add(_ reading: HostReading) -> [Alert] {
        var alerts = [takeMemory(reading)] + takePressure(reading) + takeVolumes(reading)
        if absence != nil {
            note("memory", reading.memoryAvailable, at: reading.at)
            for (name, value, _) in pressures { note("\(name) pressure", value(reading), at: reading.at) }
            for path in volumes.keys.sorted() { note("the volume of \(path)", reading.diskFree[path], at: reading.at) }
            if let rule = absence?.rule {
                let told = absence?.slot.take(rule.condition, at: reading.at) { rule.text(service: nil, over: $0) }
                alerts.append(told ?? nil)
            }
        }
        return alerts.compactMap { $0 }
    }

    private mutating func note(_ name: String, _ value: Double?, at now: Moment) {
        absence?.rule.note(name, value == nil ? .missing : .told, at: now)
    }

    private mutating func takeMemory(_ reading: HostReading) -> Alert? {
        let used = reading.memoryAvailable.map { 1 - $0 }
        return memory?.take(used, at: reading.at) { over in
            let state = "\(Words.percent(used ?? 0)) of the host's memory is in use"
            return AlertText(over ? "The host has memory again: \(state)" : state)
        }
    }

    private mutating func takePressure(_ reading: HostReading) -> [Alert?] {
        pressures.indices.map { index in
            let (name, path, _) = pressures[index]
            let value = path(reading)
            let what = name == "io" ? "the disk" : name == "cpu" ? "the CPU" : "memory"
            return pressures[index].rule.take(value, at: reading.at) { over in
                let share = "\(Words.fixed(value ?? 0, 0)) % of the last 10 s"
                return AlertText(
                    over
                        ? "The host waits for \(what) no more than usual: \(share)"
                        : "Processes of the host wait for \(what) in \(share)", labels: ["resource": name])
            }
        }
    }

    private mutating func takeVolumes(_ reading: HostReading) -> [Alert?] {
        guard let threshold = settings.disk else { return [] }
        for path in reading.diskFree.keys.sorted() where volumes[path] == nil {
            guard volumes.count < HostReading.volumeLimit else { break }
            var rule = ThresholdRule(.disk, threshold, service: nil, subject: path, runbooks: settings.runbooks)
            if let index = assumed.firstIndex(where: { $0.fingerprint == rule.slot.fingerprint }) {
                rule.slot.assume(assumed.remove(at: index), at: reading.at)
            }
            volumes[path] = rule
        }
        return volumes.keys.sorted().map { path in
            let used = reading.diskFree[path].map { 1 - $0 }
            let told = volumes[path]?.take(used, at: reading.at) { over in
                let state = "the volume of \(path) is \(Words.percent(used ?? 0)) full"
                return AlertText(over ? "There is room again: \(state)" : state, labels: ["path": path])
            }
            return told ?? nil
        }
    }
}
