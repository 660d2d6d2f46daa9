import Foundation
import OakumModel

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

    /// Deletes all but the newest files of processes that are gone, and what was kept beside them. Files that cannot be deleted are left to the next
    /// time.
    package func prune() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []  // no folder, nothing to prune
        let dead = names.compactMap { name -> (path: String, written: Date)? in
            guard name.hasPrefix(service + "-"), name.hasSuffix(".heap"),
                let pid = Int32(name.dropFirst(service.count + 1).dropLast(5)),
                !FileManager.default.fileExists(atPath: "/proc/\(pid)")
            else { return nil }
            let path = "\(folder)/\(name)"
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)  // gone by now: the oldest
            return (path, attributes?[.modificationDate] as? Date ?? .distantPast)
        }
        for old in dead.sorted(by: { $0.written > $1.written }).dropFirst(Self.keptOfTheDead) {
            for path in [HeapTarget.snapshotPath(old.path), HeapExaminer.answerPath(old.path), old.path] {
                try? FileManager.default.removeItem(atPath: path)  // not there, or next time
            }
        }
    }
}
