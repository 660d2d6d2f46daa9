import CLinux
import Foundation
import OakumModel
import ProcessReadings

/// A process and all below it, as they are at one moment.
struct ProcessTree: Hashable, Sendable {
    /// More are left out: a scan of /proc is no place for surprises.
    static let limit = 4_096

    /// The root first.
    var members: [ProcessIdentity]

    /// Nil when the root is gone, or its pid belongs to another process by now.
    init?(root: ProcessIdentity) {
        guard linux_start_ticks(root.pid) == root.startTicks else { return nil }
        var children: [Int32: [(pid: Int32, start: UInt64)]] = [:]
        // Without the list the root alone is seen.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        for pid in names.lazy.compactMap(Int32.init) {
            guard let bytes = FileBytes.read(path: "/proc/\(pid)/stat", limit: 4_096),
                let stat = ProcessStat(bytes.span), !stat.isZombie
            else { continue }
            children[stat.parent, default: []].append((pid, stat.startTicks))
        }
        members = [root]
        var next = 0
        while next < members.count, members.count < Self.limit {
            for child in children[members[next].pid] ?? [] where members.count < Self.limit {
                members.append(ProcessIdentity(pid: child.pid, startTicks: child.start))
            }
            next += 1
        }
    }
}
