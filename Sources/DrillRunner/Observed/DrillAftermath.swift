import LoadGenerator
import OakumAPI
import OakumModel

/// What is done when the load of an arm is over and its `oakum` still runs: the incident is closed, read, and written down.
struct DrillAftermath: Sendable {
    /// For the last messages to come.
    private static let patienceSeconds = 10.0
    private static let closingSeconds = 5.0

    let arm: DrillArm
    let tools: DrillTools
    let stateFolder: String
    let configuration: String
    /// The business hears of the end as well.
    let hasAudience: Bool
    /// Where the draft goes; nil: none is written.
    let postmortem: String?
    let tell: @Sendable (DrillNews) -> Void

    private var isWanted: Bool { hasAudience || postmortem != nil }

    private var reason: String {
        hasAudience ? "the repaired build serves, and users are served as before" : "the drill's load is over"
    }

    /// Closes the incident shortly before the load ends: without users there is nothing to be counted any more.
    func look(_ load: LoadSnapshot, of seconds: Double, _ onCall: PersonOnCall) async {
        guard isWanted, let started = load.startedAt, uptimeNow() - started >= seconds - Self.closingSeconds else {
            return
        }
        await onCall.closeInTime(reason, hasAudience: hasAudience)
    }

    /// The incident as it stands afterwards; nil: none was opened, or nobody asks.
    func settle(_ onCall: PersonOnCall, _ receiver: PageReceiver?) async throws(DrillError) -> Incident? {
        guard isWanted, let plane = tools.incidentPlane?(stateFolder) else { return nil }
        guard let id = await onCall.close(reason) else {
            tell(.remark("the \(arm.rawValue) arm opened no incident that could be closed"))
            return nil
        }
        let deadline = uptimeNow() + Self.patienceSeconds
        while let receiver, !isTold(receiver), uptimeNow() < deadline { try await pause(0.1) }
        let report: IncidentReport
        do throws(ControlError) {
            report = try await plane.incident(id)
        } catch {
            throw .couldNotRun("incident #\(id) cannot be read: \(error.message)")
        }
        try await write(id)
        return report.incident
    }

    private func isTold(_ receiver: PageReceiver) -> Bool {
        // Who closes an incident is not told that it is closed; the business is, if it had heard of it at all.
        let told = receiver.all.map(\.page.data).last { $0.kind == .stakeholders }
        return told.map { $0.title.hasSuffix("; over") } ?? true
    }

    private func write(_ id: Int64) async throws(DrillError) {
        guard let postmortem, let writing = tools.writePostmortem else { return }
        do {
            for line in try await writing(stateFolder, configuration, id, postmortem) { tell(.remark(line)) }
        } catch {
            throw .couldNotRun("the postmortem of incident #\(id) cannot be written: \(error)")
        }
    }
}
