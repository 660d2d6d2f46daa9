import OakumAPI
import OakumModel
import Synchronization

/// Incidents in memory, with the behaviour the protocol asks for: deduplicated by fingerprint, acts that change nothing say so,
/// intake all or nothing.
final class FakeIncidentPlane: IncidentPlane {
    struct State {
        var incidents: [Int64: IncidentReport] = [:]
        var silences: [Silence] = []
        var acts: [(act: IncidentAct, by: String)] = []
        var taken: [IntakeItem] = []
        var onCall = OnCallReport(policies: [], schedules: [], silences: [], problems: [], deliveries: [])
        /// Thrown by every call while set.
        var failure: ControlError?
        var nextID: Int64 = 1
        var clock = Samples.start.milliseconds
    }
    let state: Mutex<State>
    /// Awaited by `take`, before anything is stored.
    private let taking: @Sendable () async -> Void

    init(_ state: State = State(), taking: @escaping @Sendable () async -> Void = {}) {
        self.state = Mutex(state)
        self.taking = taking
    }

    func change(_ body: (inout State) -> Void) { state.withLock { body(&$0) } }

    var acts: [(act: IncidentAct, by: String)] { state.withLock { $0.acts } }
    var taken: [IntakeItem] { state.withLock { $0.taken } }

    private func run<Value>(_ body: (inout State) throws(ControlError) -> Value) throws(ControlError) -> Value {
        let result = state.withLock { state -> Result<Value, ControlError> in
            if let failure = state.failure { return .failure(failure) }
            state.clock += 1_000
            do throws(ControlError) {
                return .success(try body(&state))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    func incidents(_ query: IncidentQuery) async throws(ControlError) -> [Incident] {
        try run { state throws(ControlError) in
            let fitting = state.incidents.values.map(\.incident).filter { incident in
                (query.states.isEmpty || query.states.contains(incident.state))
                    && (query.service == nil || query.service == incident.service)
                    && (query.before.map { incident.id < $0 } ?? true)
            }
            return Array(fitting.sorted { $0.id > $1.id }.prefix(query.limit))
        }
    }

    func incident(_ id: Int64) async throws(ControlError) -> IncidentReport {
        try run { state throws(ControlError) in try Self.find(id, state) }
    }

    func onCall() async throws(ControlError) -> OnCallReport {
        try run { state throws(ControlError) in
            var report = state.onCall
            report.silences = state.silences
            return report
        }
    }

    func act(_ act: IncidentAct, by actor: String) async throws(ControlError) -> IncidentOutcome {
        try run { state throws(ControlError) in
            let outcome = try Self.perform(act, actor, &state)
            state.acts.append((act, actor))
            return outcome
        }
    }

    func take(_ intake: [IntakeItem]) async throws(ControlError) -> [IntakeReceipt] {
        await taking()
        return try run { state throws(ControlError) in
            state.taken += intake
            return intake.map { Self.take($0, &state) }
        }
    }

    // MARK: - What acts do

    private static func find(_ id: Int64, _ state: State) throws(ControlError) -> IncidentReport {
        guard let report = state.incidents[id] else { throw .notFound("there is no incident #\(id)") }
        return report
    }

    private static func perform(
        _ act: IncidentAct, _ actor: String, _ state: inout State
    ) throws(ControlError) -> IncidentOutcome {
        switch act {
        case .open(let title, let service, let severity, _):
            let id = open(title, service, .outside, severity, "hand:\(state.nextID)", &state)
            return IncidentOutcome(incident: id, changed: true, message: "#\(id) is open")
        case .acknowledge(let id):
            return try move(id, to: .acknowledged, from: [.open], actor, &state)
        case .resolve(let id, _):
            return try move(id, to: .resolved, from: [.open, .acknowledged, .mitigated], actor, &state)
        case .note(let id, let text):
            var report = try find(id, state)
            report.timeline.append(entry(id, .note, text, actor, state))
            state.incidents[id] = report
            return IncidentOutcome(incident: id, changed: true, message: "noted")
        case .silence(let id, let seconds, let reason):
            let report = try find(id, state)
            let now = WallTime(milliseconds: state.clock)
            let until = WallTime(milliseconds: state.clock + Int64(seconds * 1000))
            let silence = Silence(
                id: Int64(state.silences.count + 1), fingerprint: report.incident.fingerprint, from: now, until: until,
                author: actor, reason: reason)
            state.silences.append(silence)
            return IncidentOutcome(incident: id, changed: true, message: "silenced")
        case .endSilence(let id):
            let before = state.silences.count
            state.silences.removeAll { $0.id == id }
            return IncidentOutcome(incident: nil, changed: state.silences.count < before, message: "silence \(id)")
        case .check(let person):
            if let person, person != "ada" { throw .notFound("there is no person \(person); there is ada") }
            return IncidentOutcome(incident: nil, changed: true, message: "told ada", pages: ["page-1"])
        case .deploy(let service, _):
            return IncidentOutcome(incident: nil, changed: true, message: "deploy of \(service)")
        }
    }

    private static func move(
        _ id: Int64, to target: IncidentState, from sources: Set<IncidentState>, _ actor: String, _ state: inout State
    ) throws(ControlError) -> IncidentOutcome {
        var report = try find(id, state)
        guard sources.contains(report.incident.state) else {
            return IncidentOutcome(incident: id, changed: false, message: "#\(id) is \(report.incident.state) already")
        }
        let now = WallTime(milliseconds: state.clock)
        report.incident.state = target
        report.incident.updated = now
        if target == .acknowledged {
            report.incident.acknowledgement = Acknowledgement(by: actor, at: now, severity: report.incident.severity)
        } else {
            report.incident.milestones.resolved = now
        }
        let kind: TimelineKind = target == .acknowledged ? .acknowledged : .resolved
        report.timeline.append(entry(id, kind, "\(target)", actor, state))
        state.incidents[id] = report
        return IncidentOutcome(incident: id, changed: true, message: "#\(id) is \(target)")
    }

    private static func take(_ item: IntakeItem, _ state: inout State) -> IntakeReceipt {
        guard case .alert(let alert) = item else { return IntakeReceipt(incident: nil, isNew: false) }
        let known = state.incidents.values.first {
            $0.incident.fingerprint == alert.fingerprint && $0.incident.state != .resolved
        }
        if let known {
            if alert.status == .resolved { state.incidents[known.incident.id]?.incident.state = .resolved }
            return IntakeReceipt(incident: known.incident.id, isNew: false)
        }
        guard alert.status == .firing else { return IntakeReceipt(incident: nil, isNew: false) }
        let id = open(alert.summary, alert.service, alert.kind, alert.severity, alert.fingerprint, &state)
        return IntakeReceipt(incident: id, isNew: true)
    }

    private static func open(
        _ title: String, _ service: String?, _ kind: AlertKind, _ severity: Severity, _ fingerprint: String,
        _ state: inout State
    ) -> Int64 {
        let id = state.nextID
        state.nextID += 1
        let now = WallTime(milliseconds: state.clock)
        let incident = Incident(
            id: id, title: title, service: service, kind: kind, severity: severity, fingerprint: fingerprint,
            milestones: Milestones(detected: now), updated: now)
        state.incidents[id] = IncidentReport(
            incident: incident, timeline: [entry(id, .opened, title, "oakum", state)], deliveries: [])
        return id
    }

    private static func entry(
        _ id: Int64, _ kind: TimelineKind, _ text: String, _ by: String, _ state: State
    ) -> TimelineEntry {
        TimelineEntry(incident: id, at: WallTime(milliseconds: state.clock), kind: kind, text: text, by: by)
    }
}
