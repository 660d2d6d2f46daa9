import CLinux
import Glibc

/// A process and all below it, as they are at one moment.
package struct ProcessFamily: Hashable, Sendable {
    /// A process by what makes it unique.
    package struct Member: Hashable, Sendable {
        package var pid: Int32
        /// Field 22 of `/proc/PID/stat`: clock ticks after boot.
        package var startTicks: UInt64

        package init(pid: Int32, startTicks: UInt64) {
            self.pid = pid
            self.startTicks = startTicks
        }
    }

    /// More are left out: a scan of /proc is no place for surprises.
    package static let limit = 4_096

    /// The root first.
    package var members: [Member]

    /// Nil when the root is gone, or its pid belongs to another process by now. Reads the state of every process: some
    /// microseconds each.
    package init?(root: Member) {
        guard linux_start_ticks(root.pid) == root.startTicks else { return nil }
        var children: [Int32: [Member]] = [:]
        for pid in Self.allProcesses() {
            guard let bytes = FileBytes.read(path: "/proc/\(pid)/stat", limit: 4_096),
                let stat = ProcessStat(bytes.span), !stat.isZombie
            else { continue }
            children[stat.parent, default: []].append(Member(pid: pid, startTicks: stat.startTicks))
        }
        members = [root]
        var next = 0
        while next < members.count, members.count < Self.limit {
            members += (children[members[next].pid] ?? []).prefix(Self.limit - members.count)
            next += 1
        }
    }

    /// Without the list the root alone is seen.
    private static func allProcesses() -> [Int32] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var result: [Int32] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let pid = Int32(name) { result.append(pid) }
        }
        return result
    }
}
