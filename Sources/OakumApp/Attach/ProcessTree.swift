import OakumModel
import ProcessReadings

/// A process and all below it, as they are at one moment.
struct ProcessTree: Hashable, Sendable {
    /// The root first.
    var members: [ProcessIdentity]

    /// Nil when the root is gone, or its pid belongs to another process by now.
    init?(root: ProcessIdentity) {
        guard let family = ProcessFamily(root: .init(pid: root.pid, startTicks: root.startTicks)) else { return nil }
        members = family.members.map { ProcessIdentity(pid: $0.pid, startTicks: $0.startTicks) }
    }
}
