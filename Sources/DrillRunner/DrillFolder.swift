import CLinux
import Foundation
import Glibc

/// The drill's own folder under the temporary folder. Its path is short enough for Unix sockets, and unique: every
/// process the drill starts, and every process those start, carries it in its arguments or its environment.
struct DrillFolder: Sendable {
    /// Set in the environment of everything a drill starts.
    static let marker = "OAKUM_DRILL_FOLDER"

    /// Absolute, without a slash at its end.
    let path: String

    init() throws(DrillError) {
        var base = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        // The path of a Unix socket may have 107 bytes, and the drill's own names need some.
        if base.utf8.count > 40 { base = "/tmp" }
        var template = Array("\(base)/oakum-drill-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw .couldNotRun("no folder can be created under \(base): \(String(cString: strerror(errno)))")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A folder inside, created.
    func folder(_ name: String) throws(DrillError) -> String {
        let inner = "\(path)/\(name)"
        guard mkdir(inner, 0o700) == 0 || errno == EEXIST else {
            throw .couldNotRun("\(inner) cannot be created: \(String(cString: strerror(errno)))")
        }
        return inner
    }

    func remove() {
        // What cannot be removed is left to the system's cleaning of its temporary folder.
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Processes of this drill that are still there: of the same user, with the folder's path in their arguments or
    /// environment. A keeper or worker whose parent died in a bad moment is found this way.
    func leftoverProcesses() -> [Int32] {
        let own = getpid()
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc") else {
            return []  // Without /proc nothing of this runs anyway.
        }
        return names.compactMap(Int32.init).filter { pid in
            pid != own
                && ["cmdline", "environ"].contains { readSmallFile("/proc/\(pid)/\($0)")?.contains(path) ?? false }
        }
    }

    /// Kills what is left, again and again until nothing is: a keeper may start a worker in between. Gives up after
    /// five seconds and returns what survived.
    func killLeftovers() -> [Int32] {
        for _ in 0..<100 {
            let left = leftoverProcesses()
            if left.isEmpty { return [] }
            for pid in left { kill(pid, SIGKILL) }
            for pid in left { linux_wait_exit(pid, 50) }
        }
        return leftoverProcesses()
    }
}
