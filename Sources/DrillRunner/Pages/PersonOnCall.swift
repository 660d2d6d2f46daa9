import Glibc
import LoadGenerator
import OakumAPI
import OakumModel
import Synchronization

/// Who is on call in a drill: gets pages through the drill's webhook, and takes the first incident on.
final class PersonOnCall: Sendable {
    private struct State {
        var told = 0
        var ackedAt: Uptime?
        var closed: Int64?
    }

    private let arm: DrillArm
    private let receiver: PageReceiver?
    private let plane: (any IncidentPlane)?
    private let tell: @Sendable (DrillNews) -> Void
    private let state = Mutex(State())

    init(
        arm: DrillArm, receiver: PageReceiver?, plane: (any IncidentPlane)?,
        tell: @escaping @Sendable (DrillNews) -> Void
    ) {
        self.arm = arm
        self.receiver = receiver
        self.plane = plane
        self.tell = tell
    }

    /// Whom acts over the control socket are put down to: the name of this user. Nil when a configuration cannot hold it.
    static var accountName: String? {
        guard let entry = getpwuid(geteuid()), let name = entry.pointee.pw_name else { return nil }
        let text = String(cString: name)
        let isPlain = text.utf8.allSatisfy { isNameByte($0) || $0 == UInt8(ascii: "_") } && text != "oakum"
        return isPlain && (1...32).contains(text.utf8.count) ? text : nil
    }

    /// Reads what has come, and acknowledges.
    func look(_ load: LoadSnapshot) async {
        guard let receiver, let plane else { return }
        let pages = receiver.all
        let (new, isAcked) = state.withLock { state in
            defer { state.told = pages.count }
            return (pages.dropFirst(state.told), state.ackedAt != nil)
        }
        for arrival in new {
            let seconds = load.startedAt.map { arrival.at - $0 }
            let what = arrival.page.data.kind == .stakeholders ? "to the business" : "page"
            tell(.note(arm, seconds: seconds, text: "\(what): \(arrival.page.data.title)"))
        }
        guard !isAcked, let incident = pages.first(where: { $0.page.data.kind == .opened })?.page.data.incident else {
            return
        }
        do throws(ControlError) {
            _ = try await plane.act(.acknowledge(incident), by: "person on call")
            state.withLock { $0.ackedAt = uptimeNow() }
        } catch {
            // It is tried again at the next look; a drill without an acknowledgement says so in its report.
        }
    }

    /// Closes the incident while the load still runs, once; where the business is told, when it heard that users are served as
    /// before.
    func closeInTime(_ why: String, hasAudience: Bool) async {
        let isDue = state.withLock { $0.closed == nil }
        let isRestored = receiver?.all.contains { $0.page.data.kind == .stakeholders && $0.page.saysRestored } ?? false
        if isDue, isRestored || !hasAudience { _ = await close(why) }
    }

    /// The incident of the first page is over, as a person judges it. Returns its number; nil: there is none, or it cannot be
    /// closed.
    func close(_ why: String) async -> Int64? {
        if let closed = state.withLock({ $0.closed }) { return closed }
        guard let plane, let incident = receiver?.all.first(where: { $0.page.data.kind == .opened })?.page.data.incident
        else { return nil }
        do throws(ControlError) {
            _ = try await plane.act(.resolve(incident, why), by: "person on call")
            state.withLock { $0.closed = incident }
            return incident
        } catch {
            tell(.remark("incident #\(incident) cannot be closed: \(error.message)"))
            return nil
        }
    }

    /// Nil: nobody was to be paged.
    func findings(startedAt: Uptime) -> PageFindings? {
        guard let receiver else { return nil }
        return PageFindings(pages: receiver.all, ackedAt: state.withLock { $0.ackedAt }, startedAt: startedAt)
    }
}
