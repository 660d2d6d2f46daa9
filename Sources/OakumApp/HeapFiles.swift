import CLinux
import Foundation
import HeapProfile
package import OakumModel
import ProcessReadings

/// The heap files that the workers of one service write, a file a process.
///
/// Files of the dead are evidence, so the newest of them stay; older ones go, so that the folder stays bounded.
package struct HeapFiles: Hashable, Sendable {
    /// How many files of dead processes are kept for each service.
    package static let keptOfTheDead = 8

    var folder: String
    var service: String

    package init(folder: String, service: String) {
        self.folder = folder
        self.service = service
    }

    /// What the sampler is told: it puts its pid in.
    var pattern: String { "\(folder)/\(service)-%p.heap" }

    func path(pid: Int32) -> String { "\(folder)/\(service)-\(pid).heap" }

    /// Deletes all but the newest files of processes that are gone, and what was kept beside them, and what nobody needs
    /// any more of what is kept of the living. Files that cannot be deleted are left to the next time.
    package func prune(now: Uptime) {
        let names = names
        let dead = names.compactMap { name -> (name: String, written: Date)? in
            guard let pid = pid(ofHeapFile: name), !Self.lives(pid) else { return nil }
            let attributes = try? FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")  // gone: the oldest
            return (name, attributes?[.modificationDate] as? Date ?? .distantPast)
        }
        for old in dead.sorted(by: { $0.written > $1.written }).dropFirst(Self.keptOfTheDead) {
            // Its companions first: without it nobody would know them.
            for name in names where name.hasPrefix(old.name + ".") { remove(name) }
            remove(old.name)
        }
        for (name, pid) in living(names) {
            let keeping = BaseKeeping(
                bases: HeapBaseFile.moments(of: name, among: names), started: Self.started(pid) ?? now, now: now)
            for moment in keeping.dropped { remove(HeapBaseFile.name(of: name, at: moment)) }
        }
    }

    /// Living processes of whose heap an earlier moment is to be kept now.
    func withoutBase(now: Uptime) -> [(path: String, process: ProcessIdentity)] {
        let names = names
        return living(names).compactMap { name, pid in
            let ticks = linux_start_ticks(pid)
            guard ticks > 0, let started = Self.started(pid) else { return nil }
            let bases = HeapBaseFile.moments(of: name, among: names)
            guard BaseKeeping(bases: bases, started: started, now: now).takesOne else { return nil }
            return ("\(folder)/\(name)", ProcessIdentity(pid: pid, startTicks: ticks))
        }
    }

    private var names: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []  // no folder, no files
    }

    private func living(_ names: [String]) -> [(name: String, pid: Int32)] {
        names.sorted().compactMap { name in
            pid(ofHeapFile: name).flatMap { Self.lives($0) ? (name, $0) : nil }
        }
    }

    private func pid(ofHeapFile name: String) -> Int32? {
        guard name.hasPrefix(service + "-"), name.hasSuffix(".heap") else { return nil }
        return Int32(name.dropFirst(service.count + 1).dropLast(5))
    }

    private static func lives(_ pid: Int32) -> Bool { FileManager.default.fileExists(atPath: "/proc/\(pid)") }

    private static func started(_ pid: Int32) -> Uptime? {
        let ticks = linux_start_ticks(pid)
        return ticks > 0 ? Uptime(seconds: Double(ticks) / Machine.ticksPerSecond) : nil
    }

    private func remove(_ name: String) {
        try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")  // not there, or next time
    }
}
